//! Reads Google's errors, as tolerantly as they vary: wrapped in arrays, with number or string codes, cut off.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::text::Text;
use crate::duration;

/// The most of a body that is looked at, in bytes: errors are small, and what is not is no error of Google's.
const MOST: usize = 1024 * 1024;

/// The longest message that is taken out of a body that cannot be parsed, in bytes.
const MOST_SALVAGED: usize = 4096;

/// An upstream error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault<'a> {
    /// The `code`: a number, or a name in the interactions API; empty when there was none.
    pub code: Cow<'a, str>,
    /// The `google.rpc.Code`, for example `RESOURCE_EXHAUSTED`; empty when there was none.
    pub status: Cow<'a, str>,
    /// The text, which may hold secrets and whatever the caller sent.
    pub message: Cow<'a, str>,
    /// The details, in their order.
    pub details: Vec<Detail<'a>>,
}

/// One of an error's details: the fields of all types that are read, empty where this one lacks them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail<'a> {
    /// `ErrorInfo.reason`, for example `API_KEY_INVALID`.
    pub reason: Cow<'a, str>,
    /// `ErrorInfo.metadata`.
    pub metadata: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// `QuotaFailure.violations`.
    pub violations: Vec<Violation<'a>>,
    /// `RetryInfo.retryDelay`.
    pub retry_delay: Option<Duration>,
}

/// A quota that was exceeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violation<'a> {
    /// `quotaMetric`.
    pub metric: Cow<'a, str>,
    /// `quotaId`.
    pub id: Cow<'a, str>,
    /// `quotaDimensions.model`.
    pub model: Option<Cow<'a, str>>,
    /// `quotaValue`.
    pub value: Option<u64>,
}

impl<'a> Fault<'a> {
    /// The error in a body, `{"error":{…}}` or the same in an array; none where the body is no such thing.
    ///
    /// Of a body that is cut off or damaged only the code, status and message are read.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let body = body.get(..MOST).unwrap_or(body).trim_ascii();
        let parsed = match body.first()? {
            b'{' => serde_json::from_slice::<Wrapper<'_>>(body).ok(),
            b'[' => serde_json::from_slice::<Vec<Wrapper<'_>>>(body)
                .ok()
                .and_then(|list| list.into_iter().next()),
            _ => return None,
        };
        match parsed {
            Some(wrapper) => wrapper.error.map(Self::from),
            None => Self::salvage(body),
        }
    }

    /// The error in its inner object, as [`crate::gemini::Summary::error`] holds it.
    pub fn read_object(object: &'a [u8]) -> Option<Self> {
        match serde_json::from_slice::<Object<'_>>(object) {
            Ok(error) => Some(Self::from(error)),
            Err(_) => Self::salvage(object),
        }
    }

    /// The code as a number: an HTTP status; none in the interactions API.
    pub fn number(&self) -> Option<u16> {
        self.code.parse().ok()
    }

    /// The first `ErrorInfo.reason`; empty when there is none.
    pub fn reason(&self) -> &str {
        self.details
            .iter()
            .map(|detail| detail.reason.as_ref())
            .find(|reason| !reason.is_empty())
            .unwrap_or_default()
    }

    /// An entry of an `ErrorInfo.metadata`.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.details
            .iter()
            .find_map(|detail| detail.metadata.get(name))
            .map(AsRef::as_ref)
    }

    /// All quotas that were exceeded.
    pub fn violations(&self) -> impl Iterator<Item = &Violation<'a>> {
        self.details.iter().flat_map(|detail| &detail.violations)
    }

    /// The longest `RetryInfo.retryDelay`.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.details.iter().filter_map(|d| d.retry_delay).max()
    }

    fn salvage(body: &'a [u8]) -> Option<Self> {
        let error = memchr::memmem::find(body, b"\"error\"").map_or(0, |at| at + 7);
        let body = &body[error..];
        let message = salvaged(body, b"\"message\"")?;
        Some(Self {
            code: salvaged(body, b"\"code\"").unwrap_or_default(),
            status: salvaged(body, b"\"status\"").unwrap_or_default(),
            message,
            details: Vec::new(),
        })
    }
}

/// The text behind the first occurrence of a quoted name: a string up to its end or the body's, or a number.
pub(crate) fn salvaged<'a>(body: &'a [u8], name: &[u8]) -> Option<Cow<'a, str>> {
    let at = memchr::memmem::find(body, name)? + name.len();
    let rest = body[at..].trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start();
    let rest = &rest[..rest.len().min(MOST_SALVAGED)];
    let text = if let Some(text) = rest.strip_prefix(b"\"") {
        let mut escaped = false;
        let end = text.iter().position(|&byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        &text[..end.unwrap_or(text.len())]
    } else {
        let end = rest.iter().position(|byte| !byte.is_ascii_digit());
        &rest[..end.unwrap_or(rest.len())]
    };
    Some(String::from_utf8_lossy(text))
}

