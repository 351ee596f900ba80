//! What a stand-in understands of a generating request, whatever its dialect: the last text, the
//! turns, the system instruction, functions and their results, files, and wishes for the answer.
//! Each dialect reads it out of its own JSON; what is answered to it is `voice.rs` and `said.rs`.

use serde_json::Value;

/// Providers count about this many tokens for an image or a page of a file.
pub(crate) const FILE_TOKENS: u64 = 258;

/// A generating request as far as the answer depends on it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prompt {
    /// All text of the last message.
    pub(crate) text: String,
    /// The number of messages, system messages left out.
    pub(crate) turns: usize,
    pub(crate) system: String,
    /// Declarations the model may call; empty when calling is switched off.
    pub(crate) functions: Vec<Value>,
    /// Name and result of the function answered by the last message.
    pub(crate) function_result: Option<(String, Value)>,
    pub(crate) file_uris: Vec<String>,
    pub(crate) cached_content: Option<String>,
    pub(crate) wants_thoughts: bool,
    pub(crate) wants_json: bool,
    pub(crate) schema: Option<Value>,
    pub(crate) max_output_tokens: Option<u64>,
    /// Input tokens, roughly.
    pub(crate) tokens: u64,
}
