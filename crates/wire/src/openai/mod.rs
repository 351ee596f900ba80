//! OpenAI's dialect: requests read and edited, errors and model lists of our own, which members of its answers are read.
//! The reading of answers is that of `gemini/scan.rs`, told by `Content::OpenAi`.

pub mod error;
pub(crate) mod fields;
mod finish;
pub mod models;
pub mod request;
pub mod resources;
pub mod tidy;

pub use finish::DEFERRED;
pub(crate) use finish::finish;
