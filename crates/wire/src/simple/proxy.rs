//! `/gemini-proxy`: one prompt, perhaps with a model and a key of the caller's own, and its answer.

use domain::Secret;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Wrong, fields};

/// The most that one character takes in JSON: two escapes `\uXXXX`.
const WIDEST: usize = 12;

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyRequest {
    /// The prompt; never blank.
    pub prompt: String,
    /// What to ask, and with which key; none: the defaults.
    pub given: Option<Given>,
}

/// What the caller brought along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The model's name as it was written.
    pub model: String,
    /// The caller's own provider key.
    pub api_key: Secret,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    prompt: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    api_key: Option<&'a RawValue>,
}

impl ProxyRequest {
    /// Reads a body whose prompt may have `most` characters (Unicode scalar values).
    pub fn read(body: &[u8], most: usize) -> Result<Self, Wrong> {
        let body: Body<'_> = fields::object(body)?;
        let prompt = prompt(body.prompt, most)?;
        let model = fields::model(body.model, body.model_name)?;
        let api_key = fields::text(body.api_key, "api_key")?.filter(|key| !key.is_empty());
        let given = match (model, api_key) {
            (None, None) => None,
            (Some(model), Some(key)) => Some(Given {
                model,
                api_key: sendable(key)?,
            }),
            (Some(_), None) => return Err(lonely("api_key")),
            (None, Some(_)) => return Err(lonely("model")),
        };
        Ok(Self { prompt, given })
    }
}

fn prompt(value: Option<&RawValue>, most: usize) -> Result<String, Wrong> {
    let is_endless = |value: &RawValue| {
        let longest = most.saturating_mul(WIDEST).saturating_add(2);
        value.get().starts_with('"') && value.get().len() > longest
    };
    if value.is_some_and(is_endless) {
        return Err(too_long(most));
    }
    let prompt = fields::required(value, "prompt")?;
    if prompt.chars().count() > most {
        return Err(too_long(most));
    }
    Ok(prompt)
}

fn too_long(most: usize) -> Wrong {
    let text = format!("`prompt` has more than {most} characters");
    Wrong::new("prompt", "string_too_long", text)
}

fn lonely(missing: &'static str) -> Wrong {
    let text =
        format!("`{missing}` is missing: give both `model` and `api_key`, or neither of them");
    Wrong::new(missing, "missing", text)
}

/// A key that a header can carry; its text is not repeated.
fn sendable(key: String) -> Result<Secret, Wrong> {
    let is_sendable = key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = Secret::new(key);
    if is_sendable {
        return Ok(key);
    }
    let text = "`api_key` has characters that no key has";
    Err(Wrong::new("api_key", "value_error", text))
}

/// `{"result":"OK","data":{"response","model","time"}}`; the time is in milliseconds.
pub fn proxy_answer(response: &str, model: &str, time_ms: u64) -> Vec<u8> {
    let data = json!({"response": response, "model": model, "time": time_ms});
    json!({"result": "OK", "data": data})
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<ProxyRequest, Wrong> {
        ProxyRequest::read(body.as_bytes(), 5)
    }

    fn check(body: &str, expected: (&str, &str)) {
        let wrong = read(body).expect_err(body);
        assert_eq!((&*wrong.at, wrong.kind), expected, "{body}: {wrong}");
        assert!(!wrong.message.contains("AIza"), "{wrong}");
    }

    #[test]
    fn the_defaults_are_asked_where_neither_model_nor_key_is_given() {
        for body in [
            r#"{"prompt":"hi"}"#,
            r#" {"prompt":"hi","model":null,"api_key":null} "#,
            r#"{"prompt":"hi","model":"","model_name":"","api_key":""}"#,
            r#"{"more":[{"deep":{}}],"prompt":"hi","temperature":0.1}"#,
        ] {
            let request = read(body).unwrap();
            assert_eq!((&*request.prompt, request.given), ("hi", None), "{body}");
        }
    }

    #[test]
    fn model_and_key_are_used_as_given() {
        for name in ["model", "model_name"] {
            let body = format!(r#"{{"prompt":"hi","{name}":"m-1","api_key":"AIza-1"}}"#);
            let given = read(&body).unwrap().given.unwrap();
            assert_eq!((&*given.model, given.api_key.expose()), ("m-1", "AIza-1"));
        }
        let same = r#"{"prompt":"hi","model":"m","model_name":"m","api_key":"AIza-1"}"#;
        assert_eq!(read(same).unwrap().given.unwrap().model, "m");
    }

    #[test]
    fn length_is_counted_in_characters() {
        for prompt in [
            "12345",
            "日本語です",
            "🦀🦀🦀🦀🦀",
            r"\u65e5\ud83e\udd80\u0031\n5",
        ] {
            assert!(read(&format!(r#"{{"prompt":"{prompt}"}}"#)).is_ok());
            let longer = format!(r#"{{"prompt":"{prompt}."}}"#);
            check(&longer, ("prompt", "string_too_long"));
        }
        let endless = format!(r#"{{"prompt":"{}"}}"#, "x".repeat(1000));
        check(&endless, ("prompt", "string_too_long"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, expected) in [
            ("", ("", "missing")),
            (" \n", ("", "missing")),
            ("hi", ("", "json_invalid")),
            ("{\"prompt\":\"hi\"", ("", "json_invalid")),
            (r#"{"prompt":"hi"} x"#, ("", "json_invalid")),
            (r#"{"prompt":"hi","prompt":"ho"}"#, ("", "json_invalid")),
            (r#"["hi"]"#, ("", "model_type")),
            ("7", ("", "model_type")),
            ("null", ("", "model_type")),
            ("{}", ("prompt", "missing")),
            (r#"{"prompt":null}"#, ("prompt", "missing")),
            (r#"{"prompt":7}"#, ("prompt", "string_type")),
            (r#"{"prompt":["hi"]}"#, ("prompt", "string_type")),
            (r#"{"prompt":"\ud800"}"#, ("prompt", "string_type")),
            (r#"{"prompt":""}"#, ("prompt", "string_too_short")),
            (r#"{"prompt":" \n\t"}"#, ("prompt", "string_too_short")),
            (r#"{"prompt":"hi","model":7}"#, ("model", "string_type")),
            (
                r#"{"prompt":"hi","model":"m","model_name":"n"}"#,
                ("model_name", "value_error"),
            ),
            (r#"{"prompt":"hi","model":"m"}"#, ("api_key", "missing")),
            (
                r#"{"prompt":"hi","api_key":"AIza-1"}"#,
                ("model", "missing"),
            ),
            (
                r#"{"prompt":"hi","model":"m","api_key":7}"#,
                ("api_key", "string_type"),
            ),
            (
                r#"{"prompt":"hi","model":"m","api_key":"AIza\n1"}"#,
                ("api_key", "value_error"),
            ),
        ] {
            check(body, expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>, text: String) {
            let _ = ProxyRequest::read(&body, 5);
            let _ = ProxyRequest::read(format!("{{\"prompt\":{text}}}").as_bytes(), 5);
        }
    }

    #[test]
    fn an_answer_has_its_three_fields() {
        let body = String::from_utf8(proxy_answer("a \"b\"", "m-1", 12)).unwrap();
        let expected = r#"{"result":"OK","data":{"response":"a \"b\"","model":"m-1","time":12}}"#;
        assert_eq!(body, expected);
    }
}
