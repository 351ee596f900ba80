//! OpenAI's dialect as its callers meet it, in front of Google, xAI and servers of OpenAI's kind: where a model's name
//! leads (`routing.rs`), what there is (`listing.rs`), the next provider when one is down (`chains.rs`), streams, bodies,
//! errors, whatever a provider has besides (`raw.rs`), and keys that callers bring. What is xAI's alone is `xai.rs`.

mod bodies;
mod brought;
mod chains;
mod damaged;
mod embeddings;
mod errors;
mod headers;
mod listing;
mod manners;
mod raw;
mod routing;
mod streams;
mod xai;

use bytes::Bytes;
use domain::RequestRecord;
use fake_upstream::Script;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Answer, Builder, CLIENT_KEY, MODEL, TestGateway, request};

const CHAT: &str = "/v1/chat/completions";
const GROK: &str = "grok-4.6";
const XAI_KEY: &str = "xai-key-0001";

/// The fields of xAI with one key; it is not asked for its models, so that tests can count what it is asked.
const XAI: &str = "keys: [xai-key-0001]\nmodels_refresh: 0s";

/// The fields of a server of OpenAI's kind.
const HOUSE: &str = "keys: [house-key-1]\nmodels_refresh: 0s";

/// Google and xAI with a key each, and the alias `smart`, which leads along both.
fn both(google: Script, xai: Script) -> Builder {
    let chain = format!("[google/{MODEL}, xai/{GROK}]");
    TestGateway::new()
        .upstream(google)
        .with_provider("xai", xai, XAI)
        .setting("aliases.smart", &chain)
}

/// A request for one answer.
fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Say hello"}]})
}

/// A request for a stream.
fn streamed(model: &str) -> Value {
    let mut body = chat(model);
    body["stream"] = json!(true);
    body
}

/// The same, asking for what it took.
fn streamed_with_usage(model: &str) -> Value {
    let mut body = streamed(model);
    body["stream_options"] = json!({"include_usage": true});
    body
}

/// A `POST` as OpenAI's clients send it, with a client key.
fn post_as(secret: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let bearer = format!("Bearer {secret}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    request("POST", path, &headers, body)
}

fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    post_as(CLIENT_KEY, path, body)
}

fn ask(body: &Value) -> Request<Full<Bytes>> {
    post(CHAT, body.to_string())
}

/// `GET` as OpenAI's clients send it.
async fn get(gateway: &TestGateway, path: &str) -> Answer {
    get_as(gateway, CLIENT_KEY, path).await
}

async fn get_as(gateway: &TestGateway, secret: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {secret}");
    let headers = [("authorization", &*bearer)];
    gateway.send(request("GET", path, &headers, "")).await
}

/// The data of a stream's events, `[DONE]` among them.
fn data(answer: &Answer) -> Vec<String> {
    let text = answer.text().replace("\r\n", "\n");
    let events = text.split("\n\n").filter(|event| !event.is_empty());
    let lines = events.filter_map(|event| event.strip_prefix("data: "));
    lines.map(str::to_owned).collect()
}

/// The JSON of a stream's events.
fn events(answer: &Answer) -> Vec<Value> {
    let data = data(answer);
    let json = data.iter().filter(|data| *data != "[DONE]");
    json.map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// What the model said, in a document or a stream.
fn said(answer: &Answer) -> String {
    let text = |part: &Value| part["content"].as_str().unwrap_or_default().to_owned();
    if answer
        .header("content-type")
        .starts_with("text/event-stream")
    {
        let events = events(answer);
        let deltas = events.iter().map(|event| &event["choices"][0]["delta"]);
        return deltas.map(text).collect();
    }
    text(&answer.json()["choices"][0]["message"])
}

/// An error of OpenAI's shape: all its fields are there, and each is what its clients read. Gives its type, code and
/// parameter in one line, with `-` for null.
fn error_line(error: &Value) -> String {
    assert!(error["message"].is_string(), "{error}");
    assert_eq!(error.as_object().unwrap().len(), 4, "{error}");
    let field = |name: &str| match &error[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => panic!("{name} is {other}"),
    };
    assert_ne!(field("type"), "-", "{error}");
    format!("{} {} {}", field("type"), field("code"), field("param"))
}

/// Status, type, code and parameter of a refusal.
fn refusal(answer: &Answer) -> String {
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json"),
        "{answer:?}"
    );
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    format!("{} {}", answer.status, error_line(&body["error"]))
}

fn message(answer: &Answer) -> String {
    answer.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The provider and the model that a record ends with.
fn place(record: &RequestRecord) -> String {
    let name = |name: &Option<std::sync::Arc<str>>| name.as_deref().unwrap_or("-").to_owned();
    format!("{}/{}", name(&record.provider), name(&record.model))
}

/// Where each attempt went, and what came of it: `google/gemini-3.8-flash overloaded`.
fn steps(record: &RequestRecord) -> Vec<String> {
    let attempts = record.attempts.iter();
    let told = attempts.map(|attempt| {
        let at = attempt.elsewhere.as_ref().map_or_else(
            || place(record),
            |elsewhere| format!("{}/{}", elsewhere.provider, elsewhere.model),
        );
        format!("{at} {}", attempt.outcome.class.name())
    });
    told.collect()
}
