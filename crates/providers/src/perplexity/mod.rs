//! Perplexity (`api.perplexity.ai`), asked in OpenAI's dialect. Its chat endpoint was retired in September 2026, so chat
//! becomes a request of its Agent API: `request/` writes it, `chat/` reads the answer back; `embeddings.rs` does both.
//! `error.rs` judges refusals, `success.rs` judges answers as they were translated.

mod chat;
mod document;
mod embeddings;
mod error;
mod fault;
mod members;
mod request;
mod success;

pub use chat::{Asked, chat_answer};
pub use embeddings::{Encoding, embeddings_answer, embeddings_request};
pub use error::judge_error;
pub use request::{chat_request, offered};
pub use success::judge_success;

/// Where a chat goes: the Agent API under the name that OpenAI's SDKs use for it.
pub const CHAT_PATH: &str = "/v1/responses";
/// Where embeddings are made.
pub const EMBEDDINGS_PATH: &str = "/v1/embeddings";
/// The models that a key may use, as a list of OpenAI's shape.
pub const MODELS_PATH: &str = "/v1/models";
