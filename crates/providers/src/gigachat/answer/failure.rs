//! Errors inside a success, `{"status": 429, "message": "…"}`, in OpenAI's shape; the status becomes its `code`.
//! `error.rs` judges what is written here.

use serde_json::{Value, json};
use wire::openai::error::type_of;

use super::Object;

/// The longest message that is passed on, in characters.
const LONGEST: usize = 2000;

/// What went wrong, in OpenAI's shape without a wrapper.
#[derive(Debug)]
pub(in crate::gigachat) struct Failure {
    message: String,
    status: Option<u16>,
}

impl Failure {
    /// The failure that an object without an answer in it tells; none where it tells of none.
    pub(in crate::gigachat) fn told(object: &Object) -> Option<Self> {
        let inner = match object.get("error") {
            Some(Value::Object(inner)) => inner,
            Some(Value::String(text)) => return Some(Self::new(text, status_of(object))),
            _ => object,
        };
        let message = inner.get("message").and_then(Value::as_str);
        let status = status_of(inner).or_else(|| status_of(object));
        if message.is_none() && status.is_none() {
            return None;
        }
        Some(Self::new(
            message.unwrap_or("the provider failed without a word"),
            status,
        ))
    }

    /// A failure to be understood at all.
    pub(in crate::gigachat) fn not_understood(message: &str) -> Self {
        Self::new(message, None)
    }

    fn new(message: &str, status: Option<u16>) -> Self {
        Self {
            message: message.chars().take(LONGEST).collect(),
            status,
        }
    }

    /// `{"error":{…}}`
    pub(in crate::gigachat) fn to_json(&self) -> Vec<u8> {
        let error = json!({"error": {
            "message": self.message,
            "type": type_of(self.status.unwrap_or(500)),
            "param": null,
            "code": self.status.map(|status| status.to_string()),
        }});
        error.to_string().into_bytes()
    }
}

fn status_of(object: &Object) -> Option<u16> {
    ["status", "code"].into_iter().find_map(|name| {
        let value = object.get(name)?;
        let number = value
            .as_u64()
            .or_else(|| value.as_str()?.parse::<u64>().ok())?;
        u16::try_from(number)
            .ok()
            .filter(|status| (300..600).contains(status))
    })
}
