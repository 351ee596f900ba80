//! Reads the refusals of all who speak OpenAI's dialect, each in a shape of its own: objects in several wrappers, bare
//! texts, validation lists, web pages. What it means is the business of `providers`.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The most of a body that is parsed, in bytes: errors are small.
const MOST: usize = 64 * 1024;

/// The longest message taken out of what cannot be parsed, in bytes.
const MOST_SALVAGED: usize = 4096;

/// How many findings of a validation are told.
const MOST_FINDINGS: usize = 8;

/// An upstream error; every text is empty where there was none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault<'a> {
    /// The text, which may hold secrets and whatever the caller sent; of a web page its title.
    pub message: Cow<'a, str>,
    /// The `type`, for example `insufficient_quota`; from Google the `status`, for example `RESOURCE_EXHAUSTED`.
    pub kind: Cow<'a, str>,
    /// The `code`, a number as text.
    pub code: Cow<'a, str>,
    /// The parameter at fault.
    pub param: Cow<'a, str>,
    /// The HTTP status that the error names by its number.
    pub status: Option<u16>,
    /// What else an error in an object says: members that no other field is made of.
    pub more: Map<String, Value>,
    /// It is a web page: not the provider's API has answered, but what stands before it.
    pub is_html: bool,
}

impl<'a> Fault<'a> {
    /// The error in a body. Whatever the body is, it can be read; of one that is cut off or damaged only the texts are.
    ///
    /// Shapes: `{"error":{…}}` and the same in an array (Google), `{"code":"…","error":"text"}` (xAI),
    /// `{"detail":"…"|[{"loc","msg","type"}]}` (`FastAPI`), `{"status":401,"message":"…"}` and `{"code":7,"message":"…"}`
    /// (GigaChat), the inner object alone, plain text, HTML.
    pub fn read(body: &'a [u8]) -> Self {
        let body = body.get(..MOST).unwrap_or(body).trim_ascii();
        match body.first() {
            None => Self::default(),
            Some(b'<') => Self::page(body),
            Some(b'{' | b'[') => match serde_json::from_slice(body) {
                Ok(value) => Self::of(value),
                Err(_) => Self::salvage(body),
            },
            Some(_) => Self::says(text(body)),
        }
    }

    /// The error in its inner object, as [`crate::gemini::Summary::error`] holds it.
    pub fn read_object(object: &'a [u8]) -> Self {
        Self::read(object)
    }

    fn says(message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    fn of(value: Value) -> Self {
        match value {
            Value::Object(object) => Self::of_object(object),
            Value::Array(list) => list.into_iter().next().map(Self::of).unwrap_or_default(),
            Value::String(message) => Self::says(message),
            _ => Self::default(),
        }
    }

    fn of_object(mut object: Map<String, Value>) -> Self {
        match object.remove("error") {
            Some(Value::Object(inner)) => return Self::of_object(inner),
            Some(Value::String(message)) => {
                object.entry("message").or_insert(Value::String(message));
            }
            _ => {}
        }
        if let Some(detail) = object.remove("detail") {
            return Self::of_detail(detail);
        }
        let mut take = |name| object.remove(name).map(as_text).unwrap_or_default();
        let (code, status, kind) = (take("code"), take("status"), take("type"));
        let number = [&status, &code].into_iter().find_map(|text| http(text));
        let is_name = !status.bytes().all(|byte| byte.is_ascii_digit());
        let kind = if kind.is_empty() && is_name {
            status
        } else {
            kind
        };
        Self {
            message: take("message").into(),
            kind: kind.into(),
            code: code.into(),
            param: take("param").into(),
            status: number,
            more: object,
            is_html: false,
        }
    }

    /// The `detail` of `FastAPI`: a text, an error, or what a validation found.
    fn of_detail(detail: Value) -> Self {
        let Value::Array(findings) = detail else {
            return Self::of(detail);
        };
        let findings: Vec<_> = findings
            .into_iter()
            .take(MOST_FINDINGS)
            .map(Finding::of)
            .collect();
        let messages: Vec<_> = findings.iter().map(Finding::message).collect();
        let message = messages.join("; ");
        let first = findings.into_iter().next().unwrap_or_default();
        Self {
            message: message.into(),
            kind: first.kind.into(),
            param: first.param.into(),
            ..Self::default()
        }
    }

    fn page(body: &'a [u8]) -> Self {
        let head = text(body);
        let lower = head.to_ascii_lowercase();
        let title = lower.find("<title>").and_then(|at| {
            let from = at + "<title>".len();
            let length = lower[from..].find('<')?;
            Some(head[from..from + length].trim().to_owned())
        });
        Self {
            message: title.unwrap_or_default().into(),
            is_html: true,
            ..Self::default()
        }
    }

    fn salvage(body: &'a [u8]) -> Self {
        let find = |name| crate::gemini::error::salvaged(body, name).unwrap_or_default();
        let message = ["\"message\"", "\"error\"", "\"detail\""]
            .into_iter()
            .map(|name| find(name.as_bytes()))
            .find(|message| !message.is_empty());
        let code = find(b"\"code\"");
        Self {
            message: message.unwrap_or_default(),
            kind: find(b"\"type\""),
            status: http(&code),
            code,
            ..Self::default()
        }
    }
}

/// What a validation found of one parameter.
#[derive(Default)]
struct Finding {
    param: String,
    message: String,
    kind: String,
}

impl Finding {
    fn of(value: Value) -> Self {
        let Value::Object(mut object) = value else {
            return Self {
                message: as_text(value),
                ..Self::default()
            };
        };
        let mut take = |name| object.remove(name).map(as_text).unwrap_or_default();
        Self {
            message: take("msg"),
            kind: take("type"),
            param: object.remove("loc").map(path).unwrap_or_default(),
        }
    }

