//! Pure readers and writers of the dialects: framing, usage, errors, what a secret looks like in them.
//! No async, no clock, no I/O, and no provider's name: who speaks which dialect is the business of `providers`.
//! Start at `gemini/scan.rs`; `json.rs` and `sse.rs` are what it stands on.

mod decimal;
pub mod duration;
pub mod gemini;
pub mod json;
mod members;
pub mod openai;
pub mod redact;
pub mod request;
pub mod simple;
mod splice;
pub mod sse;
