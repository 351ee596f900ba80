//! What answers cost.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Billionths of a US dollar: the cheapest cached token is some ten of them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Nanodollars(pub i64);

impl Nanodollars {
    /// From dollars; what is no number is nothing.
    pub fn from_dollars(dollars: f64) -> Self {
        Self((dollars * 1e9).round() as i64)
    }

    /// In dollars.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl AddAssign for Nanodollars {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// What a model's tokens cost, in US dollars for a million of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input that came from no cache.
    pub input: f64,
    /// Input that came from a cache; none: as other input.
    #[serde(default)]
    pub cached_input: Option<f64>,
    /// Output.
    pub output: f64,
    /// The part of the output that was reasoning; none: as other output.
    #[serde(default)]
    pub reasoning: Option<f64>,
    /// What holds for requests with a long prompt.
    #[serde(default)]
    pub long_prompt: Option<LongPrompt>,
}

/// What a request costs whose prompt is longer than a threshold; it holds for all of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrompt {
    /// Prompts of more tokens than this are long.
    pub above_tokens: u32,
    /// Input that came from no cache.
    pub input: f64,
    /// Input that came from a cache; none: as other input.
    #[serde(default)]
    pub cached_input: Option<f64>,
    /// Output, reasoning too.
    pub output: f64,
}
