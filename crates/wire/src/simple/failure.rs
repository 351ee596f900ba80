//! Errors of the simple dialect: the codes of `/gemini-proxy` and their statuses, what each failure is told as, and the
//! bodies in both shapes. What happened is decided elsewhere and comes here as a status and a class.

use domain::Class;
use serde_json::{Value, json};

/// A code of `/gemini-proxy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A key is missing or wrong, or may not do this.
    Auth,
    /// The request is wrong.
    Validation,
    /// There is no such model.
    ModelNotFound,
    /// A limit or a quota is used up.
    Quota,
    /// The prompt or the answer was held back.
    SafetyBlocked,
    /// No answer came in time.
    Timeout,
    /// The provider failed, or has no key that could be used.
    Upstream,
    /// keymux failed.
    Internal,
}

impl Code {
    /// As callers read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "AUTH_ERROR",
            Self::Validation => "VALIDATION_ERROR",
            Self::ModelNotFound => "MODEL_NOT_FOUND",
            Self::Quota => "QUOTA_ERROR",
            Self::SafetyBlocked => "SAFETY_BLOCKED",
            Self::Timeout => "TIMEOUT_ERROR",
            Self::Upstream => "UPSTREAM_ERROR",
            Self::Internal => "INTERNAL_ERROR",
        }
    }

    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Auth => 401,
            Self::Validation => 400,
            Self::ModelNotFound => 404,
            Self::Quota => 429,
            Self::SafetyBlocked => 422,
            Self::Timeout => 504,
            Self::Upstream => 502,
            Self::Internal => 500,
        }
    }
}

/// What a failure is told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code.
    pub code: Code,
    /// The HTTP status: the code's own, but where HTTP has a better one for the message itself (405, 408, 413), for what
    /// the caller may not do (403), and where it is to come back (503).
    pub status: u16,
}

impl Failure {
    /// A failure by what happened and the status that other dialects tell it with.
    pub const fn of(status: u16, class: Class) -> Self {
        let code = Self::code(status, class);
        let status = match (class, status) {
            (Class::Refused, 403 | 503) | (Class::BadRequest, 405 | 408 | 413) => status,
            _ => code.status(),
        };
        Self { code, status }
    }

    const fn code(status: u16, class: Class) -> Code {
        match (class, status) {
            (Class::RateLimited | Class::QuotaDaily | Class::ToolQuota, _)
            | (Class::Refused, 429)
            | (Class::Billing, 402) => Code::Quota,
            // Too few keys are usable for callers who have no client key.
            (Class::Refused, 503) => Code::Upstream,
            // The provider refuses the key that the caller gave; for a key of the pool it would be a 503.
            (Class::KeyInvalid | Class::KeyRestricted | Class::AcctSuspended, 401)
            | (Class::Refused, _) => Code::Auth,
            (Class::BadRequest, 404) | (Class::ModelUnavailable, _) => Code::ModelNotFound,
            (Class::BadRequest, _) => Code::Validation,
            (Class::Blocked, _) => Code::SafetyBlocked,
            (Class::Timeout, _) => Code::Timeout,
            (Class::GatewayBug, _) => Code::Internal,
            _ => Code::Upstream,
        }
    }

    /// The status below `/api/v1`, where a wrong request has the status that it was found with.
    pub const fn detail_status(status: u16, class: Class) -> u16 {
        match class {
            Class::BadRequest | Class::Refused => status,
            _ => Self::of(status, class).status,
        }
    }
}

/// `{"result":"Failed","errors":[{"code","message"}]}`
pub fn failed(code: Code, message: &str) -> Vec<u8> {
    let error = json!({"code": code.name(), "message": message});
    json!({"result": "Failed", "errors": [error]})
        .to_string()
        .into_bytes()
}

/// `{"detail":"…"}`
pub fn detail(message: &str) -> Vec<u8> {
    json!({"detail": message}).to_string().into_bytes()
}

