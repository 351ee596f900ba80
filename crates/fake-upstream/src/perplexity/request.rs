//! A request to the Agent API: which model answers, whether the web is searched, and what is refused.

use serde_json::Value;

use super::faults;
use crate::call::Call;
use crate::dialect::members::Kind;
use crate::dialect::wrong::Wrong;
use crate::refusal::Refusal;
use crate::responses::{self, input};
use crate::stand::Stand;

const PRESETS: [&str; 9] = [
    "fast",
    "low",
    "medium",
    "high",
    "xhigh",
    "fast-search",
    "pro-search",
    "deep-research",
    "advanced-deep-research",
];

const TOOLS: [&str; 9] = [
    "web_search",
    "image_search",
    "fetch_url",
    "people_search",
    "finance_search",
    "sandbox",
    "mcp",
    "function",
    "web_search_preview",
];

/// Members and their types.
const MEMBERS: &[(&str, Kind)] = &[
    ("model", Kind::Text),
    ("preset", Kind::Text),
    ("effort", Kind::Text),
    ("instructions", Kind::Text),
    ("stream", Kind::Flag),
    ("tools", Kind::List),
    ("models", Kind::List),
    ("reasoning", Kind::Object),
    ("response_format", Kind::Object),
    ("temperature", Kind::Number(0.0, 2.0)),
    ("top_p", Kind::Number(0.0, 1.0)),
    ("max_steps", Kind::Count(1, 100)),
];

/// A request that was understood.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) common: responses::Ask,
    /// The model that answers.
    pub(crate) model: String,
    /// What the first events of a stream call it: the preset, when one was named.
    pub(crate) early_model: String,
    pub(crate) searches: bool,
}

/// The body as JSON.
pub(crate) fn json(call: &Call) -> Result<Value, Refusal> {
    match serde_json::from_slice::<Value>(&call.body) {
        Ok(body) if body.is_object() => Ok(body),
        Ok(other) => Err(faults::wrong(&Wrong::kind(
            "",
            "a valid dictionary",
            &other,
        ))),
        Err(error) => Err(faults::wrong(&Wrong::Json(error.to_string()))),
    }
}

/// Reads and checks a request.
pub(crate) fn read(stand: &Stand, call: &Call) -> Result<Ask, Refusal> {
    let body = json(call)?;
    for (name, kind) in MEMBERS {
        kind.check(name, &body[name])
            .map_err(|wrong| faults::wrong(&wrong))?;
    }
    let preset = body["effort"].as_str().or(body["preset"].as_str());
    if let Some(preset) = preset.filter(|preset| !PRESETS.contains(preset)) {
        return Err(faults::validation(&format!(
            "preset \"{preset}\" is not supported"
        )));
    }
    let model = model(stand, &body, preset)?;
    check_length(&body, &model)?;
    let tools: Vec<&str> = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tool| tool["type"].as_str().unwrap_or_default())
        .collect();
    if let Some(strange) = tools.iter().find(|tool| !TOOLS.contains(tool)) {
        return Err(faults::validation(&format!(
            "unknown discriminator value: {strange}"
        )));
    }
    let schema = body["response_format"]["json_schema"]["schema"].clone();
    let searches = preset.is_some() || tools.contains(&"web_search");
    let early_model = preset.unwrap_or(&model).to_owned();
    let common = responses::ask(body, input::Items::Typed, &schema)
        .map_err(|wrong| faults::wrong(&wrong))?;
    Ok(Ask {
        common,
        model,
        early_model,
        searches,
    })
}

/// The model that is named, first in a list, or bundled with a preset.
fn model(stand: &Stand, body: &Value, preset: Option<&str>) -> Result<String, Refusal> {
    let bundled = match preset {
        Some("fast" | "fast-search") => Some("openai/gpt-6-luna"),
        Some(_) => Some("perplexity/sonar"),
        None => None,
    };
    let named = body["model"].as_str().or(body["models"][0].as_str());
    let Some(model) = named.or(bundled) else {
        return Err(faults::validation(
            "one of model, models, preset is required",
        ));
    };
    if named.is_some() && !(stand.models.has(model) && model.contains('/')) {
        return Err(faults::no_model(model));
    }
    Ok(model.to_owned())
}

fn check_length(body: &Value, model: &str) -> Result<(), Refusal> {
    match &body["max_output_tokens"] {
        Value::Null if model.starts_with("anthropic/") => {
            Err(Refusal::fixture("perplexity/errors/400_max_tokens.json"))
        }
        Value::Null => Ok(()),
        given => match given.as_u64() {
            Some(tokens) if tokens >= 16 => Ok(()),
            _ => Err(faults::validation("max_output_tokens must be at least 16")),
        },
    }
}
