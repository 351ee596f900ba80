//! Callers and upstreams that send anything: an error or an answer comes back, in the right shape, and nothing panics.

use http::HeaderMap;
use proptest::prelude::*;
use providers::perplexity::{
    Asked, Encoding, chat_answer, chat_request, embeddings_answer, embeddings_request, judge_error,
};
use providers::{ErrorAnswer, Place};
use serde_json::{Map, Value, json};
use wire::gemini::Framing;

use crate::{fixture, translated};

/// Values of every type, some of them large or odd.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zé\\[\\]0-9\"\\\\]{0,6}".prop_map(Value::from),
        prop::sample::select(NAMES).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let members = prop::collection::vec((prop::sample::select(NAMES), inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Names, and texts, that mean something in one of the shapes.
const NAMES: &[&str] = &[
    "messages",
    "role",
    "user",
    "assistant",
    "tool",
    "content",
    "type",
    "text",
    "image_url",
    "url",
    "file",
    "tool_calls",
    "tool_call_id",
    "id",
    "call_id",
    "function",
    "name",
    "arguments",
    "tools",
    "tool_choice",
    "web_search",
    "web_search_options",
    "user_location",
    "approximate",
    "n",
    "max_tokens",
    "reasoning",
    "response_format",
    "response",
    "output",
    "item",
    "status",
    "failed",
    "completed",
    "error",
    "message",
    "code",
    "results",
    "search_results",
    "function_call",
    "output_text",
    "delta",
    "usage",
    "incomplete_details",
    "reason",
    "data",
    "embedding",
    "detail",
    "response.completed",
    "response.output_item.done",
    "response.output_text.delta",
];

/// One member of a well-formed body is replaced by anything.
fn spoilt(file: &'static str) -> impl Strategy<Value = Value> {
    let body: Value = serde_json::from_slice(&fixture(file)).unwrap();
    (any::<prop::sample::Index>(), anything()).prop_map(move |(at, value)| {
        let mut body = body.clone();
        let mut places = Vec::new();
        collect(&body, String::new(), &mut places);
        let place = body.pointer_mut(at.get::<String>(&places)).unwrap();
        *place = value;
        body
    })
}

fn collect(value: &Value, path: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                collect(value, format!("{path}/{name}"), places);
            }
        }
        Value::Array(elements) => {
            for (at, value) in elements.iter().enumerate() {
                collect(value, format!("{path}/{at}"), places);
            }
        }
        _ => {}
    }
    places.push(path);
}

fn asked() -> Asked {
    let body = json!({"tools": [{"function": {"name": "name"}}]});
    Asked::new("m", body.to_string().as_bytes(), 0)
}

/// A request is one JSON object, or the refusal says something.
fn check_request(body: &[u8]) {
    match chat_request(body, "sonar") {
        Ok(bytes) => assert!(serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok()),
        Err(refused) => assert!(!refused.message.is_empty()),
    }
    if let Ok(bytes) = embeddings_request(body, "m") {
        assert!(serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok());
    }
}

/// A document becomes one document, a stream whole events of JSON.
fn check_answer(body: &[u8]) {
    let document = translated(chat_answer(Framing::Json, &asked()), body.chunks(64));
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert!(document.get("choices").is_some() != document.get("error").is_some());
    let embeddings = translated(embeddings_answer(Encoding::Base64), [body]);
    assert!(serde_json::from_slice::<Value>(&embeddings).is_ok());
    let stream = translated(chat_answer(Framing::Sse, &asked()), body.chunks(64));
    for event in String::from_utf8(stream).unwrap().split_terminator("\n\n") {
        let data = event.strip_prefix("data: ").unwrap();
        assert!(
            data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok(),
            "{data}"
        );
    }
    let headers = HeaderMap::new();
    for status in [200, 400, 401, 403, 429, 500] {
        let place = Place::Model;
        let answer = ErrorAnswer {
            status,
            headers: &headers,
            body,
            place,
        };
        assert!(!judge_error(&answer).reason.is_empty());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_no_trouble(body in prop::collection::vec(any::<u8>(), 0..200)) {
        check_request(&body);
        check_answer(&body);
    }

    #[test]
    fn any_json_is_no_trouble(value in anything()) {
        check_request(value.to_string().as_bytes());
        check_answer(value.to_string().as_bytes());
        check_answer(format!("data: {value}\n\n").as_bytes());
    }

    #[test]
    fn a_wrong_type_anywhere_in_a_request_is_no_trouble(body in spoilt("openai/chat_request_full.json")) {
        check_request(body.to_string().as_bytes());
    }

    #[test]
    fn a_wrong_type_anywhere_in_an_answer_is_no_trouble(body in spoilt("perplexity/agent_ok.json")) {
        check_answer(body.to_string().as_bytes());
        for kind in ["response.completed", "response.output_item.done"] {
            let event = json!({"type": kind, "response": body, "item": body["output"][0]});
            check_answer(format!("data: {event}\n\n").as_bytes());
        }
    }
}

#[test]
fn nesting_without_end_is_no_trouble() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    for body in [
        deep.clone(),
        format!("{{\"messages\":{deep}}}"),
        format!("{{\"messages\":[{{\"role\":\"user\",\"content\":{deep}}}]}}"),
        format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}}],\"x_new\":{deep}}}"),
        format!(
            "{{\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}}],\"web_search_options\":{deep}}}"
        ),
        format!("{{\"input\":{deep}}}"),
    ] {
        match chat_request(body.as_bytes(), "sonar") {
            Ok(bytes) => assert!(bytes.len() > 400_000),
            Err(refused) => assert!(refused.message.len() < 300, "{refused}"),
        }
        assert!(embeddings_request(body.as_bytes(), "m").is_err());
    }
    for body in [
        deep.clone(),
        format!("{{\"output\":{deep}}}"),
        format!("{{\"error\":{deep}}}"),
    ] {
        check_answer(body.as_bytes());
        check_answer(format!("data: {body}\n\n").as_bytes());
    }
}
