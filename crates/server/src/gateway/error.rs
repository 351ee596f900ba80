//! An answer of our own that is a failure. Whose fault it is and what the caller may know are fields, set where it
//! happens; here they become a response in the caller's dialect, and one line in the log.

use std::time::Duration;

use domain::Class;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use wire::gemini::error::{ErrorBody, Shape};

use crate::http::Body;

/// The shape that a caller reads errors in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    /// Google's.
    Gemini(Shape),
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

/// A request that ends without an answer of the provider.
#[derive(Clone, Debug)]
pub(crate) struct GatewayError {
    pub(crate) status: StatusCode,
    /// What happened, for the record.
    pub(crate) class: Class,
    /// What the caller reads.
    pub(crate) public: String,
    /// What only the log says.
    pub(crate) private: Option<String>,
    /// When to come back.
    pub(crate) retry_after: Option<Duration>,
    /// A machine-readable code, where the dialect has room for one.
    pub(crate) code: Option<&'static str>,
}

impl GatewayError {
    /// The caller's fault.
    pub(crate) fn caller(status: StatusCode, public: impl Into<String>) -> Self {
        Self {
            status,
            class: Class::BadRequest,
            public: public.into(),
            private: None,
            retry_after: None,
            code: None,
        }
    }

    /// Not the caller's fault: `class` says whose.
    pub(crate) fn upstream(status: StatusCode, class: Class, public: impl Into<String>) -> Self {
        Self {
            class,
            ..Self::caller(status, public)
        }
    }

    pub(crate) fn private(mut self, text: impl Into<String>) -> Self {
        self.private = Some(text.into());
        self
    }

    pub(crate) fn retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after;
        self
    }

    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The error's body in the caller's dialect.
    pub(crate) fn body(&self, shape: ErrorShape) -> Vec<u8> {
        match shape {
            ErrorShape::Gemini(shape) => {
                let mut body = ErrorBody::new(self.status.as_u16(), &self.public);
                body.retry_delay = self.retry_after;
                body.to_json(shape)
            }
            ErrorShape::OpenAi => {
                let mut body =
                    wire::openai::error::ErrorBody::new(self.status.as_u16(), &self.public);
                body.code = self.code;
                body.to_json()
            }
            ErrorShape::Anthropic => {
                let error = serde_json::json!({"type": "not_found_error", "message": self.public});
                serde_json::json!({"type": "error", "error": error})
                    .to_string()
                    .into_bytes()
            }
        }
    }

    /// The error as a response.
    pub(crate) fn to_response(&self, shape: ErrorShape) -> Response<Body> {
        let mut response = Response::new(Body::full(self.body(shape)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        if let Some(after) = self.retry_after {
            // Whole seconds, rounded up: a caller that comes back to the second must not be early.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }

    /// One line for operators; a caller's mistake is none of their business unless they look closer.
    ///
    /// What the caller reads may quote the caller: as a field it stays on its line.
    pub(crate) fn log(&self, request: domain::RequestId) {
        let (status, class) = (self.status.as_u16(), self.class.name());
        let public = self.public.as_str();
        let private = self.private.as_deref().unwrap_or_default();
        if matches!(self.class, Class::BadRequest | Class::Refused) {
            tracing::debug!(request.id = %request, status, public, private, "request refused");
        } else {
            tracing::warn!(request.id = %request, status, class, public, private, "request failed");
        }
    }
}
