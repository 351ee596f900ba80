//! What a choice is made of, in a document and in an event alike: why it ended, and the call that it makes.

use serde_json::{Value, json};

use super::Object;
use crate::gigachat::asked::Calls;
use crate::gigachat::{Asked, call_id};

/// Why a choice ended, in GigaChat's words; those it does not have are an ordinary end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    Stop,
    Length,
    FunctionCall,
    /// The topic is not spoken of; the text says so.
    Blacklist,
    /// The arguments of a call are no good: there is no call.
    Error,
}

impl Finish {
    pub(super) fn of(reason: &str) -> Self {
        match reason {
            "length" => Self::Length,
            "function_call" => Self::FunctionCall,
            "blacklist" => Self::Blacklist,
            "error" => Self::Error,
            _ => Self::Stop,
        }
    }

    /// OpenAI's word for it, in an answer that `has_call`.
    pub(super) fn reason(self, calls: Calls, has_call: bool) -> &'static str {
        match (self, calls) {
            (Self::Length, _) => "length",
            (Self::Blacklist, _) => "content_filter",
            (Self::Stop | Self::FunctionCall | Self::Error, _) if !has_call => "stop",
            (_, Calls::Tools) => "tool_calls",
            (_, Calls::Functions) => "function_call",
        }
    }
}

/// Puts the call that a message makes into the caller's terms; `ordinal` counts the calls of the answer.
///
/// Gives whether there is one. A call without a name is none.
pub(super) fn translate_call(message: &mut Object, asked: &Asked, ordinal: u32) -> bool {
    let Some(call) = message.shift_remove("function_call") else {
        return false;
    };
    let Some(name) = call.get("name").and_then(Value::as_str) else {
        return false;
    };
    let function = json!({
        "name": asked.name(name),
        "arguments": arguments(call.get("arguments")),
    });
    if asked.calls == Calls::Functions {
        message.insert("function_call".to_owned(), function);
        return true;
    }
    let state = message.get("functions_state_id").and_then(Value::as_str);
    let id = call_id::write(state, &asked.id, ordinal);
    let call = json!({"id": id, "type": "function", "function": function});
    message.insert("tool_calls".to_owned(), json!([call]));
    true
}

/// GigaChat's arguments are an object, OpenAI's the text of one.
fn arguments(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}
