//! Token counts. GigaChat leaves cached tokens out of its prompt, OpenAI has them in; the total is GigaChat's own,
//! which is what it bills.

use serde_json::{Value, json};

/// GigaChat's counts as OpenAI writes them; none where it counted nothing.
pub(super) fn translate(usage: &Value) -> Option<Value> {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let (prompt, completion) = (count("prompt_tokens"), count("completion_tokens"));
    let total = count("total_tokens");
    prompt.or(completion).or(total)?;
    let (prompt, completion) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    let cached = count("precached_prompt_tokens").unwrap_or(0);
    Some(json!({
        "prompt_tokens": prompt.saturating_add(cached),
        "completion_tokens": completion,
        "total_tokens": total.unwrap_or_else(|| prompt.saturating_add(completion)),
        "prompt_tokens_details": {"cached_tokens": cached},
    }))
}
