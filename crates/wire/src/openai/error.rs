//! Errors of our own in OpenAI's shape.

use serde::Serialize;

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
}

impl<'a> ErrorBody<'a> {
    /// An error with nothing but its text and the type that goes with its HTTP status.
    pub fn new(http_status: u16, message: &'a str) -> Self {
        Self {
            message,
            kind: type_of(http_status),
            param: None,
            code: None,
        }
    }

    /// `{"error":{…}}`
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::json!({"error": self}).to_string().into_bytes()
    }
}

/// The error type that OpenAI sends with an HTTP status.
pub const fn type_of(http_status: u16) -> &'static str {
    match http_status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_fields_are_null() {
        let error = ErrorBody {
            code: Some("model_not_found"),
            ..ErrorBody::new(404, "the model \"x\" does not exist")
        };
        let body: serde_json::Value = serde_json::from_slice(&error.to_json()).unwrap();
        let expected = serde_json::json!({"error": {
            "message": "the model \"x\" does not exist",
            "type": "not_found_error",
            "param": null,
            "code": "model_not_found",
        }});
        assert_eq!(body, expected);
    }
}
