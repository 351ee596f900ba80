//! Token counts of one answer, in neutral terms.

use serde::{Deserialize, Serialize};

/// Tokens as the provider counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All input, cached tokens included.
    pub prompt: u32,
    /// All output, reasoning included.
    pub output: u32,
    /// The part of the output that was reasoning.
    pub reasoning: u32,
    /// The part of the prompt that came from a cache.
    pub cached: u32,
    /// Tokens of tool results fed back to the model.
    pub tool: u32,
    /// The provider's own total.
    pub total: u32,
}
