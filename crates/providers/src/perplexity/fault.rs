//! What Perplexity says went wrong, in any of its shapes, and how a caller of OpenAI's dialect is told.
//! Reading is forgiving: a body that is no error of Perplexity's is a fault without words.

use serde::Deserialize;
use serde_json::Value;
use wire::openai::error::ErrorBody;

/// The type of a failure that has none: the provider's own fault, as OpenAI's clients know it.
const SERVER_ERROR: &str = "server_error";

/// An error object. What it lacks is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    /// The name of the error (`type`), for example `invalid_api_key`.
    pub(super) kind: String,
    /// A name or a number, as text.
    pub(super) code: String,
    /// The body was JSON.
    pub(super) is_json: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    error: Value,
    /// What its framework answers before the API itself has a say.
    detail: Value,
}

impl Fault {
    /// The fault of an answer with an error status.
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Body>(body) else {
            return Self::default();
        };
        match (&body.error, &body.detail) {
            (Value::Null, Value::Null) => Self::from(&Value::Null),
            (Value::Null, detail) => Self {
                message: detail_text(detail),
                is_json: true,
                ..Self::default()
            },
            (error, _) => Self::from(error),
        }
    }

    /// The fault of an error object without its wrapper.
    pub(super) fn read_object(object: &[u8]) -> Self {
        let error = serde_json::from_slice::<Value>(object);
        error.as_ref().map(Self::from).unwrap_or_default()
    }

    /// A failure that keymux found.
    pub(super) fn found(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: SERVER_ERROR.to_owned(),
            ..Self::default()
        }
    }

    /// The error object of an answer that failed, whatever its type says.
    pub(super) fn of_answer(error: &Value, status: &str) -> Self {
        match error {
            Value::Null => Self::found(format!("the provider's answer is {status}")),
            error => Self::from(error),
        }
    }

    /// `{"error": {…}}` in OpenAI's shape.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let given = |text: &'_ str, default| {
            if text.is_empty() {
                default
            } else {
                text.to_owned()
            }
        };
        let kind = given(&self.kind, SERVER_ERROR.to_owned());
        let message = given(
            &self.message,
            "the provider failed without saying why".into(),
        );
        let error = ErrorBody {
            message: &message,
            kind: &kind,
            param: None,
            code: (!self.code.is_empty()).then_some(&self.code),
            more: None,
        };
        error.to_json()
    }
}

impl From<&Value> for Fault {
    fn from(error: &Value) -> Self {
        let text = |name: &str| match error.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        Self {
            message: error
                .as_str()
                .map_or_else(|| text("message"), str::to_owned),
            kind: text("type"),
            code: text("code"),
            is_json: true,
        }
    }
}

/// `"…"`, or `[{"loc":[…],"msg","type"}]`.
fn detail_text(detail: &Value) -> String {
    let said = |entry: &Value| entry.get("msg").and_then(Value::as_str).map(str::to_owned);
    match detail {
        Value::String(text) => text.clone(),
        Value::Array(entries) => {
            let said: Vec<_> = entries.iter().filter_map(said).collect();
            said.join("; ")
        }
        _ => String::new(),
    }
}
