//! A chat request: checked by GigaChat's own rules, and read into a prompt.

use http::StatusCode;
use serde_json::Value;

use super::faults::{error, invalid_params};
use super::schema;
use crate::call::Call;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::voice::tokens;

const ROLES: [&str; 4] = ["system", "user", "assistant", "function"];

/// Members of OpenAI's requests that GigaChat does not know and a translation must not leave in.
const FOREIGN: [&str; 4] = [
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "stream_options",
];
const FOREIGN_OF_MESSAGES: [&str; 3] = ["tool_calls", "tool_call_id", "refusal"];

/// A request that was understood.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) prompt: Prompt,
    /// Files that the messages refer to.
    pub(crate) attachments: Vec<String>,
    pub(crate) streams: bool,
    /// Built-in functions may be called: `auto` without functions of the caller's own.
    pub(crate) built_ins: bool,
    pub(crate) effort: bool,
}

/// The body as JSON.
pub(crate) fn json(call: &Call) -> Result<Value, Refusal> {
    serde_json::from_slice::<Value>(&call.body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| error(StatusCode::BAD_REQUEST, "Bad Request: invalid JSON"))
}

/// Reads and checks a request.
pub(crate) fn read(call: &Call) -> Result<Ask, Refusal> {
    let body = json(call)?;
    let model = body["model"]
        .as_str()
        .ok_or_else(|| invalid_params("model is required"))?;
    if let Some(name) = FOREIGN.iter().find(|name| !body[**name].is_null()) {
        return Err(invalid_params(&format!("unknown field {name}")));
    }
    check_numbers(&body)?;
    let messages = body["messages"].as_array().filter(|list| !list.is_empty());
    let messages = messages.ok_or_else(|| invalid_params("messages is required"))?;
    for (index, message) in messages.iter().enumerate() {
        check_message(index, message)?;
    }
    let attachments: Vec<String> = messages.iter().flat_map(attached).collect();
    if attachments.len() > 10 {
        return Err(invalid_params("too many attachments"));
    }
    let functions = schema::callable(&body)?;
    let format = &body["response_format"];
    Ok(Ask {
        model: model.to_owned(),
        attachments,
        streams: body["stream"] == true,
        built_ins: body["function_call"] == "auto" && body["functions"].is_null(),
        effort: body["reasoning_effort"].is_string(),
        prompt: Prompt {
            functions,
            schema: schema::of_format(format)?,
            max_output_tokens: body["max_tokens"].as_u64(),
            ..heard(messages)
        },
    })
}

fn check_numbers(body: &Value) -> Result<(), Refusal> {
    let number = |name: &str| match &body[name] {
        Value::Null => Ok(None),
        value => value
            .as_f64()
            .map(Some)
            .ok_or_else(|| invalid_params(&format!("{name} must be a number"))),
    };
    let above_zero = |name: &str| match number(name)? {
        Some(value) if value <= 0.0 => {
            Err(invalid_params(&format!("{name} must be greater than 0")))
        }
        _ => Ok(()),
    };
    above_zero("temperature")?;
    above_zero("repetition_penalty")?;
    above_zero("max_tokens")?;
    match number("top_p")? {
        Some(value) if !(0.0..=1.0).contains(&value) => {
            Err(invalid_params("top_p must be between 0 and 1"))
        }
        _ => Ok(()),
    }
}

fn check_message(index: usize, message: &Value) -> Result<(), Refusal> {
    let wrong = |text: &str| Err(invalid_params(&format!("messages.[{index}]: {text}")));
    if let Some(name) = FOREIGN_OF_MESSAGES
        .iter()
        .find(|name| !message[**name].is_null())
    {
        return wrong(&format!("unknown field {name}"));
    }
    let role = message["role"].as_str().unwrap_or_default();
    let Some(content) = message["content"].as_str() else {
        return wrong("content must be a string");
    };
    match role {
        "system" if index > 0 => {
            return Err(super::faults::named("422"));
        }
        "function" => {
            let result = serde_json::from_str::<Value>(content);
            if !result.is_ok_and(|result| result.is_object()) {
                return wrong("content of a function result must be a JSON object");
            }
            if !message["name"].is_string() {
                return wrong("name of a function result is required");
            }
        }
        _ if !ROLES.contains(&role) => return wrong(&format!("unknown role {role:?}")),
        _ => {}
    }
    let call = &message["function_call"];
    let is_call = call["name"].is_string() && call["arguments"].is_object();
    if !call.is_null() && !is_call {
        return wrong("function_call must have a name and an object of arguments");
    }
    match &message["attachments"] {
        Value::Null => Ok(()),
        Value::Array(list) if list.len() <= 1 && list.iter().all(Value::is_string) => Ok(()),
        _ => wrong("at most one attachment, by its id, is allowed"),
    }
}

fn attached(message: &Value) -> Vec<String> {
    let list = message["attachments"].as_array().into_iter().flatten();
    list.filter_map(|id| id.as_str().map(ToOwned::to_owned))
        .collect()
}

fn heard(messages: &[Value]) -> Prompt {
    let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
    let words: String = messages.iter().map(text).collect();
    let is_system = |message: &&Value| message["role"] == "system";
    let last = messages.last();
    let result = last.filter(|m| m["role"] == "function").map(|message| {
        let name = message["name"].as_str().unwrap_or_default().to_owned();
        (
            name,
            serde_json::from_str(&text(message)).unwrap_or_default(),
        )
    });
    Prompt {
        text: last
            .filter(|_| result.is_none())
            .map(text)
            .unwrap_or_default(),
        turns: messages.iter().filter(|m| !is_system(m)).count(),
        system: messages.iter().filter(is_system).map(text).collect(),
        function_result: result,
        tokens: tokens(&words),
        ..Prompt::default()
    }
}
