//! What can be wrong with a request of OpenAI's dialect, and how each flavour says so.

use http::StatusCode;
use serde_json::{Value, json};

use super::Flavour;
use crate::refusal::Refusal;

/// A mistake of the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The body is not JSON.
    Json(String),
    /// A member is missing; its path.
    Missing(String),
    /// A member has another type than `expected`; its path.
    Type {
        at: String,
        expected: &'static str,
        got: String,
    },
    /// A member has the right type and a wrong value; `code` is OpenAI's word for it.
    Value {
        at: String,
        message: String,
        code: &'static str,
    },
    /// No such model.
    Model(String),
}

impl Wrong {
    pub(crate) fn value(at: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Value {
            at: at.to_owned(),
            message: message.into(),
            code,
        }
    }

    pub(crate) fn kind(at: &str, expected: &'static str, got: &Value) -> Self {
        Self::Type {
            at: at.to_owned(),
            expected,
            got: described(got),
        }
    }

    pub(crate) fn missing(at: &str) -> Self {
        Self::Missing(at.to_owned())
    }

    /// The refusal in a flavour's words.
    pub(crate) fn refusal(&self, flavour: Flavour) -> Refusal {
        match flavour {
            Flavour::OpenAi => self.openai(),
            Flavour::Xai => self.xai(),
            Flavour::Google => self.google(),
        }
    }

    fn openai(&self) -> Refusal {
        let (message, at, code) = match self {
            Self::Json(_) => (
                "We could not parse the JSON body of your request. (HINT: This likely means you \
                 aren't using your HTTP library correctly.)"
                    .to_owned(),
                None,
                None,
            ),
            Self::Missing(at) => (
                format!("Missing required parameter: '{at}'."),
                Some(at),
                Some("missing_required_parameter"),
            ),
            Self::Type { at, expected, got } => (
                format!("Invalid type for '{at}': expected {expected}, but got {got} instead."),
                Some(at),
                Some("invalid_type"),
            ),
            Self::Value { at, message, code } => (message.clone(), Some(at), Some(*code)),
            Self::Model(model) => {
                return Refusal::fixture("openai/errors/404_model.json").with("foo", model);
            }
        };
        invalid_request(
            StatusCode::BAD_REQUEST,
            &message,
            at.map(String::as_str),
            code,
        )
    }

    fn xai(&self) -> Refusal {
        let target = "Failed to deserialize the JSON body into the target type: ";
        let unprocessable = |text: String| {
            Refusal::text(StatusCode::UNPROCESSABLE_ENTITY, &format!("{target}{text}"))
        };
        match self {
            Self::Json(error) => Refusal::text(
                StatusCode::BAD_REQUEST,
                &format!("Failed to parse the request body as JSON: {error}"),
            ),
            Self::Missing(at) => unprocessable(format!("missing field `{at}` at line 1 column 2")),
            Self::Type { at, expected, got } => unprocessable(format!(
                "{at}: invalid type: {got}, expected {expected} at line 1 column 2"
            )),
            Self::Value { message, .. } => {
                native(StatusCode::BAD_REQUEST, "invalid-argument", message)
            }
            Self::Model(model) => {
                Refusal::fixture("xai/errors/404_model.json").with("grok-9", model)
            }
        }
    }

    fn google(&self) -> Refusal {
        match self {
            Self::Json(_) => Refusal::bad_payload(
                "Invalid JSON payload received. Parsing terminated before end of input.",
                "",
            ),
            Self::Missing(at) => Refusal::invalid(&format!("{at} is not specified")),
            Self::Type { at, got, .. } => {
                let message = format!("Invalid value at '{at}' ({got})");
                Refusal::bad_payload(&message, at)
            }
            Self::Value { message, .. } => Refusal::invalid(message),
            Self::Model(model) => Refusal::invalid(&format!("unexpected model {model}")),
        }
    }
}

/// OpenAI's `invalid_request_error`.
pub(crate) fn invalid_request(
    status: StatusCode,
    message: &str,
    at: Option<&str>,
    code: Option<&str>,
) -> Refusal {
    let error = json!({
        "message": message,
        "type": "invalid_request_error",
        "param": at,
        "code": code,
    });
    Refusal::json(status, &json!({"error": error}))
}

/// xAI's own error shape.
pub(crate) fn native(status: StatusCode, code: &str, message: &str) -> Refusal {
    Refusal::json(status, &json!({"code": code, "error": message}))
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => format!("boolean `{flag}`"),
        Value::Number(number) => format!("number `{number}`"),
        Value::String(text) => format!("string \"{}\"", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a sequence".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}
