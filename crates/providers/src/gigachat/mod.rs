//! Sber's GigaChat, whose chat has a dialect of its own (v1); callers speak OpenAI's.
//! `request/` and `embeddings.rs` say what is sent, `answer/` what comes back; `oauth.rs` reads the token that a key is
//! exchanged for; `error.rs` and `success.rs` judge. Fetching tokens and uploading images is the server's part.

mod answer;
mod asked;
mod call_id;
mod embeddings;
mod error;
pub mod oauth;
mod refuse;
mod request;
mod success;

pub use answer::chat_answer;
pub use asked::Asked;
pub use embeddings::{EmbeddingsRequest, Encoding, embeddings_answer, embeddings_request};
pub use error::{TOKEN_EXPIRED, TURNS_TAKEN, judge_error};
pub use request::{ChatRequest, File, chat_request};
pub use success::judge_success;

/// Where chats go, behind the provider's base address.
pub const CHAT_PATH: &str = "/chat/completions";
/// Where texts become vectors.
pub const EMBEDDINGS_PATH: &str = "/embeddings";
/// Where files are uploaded: multipart, with `file` and `purpose=general`.
pub const FILES_PATH: &str = "/files";
/// Which models there are.
pub const MODELS_PATH: &str = "/models";
