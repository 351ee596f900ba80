//! Callers of OpenAI's dialect: what they ask, and how they read the answer. The gateway itself is in `gateway.rs`.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Answer, CLIENT_KEY, TestGateway, request};

/// No answer of a test takes this long; who waits for longer waits for nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `POST` of JSON as OpenAI's clients send it, with more headers.
pub(crate) fn ask_with(path: &str, headers: &[(&str, &str)], body: &Value) -> Request<Full<Bytes>> {
    let bearer = format!("Bearer {CLIENT_KEY}");
    let own = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    request("POST", path, &[&own, headers].concat(), body.to_string())
}

/// The body of a chat with one message, and more members.
pub(crate) fn chat_body(model: &str, text: &str, more: Value) -> Value {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": text}]});
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

/// A chat with one message, and more members.
pub(crate) fn chat(model: &str, text: &str, more: Value) -> Request<Full<Bytes>> {
    ask_with("/v1/chat/completions", &[], &chat_body(model, text, more))
}

impl TestGateway {
    /// Sends a request on a connection of its own; fails when no answer comes.
    pub(crate) async fn talk(&self, request: Request<Full<Bytes>>) -> Answer {
        let answer = tokio::time::timeout(PATIENCE, self.send(request)).await;
        answer.unwrap_or_else(|_| panic!("no answer within {} s", PATIENCE.as_secs()))
    }

    /// `GET` as OpenAI's clients send it.
    pub(crate) async fn fetch(&self, path: &str) -> Answer {
        let bearer = format!("Bearer {CLIENT_KEY}");
        let headers = [("authorization", bearer.as_str())];
        self.talk(request("GET", path, &headers, "")).await
    }
}

/// The data of the events of an answer, but for `[DONE]`.
pub(crate) fn chunks(answer: &Answer) -> Vec<Value> {
    let text = answer.text().replace("\r\n", "\n");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// Whether a stream says that it is over.
pub(crate) fn is_done(answer: &Answer) -> bool {
    answer.text().trim_end().ends_with("data: [DONE]")
}

/// What the model said, in a document or in events.
pub(crate) fn said(answer: &Answer) -> String {
    let documents = if answer
        .header("content-type")
        .starts_with("text/event-stream")
    {
        chunks(answer)
    } else {
        vec![answer.json()]
    };
    let text = |document: &Value| {
        let choice = &document["choices"][0];
        let whole = choice["message"]["content"].as_str();
        let piece = whole.or_else(|| choice["delta"]["content"].as_str());
        piece.unwrap_or_default().to_owned()
    };
    documents.iter().map(text).collect()
}

/// The message of an error of OpenAI's shape, whose other members are as they should be.
pub(crate) fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    let error = &answer.json()["error"];
    assert!(error["type"].is_string(), "{error}");
    for member in ["code", "param"] {
        assert!(
            error[member].is_string() || error[member].is_null(),
            "{error}"
        );
    }
    let message = error["message"].as_str().unwrap();
    assert!(!message.is_empty() && !message.contains('<'), "{message}");
    message.to_owned()
}
