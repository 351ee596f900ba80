//! What Perplexity counts and charges: tokens, searches, and dollars for both.

use serde_json::{Value, json};

/// What one search costs, in US dollars.
const SEARCH_COST: f64 = 0.001;

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Price {
    pub(crate) input: f64,
    pub(crate) output: f64,
}

impl Price {
    pub(crate) fn of(model: &str) -> Self {
        let (input, output) = match model {
            "perplexity/sonar" => (0.25, 2.5),
            "openai/gpt-6-luna" => (0.10, 0.50),
            "google/gemini-3.8-flash" => (0.75, 3.75),
            "xai/grok-4.7" => (2.0, 6.0),
            _ => (1.0, 5.0),
        };
        Self { input, output }
    }
}

/// The usage of a response that made so many searches.
pub(crate) fn of(model: &str, input: u64, output: u64, searches: u64) -> Value {
    let price = Price::of(model);
    let input_cost = input as f64 * price.input / 1e6;
    let output_cost = output as f64 * price.output / 1e6;
    let tools_cost = searches as f64 * SEARCH_COST;
    let mut usage = json!({
        "input_tokens": input,
        "output_tokens": output,
        "total_tokens": input + output,
        "input_tokens_details": {
            "cached_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": 0,
        },
        "output_tokens_details": {"reasoning_tokens": 0},
        "cost": {
            "currency": "USD",
            "input_cost": input_cost,
            "output_cost": output_cost,
            "cache_read_cost": 0.0,
            "total_cost": input_cost + output_cost + tools_cost,
        },
    });
    if searches > 0 {
        let details = json!({"invocation": searches, "cost_usd": tools_cost});
        usage["tool_calls_details"] = json!({"search_web": details});
        usage["cost"]["tool_calls_cost"] = json!(tools_cost);
        usage["cost"]["tool_calls_cost_details"] = json!({"search_web": tools_cost});
    }
    usage
}
