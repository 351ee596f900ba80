//! What an answer has to be told of its request: the caller's names of functions, and what GigaChat leaves out.
//! A request makes it (`request/mod.rs`), the translators of answers read it (`answer/`).

use std::collections::HashMap;
use std::sync::Arc;

use domain::UnixMs;

/// How the caller spells function calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Calls {
    /// `tools` and `tool_calls`.
    #[default]
    Tools,
    /// The older `functions` and `function_call`.
    Functions,
}

/// What the translator of an answer needs besides the answer.
#[derive(Clone, Debug)]
pub struct Asked {
    pub(super) id: String,
    pub(super) created: UnixMs,
    pub(super) model: String,
    pub(super) calls: Calls,
    /// The caller's name of each function that had to be renamed.
    pub(super) renamed: Arc<HashMap<String, String>>,
}

impl Asked {
    /// The caller's name of the function that GigaChat knows as `sent`.
    pub(super) fn name<'a>(&'a self, sent: &'a str) -> &'a str {
        self.renamed.get(sent).map_or(sent, String::as_str)
    }

    /// When the answer was made, in seconds, for an answer that does not say.
    pub(super) fn created_seconds(&self) -> i64 {
        self.created.0.div_euclid(1000)
    }
}
