//! Error answers: from a fixture or composed, and wrapped as provider and path demand. Google's are
//! composed here, the other providers compose theirs from JSON of their own. Which error a key
//! deserves is `fault.rs`; quota bodies are written next to it.

use http::StatusCode;
use http::header::HeaderName;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::ErrorShape;
use crate::fixtures::{self, Fixture};
use crate::reply::{JSON, PLAIN_JSON, Reply, pretty};

/// An error that has not been wrapped yet.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    content_type: String,
    headers: Vec<(String, String)>,
    text: String,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: u16,
    message: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    details: &'a [Value],
}

impl Refusal {
    /// Composes an error; `status` is the gRPC code's name, `details` are `google.rpc` messages.
    pub(crate) fn new(code: u16, status: &str, message: &str, details: &[Value]) -> Self {
        let body = Body {
            error: Inner {
                code,
                message,
                status,
                details,
            },
        };
        Self {
            status: StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            content_type: PLAIN_JSON.to_owned(),
            headers: Vec::new(),
            text: String::from_utf8_lossy(&pretty(&body)).into_owned(),
        }
    }

    pub(crate) fn from_fixture(fixture: &Fixture) -> Self {
        Self {
            status: fixture.status,
            content_type: fixture.content_type.clone(),
            headers: fixture.headers.clone().into_iter().collect(),
            text: fixture.text().to_owned(),
        }
    }

    /// An error whose body is this JSON.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self {
            content_type: PLAIN_JSON.to_owned(),
            ..Self::text(status, &body.to_string())
        }
    }

    /// An error in plain text.
    pub(crate) fn text(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8".to_owned(),
            headers: Vec::new(),
            text: text.to_owned(),
        }
    }

    /// The page of a proxy in front of a provider.
    pub(crate) fn html(status: StatusCode, title: &str) -> Self {
        let text = format!(
            "<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n\
             <hr><center>cloudflare</center>\n</body>\n</html>\n"
        );
        Self {
            content_type: "text/html".to_owned(),
            ..Self::text(status, &text)
        }
    }

    /// The error of a fixture by its name, for example `xai/errors/403_credits.json`.
    pub(crate) fn fixture(name: &str) -> Self {
        let missing = || {
            Self::text(
                StatusCode::INTERNAL_SERVER_ERROR,
                &format!("no fixture {name}"),
            )
        };
        fixtures::find(name).map_or_else(missing, Self::from_fixture)
    }

    /// The error of `gemini/errors/{name}.json`, or `.html` for what Google's front end says.
    pub(crate) fn named(name: &str) -> Self {
        let extension = if name.ends_with("_html") {
            "html"
        } else {
            "json"
        };
        Self::fixture(&format!("gemini/errors/{name}.{extension}"))
    }

    /// The same error with a header set.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same error with every `from` of its text replaced.
    pub(crate) fn with(mut self, from: &str, to: &str) -> Self {
        self.text = self.text.replace(from, to);
        self
    }

    /// 400 `INVALID_ARGUMENT` without details.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message, &[])
    }

    /// 400 for JSON that does not fit the schema: the message, and the field it was found at.
    pub(crate) fn bad_payload(message: &str, field: &str) -> Self {
        let violation = if field.is_empty() {
            json!({"description": message})
        } else {
            json!({"field": field, "description": message})
        };
        let details = json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [violation],
        });
        Self::new(400, "INVALID_ARGUMENT", message, &[details])
    }

    /// 404 "Requested entity was not found."
    pub(crate) fn no_entity() -> Self {
        Self::named("404_entity")
    }

    /// What it says to people.
    pub(crate) fn message(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let told = body["error"]["message"].as_str();
        told.unwrap_or(self.text.trim()).to_owned()
    }

    pub(crate) fn into_reply(self, shape: ErrorShape) -> Reply {
        let is_object = self.text.trim_start().starts_with('{');
        let text = match shape {
            ErrorShape::Array if is_object => format!("[{}\n]\n", self.text.trim_end()),
            ErrorShape::Interactions if is_object => interactions(self.status, &self.text),
            ErrorShape::OpenAi if is_object => openai_like(self.status, &self.text),
            _ => self.text,
        };
        let content_type = match shape {
            ErrorShape::Plain | ErrorShape::OpenAi => self.content_type,
            _ => with_charset(&self.content_type),
        };
        let mut reply = Reply::new(self.status, &content_type, text);
        for (name, value) in &self.headers {
            if let Ok(name) = HeaderName::try_from(name) {
                reply = reply.header(name, value);
            }
        }
        reply
    }

    /// The error as one event of a stream: its JSON on one line.
    pub(crate) fn one_line(&self) -> String {
        serde_json::from_str::<Value>(&self.text).map_or_else(
            |_| self.text.trim().replace(['\r', '\n'], " "),
            |value| value.to_string(),
        )
    }
}

