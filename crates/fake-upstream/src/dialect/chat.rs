//! Chat completions: from a request to what is said, whole or as a stream. The JSON around it is
//! `completion.rs` and `events.rs`.

use serde_json::Value;

use super::completion::{self, Completion, Wording};
use super::wrong::Wrong;
use super::{Flavour, events, members, messages, tools};
use crate::call::Call;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::reply::{Reply, SSE};
use crate::rule::{Deed, EmptyKind};
use crate::said::{self, Said, Wishes};
use crate::stand::Stand;
use crate::stream::{self, Framing};

/// A request that OpenAI would take.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) body: Value,
    /// The model as named, without Google's `models/`.
    pub(crate) model: String,
    pub(crate) prompt: Prompt,
    wishes: Wishes,
    /// How many choices.
    n: usize,
    streams: bool,
    include_usage: bool,
    reasons: bool,
}

/// Reads and checks a request.
pub(crate) fn read(call: &Call, flavour: Flavour) -> Result<Ask, Refusal> {
    let body = members::read(call, members::CHAT, flavour)?;
    ask(body, flavour).map_err(|wrong| wrong.refusal(flavour))
}

fn ask(body: Value, flavour: Flavour) -> Result<Ask, Wrong> {
    let model = body["model"].as_str();
    let model = model.ok_or_else(|| Wrong::missing("model"))?;
    let model = model.trim_start_matches("models/").to_owned();
    let heard = messages::read(&body, flavour)?;
    let streams = body["stream"] == true;
    if body["stream_options"].is_object() && !streams {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Wrong::value("stream_options", "invalid_value", message));
    }
    let (schema, wants_json) = format(&body["response_format"])?;
    let limits = ["max_completion_tokens", "max_tokens"];
    let prompt = Prompt {
        functions: tools::callable(&body)?,
        schema,
        wants_json,
        max_output_tokens: limits.iter().find_map(|name| body[name].as_u64()),
        ..heard.prompt
    };
    let wishes = Wishes {
        notes: heard.notes,
        stops: texts(&body["stop"]),
        single_call: body["parallel_tool_calls"] == false,
    };
    Ok(Ask {
        n: body["n"].as_u64().unwrap_or(1) as usize,
        include_usage: body["stream_options"]["include_usage"] == true,
        reasons: flavour.reasons(&model) && body["reasoning_effort"] != "none",
        streams,
        model,
        prompt,
        wishes,
        body,
    })
}

/// The schema of `json_schema`, and whether any JSON is wanted.
fn format(format: &Value) -> Result<(Option<Value>, bool), Wrong> {
    if format.is_null() {
        return Ok((None, false));
    }
    match format["type"].as_str() {
        Some("text") => Ok((None, false)),
        Some("json_object") => Ok((None, true)),
        Some("json_schema") => {
            let at = "response_format.json_schema";
            if !format["json_schema"]["name"].is_string() {
                return Err(Wrong::missing(&format!("{at}.name")));
            }
            let schema = &format["json_schema"]["schema"];
            if !schema.is_object() {
                return Err(Wrong::missing(&format!("{at}.schema")));
            }
            Ok((Some(schema.clone()), true))
        }
        other => {
            let message = format!(
                "Invalid value: '{}'. Supported values are: 'json_object', 'json_schema', and \
                 'text'.",
                other.unwrap_or_default()
            );
            Err(Wrong::value(
                "response_format.type",
                "invalid_value",
                message,
            ))
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list
            .iter()
            .filter_map(|text| text.as_str().map(ToOwned::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// Answers a request, bent as a rule's deed says.
pub(crate) fn answer(stand: &Stand, ask: &Ask, flavour: Flavour, deed: &Deed) -> Reply {
    let (said, empty) = match deed {
        Deed::Empty(kind) => (Said::text(""), Some(*kind)),
        Deed::BlockedPrompt => (Said::BlockedPrompt, None),
        Deed::BlockedSafety => (Said::Unsafe, None),
        _ => (said::say(&stand.voice, &ask.prompt, &ask.wishes), None),
    };
    let mut completion = completion(stand, ask, flavour, said, empty);
    if let Deed::Finish(reason) = deed {
        completion.finish.clone_from(reason);
    }
    if !ask.streams {
        return whole(stand, completion);
    }
    let midway = deed.midway();
    let at_least = midway.map_or(1, |m| m.after + 1);
    let events = events::of(stand, &completion, ask.include_usage, at_least);
    let mut reply = stream::reply(Framing::OpenAi, &events, stand.voice.pause, midway);
    if flavour != Flavour::Google {
        reply = reply.content_type(&format!("{SSE}; charset=utf-8"));
    }
    reply
}

fn completion(
    stand: &Stand,
    ask: &Ask,
    flavour: Flavour,
    said: Said,
    empty: Option<EmptyKind>,
) -> Completion {
    let thinks = ask.reasons && empty.is_none() && !matches!(said, Said::BlockedPrompt);
    let wording = match empty {
        Some(EmptyKind::NoCandidates) => Wording::None,
        Some(EmptyKind::StopNoParts) => Wording::Null,
        Some(EmptyKind::EmptyText) | None => Wording::Said,
    };
    Completion {
        flavour,
        id: completion::fresh_id(stand, flavour),
        model: ask.model.clone(),
        finish: completion::finish(&said).to_owned(),
        call_ids: completion::call_ids(stand, flavour, &said),
        n: ask.n,
        prompt_tokens: ask.prompt.tokens,
        thought: thinks.then_some(said::THOUGHT),
        said,
        wording,
    }
}

fn whole(stand: &Stand, completion: Completion) -> Reply {
    let body = |completion: &Completion| match completion.flavour {
        Flavour::Google => Reply::json(&completion.whole()),
        _ => Reply::compact(&completion.whole()),
    };
    let reply = body(&completion);
    match stand.voice.answer_bytes {
        Some(bytes) => body(&completion.prolonged(bytes.saturating_sub(reply.size()))),
        None => reply,
    }
}
