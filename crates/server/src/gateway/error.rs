//! An answer of our own that is a failure. Whose fault it is and what the caller may know are fields, set where it
//! happens; here they become a response in the caller's dialect, and one line in the log.

use std::borrow::Cow;
use std::time::Duration;

use domain::Class;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};
use wire::gemini::error::{ErrorBody, Shape};
use wire::simple::{self, Failure};

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
    /// That of `/gemini-proxy`.
    Proxy,
    /// `{"detail": …}`, as below `/api/v1`.
    Detail,
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
    pub(crate) code: Option<Cow<'static, str>>,
    /// The member of the request at fault, where the dialect has room for it.
    pub(crate) param: Option<Box<str>>,
    /// What else a provider of OpenAI's kind has said of it.
    pub(crate) more: Option<Box<Map<String, Value>>>,
}

/// What an error is called in Anthropic's dialect. Source: Claude API reference, "Errors".
fn anthropic_type(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::NOT_FOUND => "not_found_error",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        StatusCode::SERVICE_UNAVAILABLE => "overloaded_error",
        status if status.is_client_error() => "invalid_request_error",
        _ => "api_error",
    }
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
            param: None,
            more: None,
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

    pub(crate) fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn param(self, param: &str) -> Self {
        self.maybe_param(Some(param))
    }

    pub(crate) fn maybe_param(mut self, param: Option<&str>) -> Self {
        self.param = param.map(Box::from);
        self
    }

    /// Its status in the caller's dialect.
    pub(crate) fn status_in(&self, shape: ErrorShape) -> StatusCode {
        let status = self.status.as_u16();
        let told = match shape {
            ErrorShape::Proxy => Failure::of(status, self.class).status,
            ErrorShape::Detail => Failure::detail_status(status, self.class),
            ErrorShape::Gemini(_) | ErrorShape::OpenAi | ErrorShape::Anthropic => status,
        };
        StatusCode::from_u16(told).unwrap_or(self.status)
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
                let body = wire::openai::error::ErrorBody::new(self.status.as_u16(), &self.public);
                let body = body.param(self.param.as_deref()).more(self.more.as_deref());
                match self.code.as_deref() {
                    Some(code) => body.code(code).to_json(),
                    None => body.to_json(),
                }
            }
            ErrorShape::Proxy => {
                let failure = Failure::of(self.status.as_u16(), self.class);
                simple::failed(failure.code, &self.public)
            }
            ErrorShape::Detail => self.detail(),
            ErrorShape::Anthropic => {
                let kind = anthropic_type(self.status);
                let error = serde_json::json!({"type": kind, "message": self.public});
                serde_json::json!({"type": "error", "error": error})
                    .to_string()
                    .into_bytes()
            }
        }
    }

    /// A wrong value is pointed at; everything else is a sentence.
    fn detail(&self) -> Vec<u8> {
        match &self.param {
            Some(at) if self.status == StatusCode::UNPROCESSABLE_ENTITY => {
                let kind = self.code.as_deref().unwrap_or("value_error");
                simple::invalid(at, kind, &self.public)
            }
            _ => simple::detail(&self.public),
        }
    }

    /// The error as a response.
    pub(crate) fn to_response(&self, shape: ErrorShape) -> Response<Body> {
        let mut response = Response::new(Body::full(self.body(shape)));
        *response.status_mut() = self.status_in(shape);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        if shape == ErrorShape::OpenAi && self.is_lasting() {
            // OpenAI's clients try most failures again by themselves.
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        if let Some(after) = self.retry_after {
            // Whole seconds, rounded up: a caller that comes back to the second must not be early.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }

    /// Coming back soon would find the same.
    fn is_lasting(&self) -> bool {
        let is_spent = self.code.as_deref() == Some("insufficient_quota");
        is_spent
            || matches!(
                self.class,
                Class::KeyInvalid | Class::Billing | Class::QuotaDaily
            )
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
