//! The simple endpoints: one prompt (`proxy.rs`, and its failures in `failures.rs`), with the caller's own key
//! (`own_key.rs`), one chat (`chat.rs`), one image (`image.rs`), and their health (`health.rs`). What holds for all of them
//! as for every endpoint, limits and records and browsers, is in `common.rs`.

mod chat;
mod common;
mod failures;
mod health;
mod image;
mod own_key;
mod proxy;

use serde_json::{Value, json};

use crate::support::{Answer, TestGateway};

const PROXY: &str = "/gemini-proxy";
const CHAT: &str = "/api/v1/chat/generate-text";
const IMAGE: &str = "/api/v1/vision/extract-text";

/// A PNG of one transparent pixel.
const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\
    \x00\x00\x00\x0bIDATx\x9cc`\x00\x02\x00\x00\x05\x00\x01z^\xab?\x00\x00\x00\x00IEND\xaeB`\x82";

async fn proxy(gateway: &TestGateway, body: Value) -> Answer {
    gateway.post(PROXY, body.to_string()).await
}

/// A failure of `/gemini-proxy` in its shape. Gives its message.
fn check_failed(answer: &Answer, code: &str, status: u16) -> String {
    let body = answer.json();
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
    let message = body["errors"][0]["message"].as_str().unwrap().to_owned();
    let expected = json!({"result": "Failed", "errors": [{"code": code, "message": message}]});
    assert_eq!(body, expected);
    assert!(!message.is_empty());
    message
}

/// A value that is wrong, below `/api/v1`.
fn check_invalid(answer: &Answer, location: &Value, kind: &str) {
    let body = answer.json();
    assert_eq!(answer.status, 422, "{body}");
    let detail = &body["detail"][0];
    assert_eq!(
        (&detail["loc"], &detail["type"]),
        (location, &json!(kind)),
        "{body}"
    );
    assert!(detail["msg"].is_string(), "{body}");
}

/// A failure in a sentence, below `/api/v1`.
fn check_detail(answer: &Answer, status: u16, part: &str) {
    let body = answer.json();
    assert_eq!(answer.status, status, "{body}");
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.contains(part), "{detail}");
}

/// What the provider was sent last: its path and its body.
fn asked(gateway: &TestGateway) -> (String, Value) {
    let seen = gateway.upstream.seen();
    let last = seen.last().unwrap();
    let body = serde_json::from_slice(&last.body).unwrap();
    (last.path_and_query.clone(), body)
}