/// What is wrong with a request's value: `{"detail":[{"loc":["body","history",2,"role"],"msg","type"}]}`, as `FastAPI`
/// has it. `at` is the way to the value with points between, without `body`; empty for the body itself.
pub fn invalid(at: &str, kind: &str, message: &str) -> Vec<u8> {
    let steps = at.split('.').filter(|step| !step.is_empty());
    let steps = steps.map(|step| {
        let number = step.parse::<u32>().map(Value::from);
        number.unwrap_or_else(|_| Value::from(step))
    });
    let location: Vec<Value> = std::iter::once("body".into()).chain(steps).collect();
    let error = json!({"loc": location, "msg": message, "type": kind});
    json!({"detail": [error]}).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, class: Class, expected: (&str, u16, u16)) {
        let failure = Failure::of(status, class);
        let found = (
            failure.code.name(),
            failure.status,
            Failure::detail_status(status, class),
        );
        assert_eq!(found, expected, "{status} {class:?}");
    }

    #[test]
    fn every_code_has_its_status() {
        let all = [
            Code::Auth,
            Code::Validation,
            Code::ModelNotFound,
            Code::Quota,
            Code::SafetyBlocked,
            Code::Timeout,
            Code::Upstream,
            Code::Internal,
        ];
        let table: Vec<_> = all
            .iter()
            .map(|code| (code.name(), code.status()))
            .collect();
        let expected = [
            ("AUTH_ERROR", 401),
            ("VALIDATION_ERROR", 400),
            ("MODEL_NOT_FOUND", 404),
            ("QUOTA_ERROR", 429),
            ("SAFETY_BLOCKED", 422),
            ("TIMEOUT_ERROR", 504),
            ("UPSTREAM_ERROR", 502),
            ("INTERNAL_ERROR", 500),
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn each_failure_is_told_as_what_it_is() {
        for (status, class, expected) in [
            (401, Class::Refused, ("AUTH_ERROR", 401, 401)),
            (403, Class::Refused, ("AUTH_ERROR", 403, 403)),
            (429, Class::Refused, ("QUOTA_ERROR", 429, 429)),
            (503, Class::Refused, ("UPSTREAM_ERROR", 503, 503)),
            (422, Class::BadRequest, ("VALIDATION_ERROR", 400, 422)),
            (400, Class::BadRequest, ("VALIDATION_ERROR", 400, 400)),
            (405, Class::BadRequest, ("VALIDATION_ERROR", 405, 405)),
            (408, Class::BadRequest, ("VALIDATION_ERROR", 408, 408)),
            (413, Class::BadRequest, ("VALIDATION_ERROR", 413, 413)),
            (404, Class::BadRequest, ("MODEL_NOT_FOUND", 404, 404)),
            (403, Class::ModelUnavailable, ("MODEL_NOT_FOUND", 404, 404)),
            (503, Class::RateLimited, ("QUOTA_ERROR", 429, 429)),
            (429, Class::QuotaDaily, ("QUOTA_ERROR", 429, 429)),
            (429, Class::ToolQuota, ("QUOTA_ERROR", 429, 429)),
            (200, Class::Blocked, ("SAFETY_BLOCKED", 422, 422)),
            (504, Class::Timeout, ("TIMEOUT_ERROR", 504, 504)),
            (503, Class::KeyInvalid, ("UPSTREAM_ERROR", 502, 502)),
            (429, Class::Billing, ("UPSTREAM_ERROR", 502, 502)),
            (503, Class::Overloaded, ("UPSTREAM_ERROR", 502, 502)),
            (500, Class::ServerError, ("UPSTREAM_ERROR", 502, 502)),
            (503, Class::Network, ("UPSTREAM_ERROR", 502, 502)),
            (400, Class::Region, ("UPSTREAM_ERROR", 502, 502)),
            (200, Class::EmptyAnswer, ("UPSTREAM_ERROR", 502, 502)),
            (200, Class::Truncated, ("UPSTREAM_ERROR", 502, 502)),
            (503, Class::GatewayBug, ("INTERNAL_ERROR", 500, 500)),
            (401, Class::KeyInvalid, ("AUTH_ERROR", 401, 401)),
            (401, Class::AcctSuspended, ("AUTH_ERROR", 401, 401)),
            (402, Class::Billing, ("QUOTA_ERROR", 429, 429)),
        ] {
            check(status, class, expected);
        }
    }

    #[test]
    fn bodies_are_of_their_shape() {
        let text = |body: Vec<u8>| String::from_utf8(body).unwrap();
        assert_eq!(
            text(failed(Code::Quota, "too \"many\"")),
            r#"{"result":"Failed","errors":[{"code":"QUOTA_ERROR","message":"too \"many\""}]}"#
        );
        assert_eq!(text(detail("gone")), r#"{"detail":"gone"}"#);
        assert_eq!(
            text(invalid("history.2.role", "literal_error", "no role")),
            r#"{"detail":[{"loc":["body","history",2,"role"],"msg":"no role","type":"literal_error"}]}"#
        );
        assert_eq!(
            text(invalid("", "json_invalid", "no JSON")),
            r#"{"detail":[{"loc":["body"],"msg":"no JSON","type":"json_invalid"}]}"#
        );
    }
}
