//! OpenAI's dialect: errors and model lists of our own, and which members of its answers are read.
//! The reading itself is that of `gemini/scan.rs`, told by `Content::OpenAi`.

pub mod error;
pub(crate) mod fields;
mod finish;
pub mod models;

pub(crate) use finish::finish;
