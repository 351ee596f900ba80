//! The messages of a chat completion: checked as strictly as OpenAI does, and read into a prompt.

use serde_json::Value;

use super::wrong::Wrong;
use super::{Flavour, media};
use crate::prompt::{FILE_TOKENS, Prompt};
use crate::voice::tokens;

const ROLES: [&str; 6] = [
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
];

/// What was found in the messages.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) prompt: Prompt,
    /// Sentences on media and on all results but the first.
    pub(crate) notes: Vec<String>,
}

/// One message, read.
#[derive(Debug)]
struct Read<'a> {
    role: &'a str,
    text: String,
    notes: Vec<String>,
}

/// Reads the messages of a body.
pub(crate) fn read(body: &Value, flavour: Flavour) -> Result<Heard, Wrong> {
    let messages = body["messages"].as_array();
    let messages = messages.ok_or_else(|| Wrong::missing("messages"))?;
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, \
                       but got an empty array instead.";
        return Err(Wrong::value("messages", "empty_array", message));
    }
    let read = messages
        .iter()
        .enumerate()
        .map(|(index, message)| one(message, &format!("messages[{index}]"), flavour));
    let read = read.collect::<Result<Vec<_>, _>>()?;
    check_tool_calls(messages)?;
    Ok(heard(messages, &read))
}

fn one<'a>(message: &'a Value, at: &str, flavour: Flavour) -> Result<Read<'a>, Wrong> {
    if !message.is_object() {
        return Err(Wrong::kind(at, "an object", message));
    }
    let role = message["role"].as_str();
    let role = role.ok_or_else(|| Wrong::missing(&format!("{at}.role")))?;
    if !ROLES.contains(&role) {
        let message = format!(
            "Invalid value: '{role}'. Supported values are: {}.",
            quoted(&ROLES)
        );
        return Err(Wrong::value(
            &format!("{at}.role"),
            "invalid_value",
            message,
        ));
    }
    let at = format!("{at}.content");
    let (text, notes) = match &message["content"] {
        Value::String(text) => (text.clone(), Vec::new()),
        Value::Array(parts) => read_parts(parts, &at, flavour)?,
        Value::Null if role == "assistant" => (String::new(), Vec::new()),
        Value::Null => return Err(Wrong::missing(&at)),
        other => {
            return Err(Wrong::kind(
                &at,
                "one of a string or array of objects",
                other,
            ));
        }
    };
    Ok(Read { role, text, notes })
}

fn read_parts(parts: &[Value], at: &str, flavour: Flavour) -> Result<(String, Vec<String>), Wrong> {
    let (mut text, mut notes) = (String::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        let at = format!("{at}[{index}]");
        match part["type"].as_str() {
            Some("text") => match part["text"].as_str() {
                Some(piece) => text.push_str(piece),
                None => return Err(Wrong::missing(&format!("{at}.text"))),
            },
            Some("refusal") => {}
            Some("image_url") => notes.push(media::image(part, &at, flavour)?),
            Some("input_audio") => notes.push(media::audio(part, &at)?),
            Some("file") => notes.push(media::file(part, &at)?),
            Some(other) => {
                let message = format!(
                    "Invalid value: '{other}'. Supported values are: 'text', 'image_url', \
                     'input_audio', 'refusal', and 'file'."
                );
                return Err(Wrong::value(
                    &format!("{at}.type"),
                    "invalid_value",
                    message,
                ));
            }
            None => return Err(Wrong::missing(&format!("{at}.type"))),
        }
    }
    Ok((text, notes))
}

/// Results must answer calls of the assistant before them, and every call must be answered.
fn check_tool_calls(messages: &[Value]) -> Result<(), Wrong> {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str();
            let id = id.ok_or_else(|| Wrong::missing("messages.tool_call_id"))?;
            let Some(found) = open.iter().position(|known| *known == id) else {
                let text = "Invalid parameter: messages with role 'tool' must be a response to a \
                            preceeding message with 'tool_calls'.";
                return Err(Wrong::value("messages", "invalid_value", text));
            };
            open.remove(found);
            continue;
        }
        check_answered(&open)?;
        open = ids(message).collect();
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let arguments = &call["function"]["arguments"];
            if !arguments.is_string() {
                let at = "messages.tool_calls.function.arguments";
                return Err(Wrong::kind(at, "a string", arguments));
            }
        }
    }
    check_answered(&open)
}

fn check_answered(open: &[&str]) -> Result<(), Wrong> {
    if open.is_empty() {
        return Ok(());
    }
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to \
         each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    );
    Err(Wrong::value("messages", "invalid_value", message))
}

fn ids(message: &Value) -> impl Iterator<Item = &str> {
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    calls.filter_map(|call| call["id"].as_str())
}

fn heard(messages: &[Value], read: &[Read]) -> Heard {
    let is_system = |role: &str| role == "system" || role == "developer";
    let system: Vec<&str> = read
        .iter()
        .filter(|m| is_system(m.role))
        .map(|m| m.text.as_str())
        .collect();
    let mut results = results(messages, read);
    let last = read
        .last()
        .filter(|m| m.role != "tool" && m.role != "function");
    let media: Vec<String> = read.iter().flat_map(|m| m.notes.clone()).collect();
    let words: String = read.iter().map(|m| m.text.as_str()).collect();
    let said = |(name, result): (String, Value)| format!("The function {name} returned {result}.");
    let first = (!results.is_empty()).then(|| results.remove(0));
    let prompt = Prompt {
        text: last.map(|m| m.text.clone()).unwrap_or_default(),
        turns: read.iter().filter(|m| !is_system(m.role)).count(),
        system: system.join("\n"),
        function_result: first,
        tokens: tokens(&words) + FILE_TOKENS * media.len() as u64,
        ..Prompt::default()
    };
    let notes = results.into_iter().map(said).chain(media).collect();
    Heard { prompt, notes }
}

/// Name and result of every tool message at the end.
fn results(messages: &[Value], read: &[Read]) -> Vec<(String, Value)> {
    let at_end = read
        .iter()
        .rev()
        .take_while(|m| m.role == "tool" || m.role == "function");
    let first = messages.len() - at_end.count();
    let named = |id: &Value| {
        let calls = messages.iter().filter_map(|m| m["tool_calls"].as_array());
        calls
            .flatten()
            .find(|call| call["id"] == *id)
            .and_then(|call| call["function"]["name"].as_str())
    };
    let result = |(message, read): (&Value, &Read)| {
        let name = named(&message["tool_call_id"]).or_else(|| message["name"].as_str());
        let value =
            serde_json::from_str(&read.text).unwrap_or_else(|_| Value::String(read.text.clone()));
        (name.unwrap_or_default().to_owned(), value)
    };
    messages[first..]
        .iter()
        .zip(&read[first..])
        .map(result)
        .collect()
}

fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(", ")
}