fn with_charset(content_type: &str) -> String {
    if content_type == PLAIN_JSON {
        JSON.to_owned()
    } else {
        content_type.to_owned()
    }
}

/// Says `{"code", "error": "…"}` as `{"error": {"message", "type", "code"}}`, which xAI does on some
/// chat paths.
fn openai_like(status: StatusCode, text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let Some(message) = value["error"].as_str() else {
        return text.to_owned();
    };
    let kind = if status.is_server_error() {
        "server_error"
    } else {
        "invalid_request_error"
    };
    json!({"error": {"message": message, "type": kind, "code": value["code"]}}).to_string()
}

/// Says the same in the Interactions API's words, whose codes are strings.
fn interactions(status: StatusCode, text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let error = &value["error"];
    if error["code"].is_string() {
        return text.to_owned();
    }
    let code = match (status.as_u16(), text.contains("PerDay")) {
        (429, true) => "quota_exceeded",
        (429, false) => "rate_limit_exceeded",
        (400, _) if text.contains("FAILED_PRECONDITION") => "failed_precondition",
        (400, _) => "invalid_request",
        (401, _) => "authentication",
        (402, _) => "payment_required",
        (403, _) => "permission_denied",
        (404, _) if text.contains("models/") => "model_not_found",
        (404, _) => "not_found",
        (499, _) => "cancelled",
        (503, _) => "service_unavailable",
        (504, _) => "deadline_exceeded",
        _ => "api_error",
    };
    let body = json!({"error": {"code": code, "message": error["message"]}});
    String::from_utf8_lossy(&pretty(&body)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Content;

    fn body(refusal: Refusal, shape: ErrorShape) -> Value {
        match refusal.into_reply(shape).content {
            Content::Whole(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Content::Pieces(_) => panic!("an error is one body"),
        }
    }

    #[test]
    fn an_error_is_wrapped_as_the_path_demands() {
        let overloaded = || Refusal::named("503_overloaded");
        let message = "The model is overloaded. Please try again later.";
        assert_eq!(
            body(overloaded(), ErrorShape::Object)["error"]["message"],
            message
        );
        assert_eq!(
            body(overloaded(), ErrorShape::Array)[0]["error"]["code"],
            503
        );
        assert_eq!(
            body(overloaded(), ErrorShape::Interactions),
            json!({"error": {"code": "service_unavailable", "message": message}})
        );
    }

    #[test]
    fn a_fixture_that_is_wrapped_already_stays_as_it_is() {
        assert_eq!(
            body(Refusal::named("openai_compat_400"), ErrorShape::Array)[0]["error"]["code"],
            400
        );
    }

    #[test]
    fn interactions_tell_a_daily_limit_from_a_short_one() {
        for (name, code) in [
            ("429_per_day", "quota_exceeded"),
            ("429_bare", "rate_limit_exceeded"),
        ] {
            let shaped = body(Refusal::named(name), ErrorShape::Interactions);
            assert_eq!(shaped["error"]["code"], code, "{name}");
        }
    }
}
