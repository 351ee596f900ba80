//! Google's strictness about request bodies: malformed JSON, unknown fields, missing contents.
//! The messages are Google's own words.

use serde_json::Value;

use crate::call::Call;
use crate::gemini::prompt::{field, snake};
use crate::refusal::Refusal;

/// Fields of `GenerateContentRequest`.
const REQUEST: &[&str] = &[
    "model",
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
    "serviceTier",
    "store",
    "continuationToken",
];

/// Fields of `GenerationConfig`.
const CONFIG: &[&str] = &[
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseFormat",
    "responseModalities",
    "responseLogprobs",
    "logprobs",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "mediaResolution",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "enableEnhancedCivicAnswers",
    "audioTranscriptionConfig",
];

/// The body as JSON; an empty body is an empty message, as on Google's side.
pub(crate) fn json_body(call: &Call) -> Result<Value, Refusal> {
    if call.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(&call.body).map_err(|error| malformed(&call.body, &error))
}

/// Refuses what Google refuses of a generating request before a model sees it.
pub(crate) fn check_generate(request: &Value) -> Result<(), Refusal> {
    check_fields(request, REQUEST, "")?;
    if let Some(config) = field(request, "generationConfig") {
        check_fields(config, CONFIG, "generation_config")?;
    }
    require_contents(request)
}

pub(crate) fn require_contents(request: &Value) -> Result<(), Refusal> {
    match field(request, "contents") {
        Some(Value::Array(list)) if list.is_empty() => Err(Refusal::named("400_invalid_argument")),
        Some(_) => Ok(()),
        None => Err(Refusal::named("400_invalid_argument")),
    }
}

fn check_fields(value: &Value, known: &[&str], at: &str) -> Result<(), Refusal> {
    let Value::Object(fields) = value else {
        return Err(Refusal::named("400_generic"));
    };
    let is_known = |name: &&String| known.iter().any(|k| k == name || snake(k) == **name);
    let Some(name) = fields.keys().find(|name| !is_known(name)) else {
        return Ok(());
    };
    let place = if at.is_empty() {
        String::new()
    } else {
        format!(" at '{at}'")
    };
    let message = format!(
        "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
    );
    Err(Refusal::bad_payload(&message, at))
}

fn malformed(body: &[u8], error: &serde_json::Error) -> Refusal {
    let text = String::from_utf8_lossy(body);
    let line = text
        .lines()
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let column = error.column().saturating_sub(1).min(line.chars().count());
    let from = column.saturating_sub(20);
    let excerpt: String = line.chars().skip(from).take(40).collect();
    let caret = " ".repeat(column - from);
    let message = format!("Invalid JSON payload received. Unexpected token.\n{excerpt}\n{caret}^");
    Refusal::bad_payload(&message, "")
}
