//! The members of a request and the types they must have. A member that is null counts as absent, as
//! it does for OpenAI; unknown members are passed over, except by Google's compatible paths.

use serde_json::Value;

use super::Flavour;
use super::wrong::Wrong;
use crate::call::Call;
use crate::refusal::Refusal;

/// What a member must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Flag,
    /// A number between two bounds, both allowed.
    Number(f64, f64),
    /// A whole number between two bounds, both allowed.
    Count(u64, u64),
    List,
    Object,
    /// A text or a list of at most four.
    Stops,
    Any,
}

/// A member by its name.
pub(crate) type Member = (&'static str, Kind);

/// Members of a chat completion.
pub(crate) const CHAT: &[Member] = &[
    ("model", Kind::Text),
    ("messages", Kind::List),
    ("stream", Kind::Flag),
    ("stream_options", Kind::Object),
    ("max_tokens", Kind::Count(1, u64::MAX)),
    ("max_completion_tokens", Kind::Count(1, u64::MAX)),
    ("temperature", Kind::Number(0.0, 2.0)),
    ("top_p", Kind::Number(0.0, 1.0)),
    ("n", Kind::Count(1, 128)),
    ("stop", Kind::Stops),
    ("presence_penalty", Kind::Number(-2.0, 2.0)),
    ("frequency_penalty", Kind::Number(-2.0, 2.0)),
    ("logprobs", Kind::Flag),
    ("top_logprobs", Kind::Count(0, 20)),
    ("seed", Kind::Number(f64::MIN, f64::MAX)),
    ("tools", Kind::List),
    ("tool_choice", Kind::Any),
    ("parallel_tool_calls", Kind::Flag),
    ("response_format", Kind::Object),
    ("reasoning_effort", Kind::Text),
    ("modalities", Kind::List),
    ("audio", Kind::Object),
    ("user", Kind::Text),
    ("service_tier", Kind::Text),
    ("extra_body", Kind::Object),
];

/// Members of a request for embeddings.
pub(crate) const EMBEDDINGS: &[Member] = &[
    ("model", Kind::Text),
    ("input", Kind::Any),
    ("dimensions", Kind::Count(1, 4096)),
    ("encoding_format", Kind::Text),
    ("user", Kind::Text),
];

/// Members of a request for images.
pub(crate) const IMAGES: &[Member] = &[
    ("model", Kind::Text),
    ("prompt", Kind::Text),
    ("n", Kind::Count(1, 10)),
    ("size", Kind::Text),
    ("quality", Kind::Text),
    ("response_format", Kind::Text),
    ("user", Kind::Text),
];

/// Reads a body and checks the members that are in it.
pub(crate) fn read(call: &Call, members: &[Member], flavour: Flavour) -> Result<Value, Refusal> {
    let wrong = |wrong: Wrong| wrong.refusal(flavour);
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|error| wrong(Wrong::Json(error.to_string())))?;
    let Some(fields) = body.as_object() else {
        return Err(wrong(Wrong::kind("body", "an object", &body)));
    };
    if flavour == Flavour::Google
        && let Some(name) = fields.keys().find(|name| !is_known(name, members))
    {
        let message =
            format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
        return Err(Refusal::bad_payload(&message, ""));
    }
    for (name, kind) in members {
        kind.check(name, &body[name]).map_err(wrong)?;
    }
    Ok(body)
}

fn is_known(name: &str, members: &[Member]) -> bool {
    members.iter().any(|(known, _)| *known == name)
}

impl Kind {
    /// Checks a member; null counts as absent.
    pub(crate) fn check(self, at: &str, value: &Value) -> Result<(), Wrong> {
        let wrong = |expected| Err(Wrong::kind(at, expected, value));
        match self {
            _ if value.is_null() => Ok(()),
            Self::Text if !value.is_string() => wrong("a string"),
            Self::Flag if !value.is_boolean() => wrong("a boolean"),
            Self::List if !value.is_array() => wrong("a sequence"),
            Self::Object if !value.is_object() => wrong("a map"),
            Self::Number(least, most) => match value.as_f64() {
                None => wrong("a number"),
                Some(number) if number < least || number > most => Err(out_of_range(at, value)),
                Some(_) => Ok(()),
            },
            Self::Count(least, most) => match value.as_u64() {
                None if value.is_number() => Err(out_of_range(at, value)),
                None => wrong("an integer"),
                Some(number) if number < least || number > most => Err(out_of_range(at, value)),
                Some(_) => Ok(()),
            },
            Self::Stops => stops(at, value),
            _ => Ok(()),
        }
    }
}

fn stops(at: &str, value: &Value) -> Result<(), Wrong> {
    match value {
        Value::String(_) => Ok(()),
        Value::Array(list) if list.len() > 4 => Err(Wrong::value(
            at,
            "array_above_max_length",
            format!(
                "Invalid '{at}': array too long. Expected an array with maximum length 4, but got \
                 an array with length {} instead.",
                list.len()
            ),
        )),
        Value::Array(list) if list.iter().all(Value::is_string) => Ok(()),
        _ => Err(Wrong::kind(at, "a string or an array of strings", value)),
    }
}

fn out_of_range(at: &str, value: &Value) -> Wrong {
    let message = format!("Invalid '{at}': {value} is out of range.");
    Wrong::value(at, "invalid_value", message)
}
