//! What a provider's answer becomes where it does not speak the caller's dialect itself.
//! One translator reads one answer; the providers that need one make it (`perplexity/`, `gigachat/`).

use std::fmt::Debug;

/// Turns the body of one answer into OpenAI's dialect, chunk by chunk, wherever the network has cut it.
///
/// A stream becomes `data: {…}` events with a `data: [DONE]` at the end, a document one document. What the provider
/// calls a failure inside a success becomes `{"error": {"message", "type", "code"}}`, in the provider's own words, and
/// nothing after it: judges read it from there.
pub trait Translate: Debug + Send + Sync {
    /// Takes the next bytes in; what can be said after them is appended to `out`.
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>);

    /// The body is over, at its own end: the rest is appended to `out`.
    fn finish(&mut self, out: &mut Vec<u8>);
}
