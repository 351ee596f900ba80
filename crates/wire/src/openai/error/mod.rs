//! Errors of OpenAI's shape and of those who speak its dialect: written here, read by `fault.rs`.
//! What an error means for a key is not decided here.

use serde::Serialize;
use serde_json::{Map, Value};

mod fault;

pub use fault::Fault;

/// The code of a spent budget. OpenAI's clients do not wait for it to pass.
const INSUFFICIENT_QUOTA: &str = "insufficient_quota";

/// An error to be sent; all four fields are always present, as OpenAI's own clients expect.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ErrorBody<'a> {
    /// One sentence for the caller.
    pub message: &'a str,
    /// For example `invalid_request_error`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The parameter at fault.
    pub param: Option<&'a str>,
    /// For example `model_not_found`.
    pub code: Option<&'a str>,
    /// Members besides.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub more: Option<&'a Map<String, Value>>,
}

impl<'a> ErrorBody<'a> {
    /// An error with nothing but its text and the type that goes with its HTTP status.
    pub fn new(http_status: u16, message: &'a str) -> Self {
        Self {
            message,
            kind: type_of(http_status),
            param: None,
            code: None,
            more: None,
        }
    }

    /// The same with members besides, whose names are none of the four.
    #[must_use]
    pub fn more(mut self, more: Option<&'a Map<String, Value>>) -> Self {
        self.more = more;
        self
    }

    /// The same with a code, and the type that goes with it.
    #[must_use]
    pub fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        if code == INSUFFICIENT_QUOTA {
            self.kind = INSUFFICIENT_QUOTA;
        }
        self
    }

    /// The same with the parameter at fault.
    #[must_use]
    pub fn param(mut self, param: Option<&'a str>) -> Self {
        self.param = param;
        self
    }

    /// `{"error":{…}}`
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::json!({"error": self}).to_string().into_bytes()
    }
}

/// The error type that OpenAI sends with an HTTP status. An unknown model or path is a request gone wrong like others;
/// its code says which.
pub const fn type_of(http_status: u16) -> &'static str {
    match http_status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &ErrorBody<'_>, expected: &Value) {
        let body: Value = serde_json::from_slice(&error.to_json()).unwrap();
        assert_eq!(body["error"], *expected);
    }

    #[test]
    fn absent_fields_are_null() {
        check(
            &ErrorBody::new(503, "busy"),
            &serde_json::json!({"message": "busy", "type": "server_error", "param": null, "code": null}),
        );
    }

    #[test]
    fn codes_and_parameters_are_told() {
        let error = ErrorBody::new(404, "the model \"x\" does not exist");
        check(
            &error.code("model_not_found").param(Some("model")),
            &serde_json::json!({
                "message": "the model \"x\" does not exist",
                "type": "invalid_request_error",
                "param": "model",
                "code": "model_not_found",
            }),
        );
    }

    #[test]
    fn types_are_those_that_openai_sends() {
        for (status, expected) in [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (403, "permission_error"),
            (404, "invalid_request_error"),
            (409, "invalid_request_error"),
            (422, "invalid_request_error"),
            (429, "rate_limit_error"),
            (500, "server_error"),
            (503, "server_error"),
        ] {
            assert_eq!(ErrorBody::new(status, "m").kind, expected, "{status}");
        }
        let spent = ErrorBody::new(429, "m").code("insufficient_quota");
        assert_eq!(spent.kind, "insufficient_quota");
    }
}
