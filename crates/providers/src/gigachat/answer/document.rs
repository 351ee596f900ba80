//! One document, read whole before it is translated: its parts need each other.

use serde_json::{Value, json};

use super::choice::{Finish, translate_call};
use super::failure::Failure;
use super::{Object, head, usage};
use crate::Translate;
use crate::gigachat::Asked;

/// The largest chat that is taken, in bytes: more than any model writes at once.
const LARGEST: usize = 16 * 1024 * 1024;

/// A body that is gathered up to a size.
#[derive(Debug)]
pub(in crate::gigachat) struct Collected {
    body: Vec<u8>,
    largest: usize,
    is_too_large: bool,
}

impl Collected {
    pub(in crate::gigachat) fn new(largest: usize) -> Self {
        Self {
            body: Vec::new(),
            largest,
            is_too_large: false,
        }
    }

    pub(in crate::gigachat) fn push(&mut self, chunk: &[u8]) {
        if self.is_too_large || chunk.len() > self.largest - self.body.len() {
            self.is_too_large = true;
            self.body = Vec::new();
        } else {
            self.body.extend_from_slice(chunk);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty() && !self.is_too_large
    }

    /// Whether it is these bytes, white space around them aside.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        self.body.trim_ascii() == bytes
    }

    pub(super) fn clear(&mut self) {
        self.body.clear();
    }

    /// Reads what was gathered, and begins anew.
    pub(in crate::gigachat) fn read<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if std::mem::take(&mut self.is_too_large) {
            let text = format!(
                "the provider's answer is larger than {} bytes",
                self.largest
            );
            return Err(Failure::not_understood(&text));
        }
        let read = read(&self.body);
        self.body.clear();
        read
    }

    /// The object that was gathered.
    pub(super) fn take(&mut self) -> Result<Object, Failure> {
        self.read(|body| {
            serde_json::from_slice(body)
                .map_err(|_| Failure::not_understood("the provider's answer is not a JSON object"))
        })
    }
}

/// The translator of a chat in one document.
#[derive(Debug)]
pub(super) struct Document {
    asked: Asked,
    body: Collected,
}

impl Document {
    pub(super) fn new(asked: Asked) -> Self {
        Self {
            asked,
            body: Collected::new(LARGEST),
        }
    }

    fn translate(&mut self) -> Result<Object, Failure> {
        let mut answer = self.body.take()?;
        let Some(Value::Array(choices)) = answer.shift_remove("choices") else {
            let told = Failure::told(&answer);
            return Err(told.unwrap_or_else(|| {
                Failure::not_understood("the provider's answer has no choices")
            }));
        };
        let mut translated = head(&self.asked, "chat.completion", &mut answer);
        let choices = choices.into_iter().zip(0..);
        let choices = choices.filter_map(|(choice, at)| translate_choice(choice, at, &self.asked));
        translated.insert("choices".to_owned(), choices.collect());
        if let Some(usage) = answer
            .shift_remove("usage")
            .and_then(|usage| usage::translate(&usage))
        {
            translated.insert("usage".to_owned(), usage);
        }
        for (name, value) in answer {
            translated.entry(name).or_insert(value);
        }
        Ok(translated)
    }
}

impl Translate for Document {
    fn push(&mut self, chunk: &[u8], _out: &mut Vec<u8>) {
        self.body.push(chunk);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self.translate() {
            Ok(answer) => out.extend(Value::Object(answer).to_string().into_bytes()),
            Err(failure) => out.extend(failure.to_json()),
        }
    }
}

fn translate_choice(choice: Value, at: u32, asked: &Asked) -> Option<Value> {
    let Value::Object(mut choice) = choice else {
        return None;
    };
    let mut message = match choice.shift_remove("message") {
        Some(Value::Object(message)) => message,
        _ => Object::new(),
    };
    let finish = choice.get("finish_reason").and_then(Value::as_str);
    let finish = Finish::of(finish.unwrap_or("stop"));
    if finish == Finish::Error {
        message.shift_remove("function_call");
    }
    let has_call = translate_call(&mut message, asked, at);
    let says_nothing = message.get("content").is_none_or(|content| content == "");
    if has_call && says_nothing {
        message.insert("content".to_owned(), Value::Null);
    }
    message.insert("role".to_owned(), json!("assistant"));
    choice.insert("message".to_owned(), Value::Object(message));
    let reason = finish.reason(asked.calls, has_call);
    choice.insert("finish_reason".to_owned(), json!(reason));
    choice.entry("index").or_insert(json!(at));
    Some(Value::Object(choice))
}