#[derive(Deserialize)]
struct Wrapper<'a> {
    #[serde(borrow, default)]
    error: Option<Object<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    status: Text<'a>,
    message: Text<'a>,
    details: Vec<RawDetail<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawDetail<'a> {
    #[serde(borrow)]
    reason: Text<'a>,
    metadata: BTreeMap<Cow<'a, str>, Text<'a>>,
    violations: Vec<RawViolation<'a>>,
    retry_delay: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawViolation<'a> {
    #[serde(borrow)]
    quota_metric: Text<'a>,
    quota_id: Text<'a>,
    quota_value: Text<'a>,
    quota_dimensions: BTreeMap<Cow<'a, str>, Text<'a>>,
}

impl<'a> From<Object<'a>> for Fault<'a> {
    fn from(object: Object<'a>) -> Self {
        Self {
            code: object.code.0,
            status: object.status.0,
            message: object.message.0,
            details: object.details.into_iter().map(Detail::from).collect(),
        }
    }
}

impl<'a> From<RawDetail<'a>> for Detail<'a> {
    fn from(detail: RawDetail<'a>) -> Self {
        let metadata = detail.metadata.into_iter();
        Self {
            reason: detail.reason.0,
            metadata: metadata.map(|(name, text)| (name, text.0)).collect(),
            violations: detail.violations.into_iter().map(Violation::from).collect(),
            retry_delay: duration::read(&detail.retry_delay.0),
        }
    }
}

impl<'a> From<RawViolation<'a>> for Violation<'a> {
    fn from(mut violation: RawViolation<'a>) -> Self {
        Self {
            metric: violation.quota_metric.0,
            id: violation.quota_id.0,
            model: violation
                .quota_dimensions
                .remove("model")
                .map(|text| text.0),
            value: violation.quota_value.0.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Option<(&str, &str, &str)>) {
        let fault = Fault::read(body.as_bytes());
        let seen = fault.as_ref().map(|f| (&*f.code, &*f.status, &*f.message));
        assert_eq!(seen, expected, "{body}");
    }

    #[test]
    fn errors_are_read_in_every_wrapper() {
        let inner = r#"{"error":{"code":429,"message":"m","status":"S","new":[{}]}}"#;
        check(inner, Some(("429", "S", "m")));
        check(&format!(" [{inner}]\n"), Some(("429", "S", "m")));
        check(
            r#"{"error":{"code":"quota_exceeded","message":"m"}}"#,
            Some(("quota_exceeded", "", "m")),
        );
    }

    #[test]
    fn other_bodies_are_no_errors() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            "null",
            r#"{"name":"x"}"#,
            "{\"a\":",
        ] {
            check(body, None);
        }
    }

    #[test]
    fn a_cut_body_still_says_its_message() {
        check(
            r#"{"error": {"code": 403, "message": "Your API key was \"rep"#,
            Some(("403", "", r#"Your API key was \"rep"#)),
        );
        check(
            r#"{"error":{"code":403,"message":"m","status":"S","details":[{"rea"#,
            Some(("403", "S", "m")),
        );
    }

    #[test]
    fn details_of_unexpected_types_do_not_hide_the_message() {
        let body = r#"{"error":{"code":429,"message":"m","details":[{"reason":7,"metadata":{"a":{}},"retryDelay":null},{"violations":[{"quotaValue":20}]}]}}"#;
        let fault = Fault::read(body.as_bytes()).unwrap();
        assert_eq!(fault.reason(), "7");
        assert_eq!(fault.metadata("a"), Some(""));
        assert_eq!(fault.violations().next().and_then(|v| v.value), Some(20));
        check(
            r#"{"error":{"message":"m","details":"none"}}"#,
            Some(("", "", "m")),
        );
    }

    #[test]
    fn the_longest_delay_is_told() {
        let body = br#"{"error":{"details":[{"retryDelay":"3s"},{"retryDelay":"1m"}]}}"#;
        let fault = Fault::read(body).unwrap();
        assert_eq!(fault.retry_delay(), Some(Duration::from_secs(60)));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>, text: String) {
            let _ = Fault::read(&body);
            let _ = Fault::read_object(&body);
            let _ = Fault::read(format!("{{\"error\":{{\"message\":\"{text}").as_bytes());
        }
    }
}
