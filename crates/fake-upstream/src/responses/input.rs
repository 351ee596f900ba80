//! The input of a Responses request: a text, or items. Calls and their results must belong together.

use serde_json::Value;

use crate::dialect::media;
use crate::dialect::messages::Heard;
use crate::dialect::wrong::Wrong;
use crate::prompt::{FILE_TOKENS, Prompt};
use crate::voice::tokens;

/// Whether a message item may leave out its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Items {
    /// `{role, content}` is a message.
    Loose,
    /// Every item says what it is.
    Typed,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Reading {
    system: Vec<String>,
    text: String,
    words: String,
    turns: usize,
    media: Vec<String>,
    /// Id and name of each call.
    calls: Vec<(String, String)>,
    /// Results since the last message.
    results: Vec<(String, Value)>,
}

/// Reads `input` and `instructions` of a body.
pub(crate) fn read(body: &Value, kind: Items) -> Result<Heard, Wrong> {
    let mut reading = Reading::default();
    reading
        .system
        .extend(body["instructions"].as_str().map(ToOwned::to_owned));
    match &body["input"] {
        Value::Null => return Err(Wrong::missing("input")),
        Value::String(text) => reading.message("user", text.clone()),
        Value::Array(items) if items.is_empty() => {
            return Err(Wrong::value(
                "input",
                "empty_array",
                "Invalid 'input': empty array.",
            ));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                reading.item(item, &format!("input[{index}]"), kind)?;
            }
        }
        other => return Err(Wrong::kind("input", "a string or an array of items", other)),
    }
    Ok(reading.heard())
}

impl Reading {
    fn item(&mut self, item: &Value, at: &str, kind: Items) -> Result<(), Wrong> {
        let named = item["type"].as_str();
        match named.or((kind == Items::Loose).then_some("message")) {
            Some("message") => {
                let role = item["role"].as_str();
                let role = role.ok_or_else(|| Wrong::missing(&format!("{at}.role")))?;
                let text = self.content(&item["content"], &format!("{at}.content"))?;
                self.message(role, text);
                Ok(())
            }
            Some("function_call") => self.call(item, at),
            Some("function_call_output") => self.result(item, at),
            Some("reasoning" | "item_reference") => Ok(()),
            Some(other) => {
                let message = format!("unknown discriminator value: {other}");
                Err(Wrong::value(
                    &format!("{at}.type"),
                    "invalid_value",
                    message,
                ))
            }
            None => Err(Wrong::missing(&format!("{at}.type"))),
        }
    }

    fn message(&mut self, role: &str, text: String) {
        self.words.push_str(&text);
        if role == "system" || role == "developer" {
            self.system.push(text);
            return;
        }
        self.turns += 1;
        self.text = text;
        self.results.clear();
    }

    fn content(&mut self, content: &Value, at: &str) -> Result<String, Wrong> {
        let parts = match content {
            Value::String(text) => return Ok(text.clone()),
            Value::Array(parts) => parts,
            Value::Null => return Err(Wrong::missing(at)),
            other => return Err(Wrong::kind(at, "a string or an array of parts", other)),
        };
        let mut text = String::new();
        for part in parts {
            match part["type"].as_str().unwrap_or_default() {
                "input_text" | "output_text" | "text" => {
                    text.push_str(part["text"].as_str().ok_or_else(|| Wrong::missing(at))?);
                }
                "input_image" => self.media.push(image(part, at)?),
                "input_file" => self.media.push("There is a file.".to_owned()),
                "refusal" => {}
                other => {
                    let message = format!("unknown discriminator value: {other}");
                    return Err(Wrong::value(at, "invalid_value", message));
                }
            }
        }
        Ok(text)
    }

    fn call(&mut self, item: &Value, at: &str) -> Result<(), Wrong> {
        let member = |name: &str| {
            let text = item[name].as_str().map(ToOwned::to_owned);
            text.ok_or_else(|| Wrong::missing(&format!("{at}.{name}")))
        };
        let (id, name) = (member("call_id")?, member("name")?);
        member("arguments")?;
        self.turns += 1;
        self.calls.push((id, name));
        Ok(())
    }

    fn result(&mut self, item: &Value, at: &str) -> Result<(), Wrong> {
        let id = item["call_id"].as_str();
        let id = id.ok_or_else(|| Wrong::missing(&format!("{at}.call_id")))?;
        let Some((_, name)) = self.calls.iter().find(|(known, _)| known == id) else {
            let message = format!("No tool call found for function call output with call_id {id}.");
            return Err(Wrong::value(at, "invalid_value", message));
        };
        let output = match &item["output"] {
            Value::String(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            Value::Array(parts) => Value::Array(parts.clone()),
            other => return Err(Wrong::kind(&format!("{at}.output"), "a string", other)),
        };
        self.turns += 1;
        self.results.push((name.clone(), output));
        Ok(())
    }

    fn heard(mut self) -> Heard {
        let said = |(name, result)| format!("The function {name} returned {result}.");
        let answers_call = !self.results.is_empty();
        let first = answers_call.then(|| self.results.remove(0));
        let system = self.system.join("\n");
        let prompt = Prompt {
            text: if answers_call {
                String::new()
            } else {
                self.text
            },
            turns: self.turns,
            tokens: tokens(&self.words) + FILE_TOKENS * self.media.len() as u64,
            system,
            function_result: first,
            ..Prompt::default()
        };
        let notes = self
            .results
            .into_iter()
            .map(said)
            .chain(self.media)
            .collect();
        Heard { prompt, notes }
    }
}

fn image(part: &Value, at: &str) -> Result<String, Wrong> {
    let url = part["image_url"].as_str();
    let url = url.ok_or_else(|| Wrong::missing(&format!("{at}.image_url")))?;
    if url.starts_with("https://") {
        return Ok(format!("The image is at {url}."));
    }
    let (mime, bytes) = media::data_uri(url)
        .ok_or_else(|| Wrong::value(at, "invalid_base64", "Invalid base64 image_url."))?;
    Ok(format!("The image is {mime} of {} bytes.", bytes.len()))
}