    fn message(&self) -> String {
        if self.param.is_empty() {
            return self.message.clone();
        }
        format!("{}: {}", self.param, self.message)
    }
}

/// `["body","messages",0]` as `messages.0`.
fn path(loc: Value) -> String {
    let Value::Array(steps) = loc else {
        return as_text(loc);
    };
    let steps: Vec<_> = steps.into_iter().map(as_text).collect();
    let inside = steps.strip_prefix(&["body".to_owned()]).unwrap_or(&steps);
    inside.join(".")
}

/// A text, number or truth value as text; anything else as none.
fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn http(text: &str) -> Option<u16> {
    text.parse()
        .ok()
        .filter(|status| (300..600).contains(status))
}

fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.get(..MOST_SALVAGED).unwrap_or(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Message, type, code, parameter, status, in one line; empty ones as `-`.
    fn check(body: &str, expected: &str) {
        let fault = Fault::read(body.as_bytes());
        let or_dash = |text: &str| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text.to_owned()
            }
        };
        let status = fault
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        let fields = [&fault.message, &fault.kind, &fault.code, &fault.param];
        let seen: Vec<_> = fields.map(|text| or_dash(text)).into();
        let page = if fault.is_html { " html" } else { "" };
        assert_eq!(
            format!("{} {status}{page}", seen.join(" | ")),
            expected,
            "{body}"
        );
    }

    #[test]
    fn every_shape_is_read() {
        let inner = r#"{"message":"m","type":"t","param":"p","code":"c"}"#;
        check(inner, "m | t | c | p -");
        check(&format!(r#"{{"error":{inner}}}"#), "m | t | c | p -");
        check(
            r#" [{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#,
            "m | INVALID_ARGUMENT | 400 | - 400",
        );
        check(
            r#"{"code":"not-found","error":"m"}"#,
            "m | - | not-found | - -",
        );
        check(
            r#"{"error":{"message":"m","code":null,"param":null}}"#,
            "m | - | - | - -",
        );
        check(
            r#"{"error":{"message":"m","status":429}}"#,
            "m | - | - | - 429",
        );
        check(r#"{"status":401,"message":"m"}"#, "m | - | - | - 401");
        check(r#"{"code":7,"message":"m"}"#, "m | - | 7 | - -");
        check(r#"{"detail":"m"}"#, "m | - | - | - -");
        check(
            r#"{"detail":{"error":{"message":"m","code":404}}}"#,
            "m | - | 404 | - 404",
        );
        check(
            r#"{"detail":[{"loc":["body","messages",0],"msg":"m","type":"missing"},{"msg":"n"}]}"#,
            "messages.0: m; n | missing | - | messages.0 -",
        );
    }

    #[test]
    fn what_is_no_json_is_read_as_well() {
        check("", "- | - | - | - -");
        check("Not Found\n", "Not Found | - | - | - -");
        check(r#""m""#, r#""m" | - | - | - -"#);
        check(
            "<!DOCTYPE html><html><head><title> 502 Bad Gateway</title>",
            "502 Bad Gateway | - | - | - - html",
        );
        check("<html>", "- | - | - | - - html");
    }

    #[test]
    fn a_cut_body_still_says_its_message() {
        check(
            r#"{"error": {"code": 429, "type": "requests", "message": "Rate lim"#,
            "Rate lim | requests | 429 | - 429",
        );
        check(
            r#"{"code":"permission-denied","error":"Your te"#,
            "Your te | - | permission-denied | - -",
        );
    }

    #[test]
    fn bodies_without_end_are_bounded() {
        let long = "a".repeat(1_000_000);
        for body in [
            long.clone(),
            format!("<html>{long}"),
            format!(r#"{{"error":{{"message":"{long}"}}}}"#),
            "[".repeat(1_000_000),
            format!(r#"{{"a":{}"#, r#"{"error":"#.repeat(100_000)),
        ] {
            assert!(Fault::read(body.as_bytes()).message.len() <= MOST_SALVAGED);
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>, text: String) {
            let _ = Fault::read(&body);
            let _ = Fault::read(format!("<title>{text}").as_bytes());
            let _ = Fault::read(format!("{{\"error\":{{\"message\":\"{text}").as_bytes());
        }
    }
}
