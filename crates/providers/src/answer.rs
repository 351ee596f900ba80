//! A provider's refusal as judges read it, and the part of an API that it came from.

use http::HeaderMap;

/// An answer with a status of 300 or more.
#[derive(Clone, Copy, Debug)]
pub struct ErrorAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The answer's headers.
    pub headers: &'a HeaderMap,
    /// The body, or as much of it as was read.
    pub body: &'a [u8],
    /// The part of the API that answered.
    pub place: Place,
}

/// A part of a provider's API: the same words mean different things in different parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Models and their methods.
    Model,
    /// Files, caches, batches, operations: what belongs to a project.
    Resource,
    /// Interactions and what belongs to them, with errors of their own shape.
    Interactions,
    /// `/v1beta/openai/`: keys as bearer, errors in arrays.
    OpenAi,
    /// The Live API's WebSocket.
    Live,
}
