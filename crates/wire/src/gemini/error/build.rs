//! Errors of our own in Google's shape.

use std::time::Duration;

use serde_json::{Value, json};

/// An error to be sent.
#[derive(Clone, Copy, Debug)]
pub struct ErrorBody<'a> {
    /// The HTTP status, also where the answer's own status can no longer be changed.
    pub code: u16,
    /// The name of the `google.rpc.Code`; [`status_of`] knows the usual one.
    pub status: &'a str,
    /// One sentence for the caller.
    pub message: &'a str,
    /// When to come back: a `RetryInfo`.
    pub retry_delay: Option<Duration>,
    /// The quotas that are used up: a `QuotaFailure`, if any.
    pub quota: &'a [QuotaViolation<'a>],
}

/// A quota that is used up.
#[derive(Clone, Copy, Debug)]
pub struct QuotaViolation<'a> {
    /// For example `generativelanguage.googleapis.com/generate_content_free_tier_requests`.
    pub metric: &'a str,
    /// For example `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
    pub id: &'a str,
    /// The model that it counts.
    pub model: Option<&'a str>,
    /// Its value.
    pub value: Option<u64>,
}

/// What is around an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"error":{…}}`
    Object,
    /// `[{"error":{…}}]`, as a stream without `alt=sse` and Google's OpenAI endpoints send it.
    Array,
    /// `{"error":{"code":"…","message":"…"}}`, as the interactions API sends it.
    Interaction,
    /// The same as an event of an interaction's stream.
    InteractionEvent,
}

impl<'a> ErrorBody<'a> {
    /// An error without details.
    pub fn new(code: u16, message: &'a str) -> Self {
        Self {
            code,
            status: status_of(code),
            message,
            retry_delay: None,
            quota: &[],
        }
    }

    /// The body, on one line.
    pub fn to_json(&self, shape: Shape) -> Vec<u8> {
        let body = match shape {
            Shape::Object => json!({"error": self.status_object()}),
            Shape::Array => json!([{"error": self.status_object()}]),
            Shape::Interaction => json!({"error": self.interaction_object()}),
            Shape::InteractionEvent => {
                json!({"event_type": "error", "error": self.interaction_object()})
            }
        };
        body.to_string().into_bytes()
    }

    fn status_object(&self) -> Value {
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "status": self.status,
        });
        let details: Vec<Value> = self
            .quota_failure()
            .into_iter()
            .chain(self.retry_info())
            .collect();
        if !details.is_empty() {
            error["details"] = Value::Array(details);
        }
        error
    }

    fn interaction_object(&self) -> Value {
        json!({"code": interaction_code(self.code), "message": self.message})
    }

    fn retry_info(&self) -> Option<Value> {
        let delay = self.retry_delay?;
        Some(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": proto_seconds(delay),
        }))
    }

    fn quota_failure(&self) -> Option<Value> {
        if self.quota.is_empty() {
            return None;
        }
        let violations: Vec<Value> = self.quota.iter().map(QuotaViolation::value).collect();
        Some(json!({
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": violations,
        }))
    }
}

impl QuotaViolation<'_> {
    fn value(&self) -> Value {
        let mut violation = json!({"quotaMetric": self.metric, "quotaId": self.id});
        if let Some(model) = self.model {
            violation["quotaDimensions"] = json!({"location": "global", "model": model});
        }
        if let Some(value) = self.value {
            violation["quotaValue"] = json!(value.to_string());
        }
        violation
    }
}

/// The name of the `google.rpc.Code` that goes with an HTTP status, as Google's gateways map them.
pub const fn status_of(code: u16) -> &'static str {
    match code {
        400 | 413 | 415 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        416 => "OUT_OF_RANGE",
        402 | 429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        405 | 501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        408 | 504 => "DEADLINE_EXCEEDED",
        500..=599 => "INTERNAL",
        _ => "UNKNOWN",
    }
}

/// The error code of the interactions API that goes with an HTTP status.
pub const fn interaction_code(code: u16) -> &'static str {
    match code {
        401 => "authentication",
        402 => "payment_required",
        403 => "permission_denied",
        404 => "not_found",
        409 => "already_exists",
        416 => "out_of_range",
        429 => "rate_limit_exceeded",
        499 => "cancelled",
        400..=498 => "invalid_request",
        501 => "unimplemented",
        503 => "service_unavailable",
        504 => "deadline_exceeded",
        _ => "api_error",
    }
}

/// A proto duration: seconds with as many decimals as needed.
fn proto_seconds(delay: Duration) -> String {
    let text = format!("{}.{:09}", delay.as_secs(), delay.subsec_nanos());
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &ErrorBody<'_>, shape: Shape, expected: &Value) {
        let body: Value = serde_json::from_slice(&error.to_json(shape)).unwrap();
        assert_eq!(&body, expected);
    }

    #[test]
    fn every_shape_wraps_as_its_endpoint_does() {
        let error = ErrorBody::new(503, "no usable key");
        let inner = json!({"code": 503, "message": "no usable key", "status": "UNAVAILABLE"});
        let interaction = json!({"code": "service_unavailable", "message": "no usable key"});
        check(&error, Shape::Object, &json!({"error": inner}));
        check(&error, Shape::Array, &json!([{"error": inner}]));
        check(&error, Shape::Interaction, &json!({"error": interaction}));
        check(
            &error,
            Shape::InteractionEvent,
            &json!({"event_type": "error", "error": interaction}),
        );
    }

    #[test]
    fn details_say_which_quota_and_when_to_come_back() {
        let violation = QuotaViolation {
            metric: "m",
            id: "PerDay",
            model: Some("gemini-3.8-flash"),
            value: Some(20),
        };
        let error = ErrorBody {
            retry_delay: Some(Duration::from_millis(12_500)),
            quota: &[violation],
            ..ErrorBody::new(429, "quota")
        };
        check(
            &error,
            Shape::Object,
            &json!({"error": {
                "code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
                        "quotaMetric": "m", "quotaId": "PerDay", "quotaValue": "20",
                        "quotaDimensions": {"location": "global", "model": "gemini-3.8-flash"},
                    }]},
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"},
                ],
            }}),
        );
    }

    #[test]
    fn proto_durations_have_no_needless_digits() {
        for (millis, text) in [(0, "0s"), (60_000, "60s"), (1_050, "1.05s"), (10, "0.01s")] {
            assert_eq!(proto_seconds(Duration::from_millis(millis)), text);
        }
    }
}
