//! OpenAI's dialect: errors and model lists of our own. Reading its answers will stand beside them.

pub mod error;
pub mod models;
