//! The members of a chat besides messages and functions: which have another name, other values, or no counterpart.
//! What is not named here passes as it is.

use serde_json::{Value, json};

use super::{Object, schema};
use crate::Refused;
use crate::gigachat::refuse;

/// Members of OpenAI's chat completions that GigaChat (v1) has no counterpart for. By the documentation of GigaChat's
/// API and by Sber's own proxy (gpt2giga) they are left out rather than refused: an answer without them is of use.
const DROPPED: &[&str] = &[
    "audio",
    "extra_body",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream_options",
    "top_k",
    "top_logprobs",
    "user",
    "verbosity",
    "web_search_options",
];

/// Puts what is left of a request into GigaChat's terms.
pub(super) fn translate(body: &mut Object) -> Result<(), Refused> {
    body.retain(|name, _| !DROPPED.contains(&&**name));
    if let Some(limit) = body.shift_remove("max_completion_tokens") {
        body.insert("max_tokens".to_owned(), limit);
    }
    translate_temperature(body);
    translate_effort(body);
    translate_format(body)
}

/// GigaChat's temperature is above 0; the most likely answer is asked for by `top_p: 0`.
fn translate_temperature(body: &mut Object) {
    if body.get("temperature").and_then(Value::as_f64) == Some(0.0) {
        body.shift_remove("temperature");
        body.insert("top_p".to_owned(), json!(0));
    }
}

/// GigaChat knows `low`, `medium` and `high`: the nearest is taken.
fn translate_effort(body: &mut Object) {
    let Some(effort) = body.get_mut("reasoning_effort") else {
        return;
    };
    match effort.as_str() {
        Some("none" | "minimal") => *effort = json!("low"),
        Some("xhigh" | "max") => *effort = json!("high"),
        _ => {}
    }
}

/// A schema stands flat in GigaChat's `response_format`, and follows the rules of its functions. There is no
/// `json_object`: who asks for one also says so in the prompt, as OpenAI demands, and that is all GigaChat gets.
fn translate_format(body: &mut Object) -> Result<(), Refused> {
    let Some(format) = body.get_mut("response_format") else {
        return Ok(());
    };
    match format.get("type").and_then(Value::as_str) {
        Some("text" | "json_object") => {
            body.shift_remove("response_format");
            Ok(())
        }
        Some("json_schema") => {
            if let Some(nested) = format.get_mut("json_schema").map(Value::take) {
                *format = flat_format(nested)?;
            }
            Ok(())
        }
        _ => Err(refuse::member(
            "response_format",
            "response_format.type is none of \"text\", \"json_object\" and \"json_schema\"",
        )),
    }
}

fn flat_format(mut nested: Value) -> Result<Value, Refused> {
    let Some(schema) = nested.get("schema").filter(|schema| schema.is_object()) else {
        return Err(refuse::member(
            "response_format.json_schema.schema",
            "response_format.json_schema has no object \"schema\"",
        ));
    };
    let mut budget = schema::Budget::default();
    let schema = schema::clean(schema, "response_format.json_schema.schema", &mut budget)?;
    let mut format = json!({"type": "json_schema", "schema": schema});
    if let Some(strict) = nested.get_mut("strict").map(Value::take)
        && strict.is_boolean()
    {
        format["strict"] = strict;
    }
    Ok(format)
}
