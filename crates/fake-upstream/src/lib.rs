//! A scripted stand-in for the Gemini API, for tests, `make demo` and benches: keys, projects,
//! quotas, every error row, streams in both framings, files, and faults on demand.
//! It is never linked into keymux and knows nothing of it; the facts it imitates are Google's.
//!
//! Start with [`gemini()`]; `stand.rs` shows the path of one request; `control.rs` documents the JSON
//! that other languages steer it with.

mod body;
mod call;
mod clock;
mod control;
mod fast;
mod fixtures;
mod gemini;
mod keys;
mod quota;
mod refusal;
mod reply;
mod rule;
mod script;
mod seen;
mod server;
mod socket;
mod stand;
mod stream;
mod tls;

pub use control::ScriptForm;
pub use keys::{FakeKey, KeyFault};
pub use rule::{EmptyKind, Rule};
pub use script::Script;
pub use seen::Seen;
pub use server::FakeUpstream;

/// A stand-in for Google that takes any key and quotes every prompt, until told otherwise.
pub fn gemini() -> Script {
    Script::gemini()
}
