//! `/api/v1/chat/generate-text`.

use fake_upstream::{Rule, gemini};
use serde_json::{Value, json};

use super::{CHAT, asked, check_detail, check_invalid};
use crate::support::{Answer, CLIENT_KEY, MODEL, TestGateway, request};

async fn chat(gateway: &TestGateway, body: Value) -> Answer {
    gateway.post(CHAT, body.to_string()).await
}

async fn failing(rule: Rule) -> Answer {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .start()
        .await;
    chat(&gateway, json!({"message": "hi"})).await
}

fn error(name: &str) -> Rule {
    Rule::new().fixture(&format!("gemini/errors/{name}"))
}

#[tokio::test]
async fn a_message_is_answered_by_the_default_model() {
    let gateway = TestGateway::new()
        .upstream(gemini().says("hello"))
        .provider("default_model", MODEL)
        .start()
        .await;
    for body in [
        json!({"message": "hi"}),
        json!({"message": "hi", "history": [], "model": null, "temperature": 1}),
    ] {
        let answer = chat(&gateway, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let expected = json!({"response_text": "hello", "model_used": MODEL});
        assert_eq!(answer.json(), expected);
    }
}

#[tokio::test]
async fn history_goes_before_the_message_and_sides_take_turns() {
    let gateway = TestGateway::new().start().await;
    let history = json!([
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "one"},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": "three"},
        {"role": "model", "content": "four"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "five"},
    ]);
    let body = json!({"message": "six", "history": history, "model_name": "google/gemini-2.5-pro"});
    let answer = chat(&gateway, body).await;
    assert_eq!(
        answer.json()["model_used"],
        "gemini-2.5-pro",
        "{}",
        answer.text()
    );
    let (path, sent) = asked(&gateway);
    assert_eq!(path, "/v1beta/models/gemini-2.5-pro:generateContent");
    let part = |text: &str| json!({"text": text});
    let expected = json!({
        "systemInstruction": {"parts": [part("be brief")]},
        "contents": [
            {"role": "user", "parts": [part("one"), part("two")]},
            {"role": "model", "parts": [part("three"), part("four")]},
            {"role": "user", "parts": [part("five"), part("six")]},
        ],
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_wrong_value_is_pointed_at() {
    let gateway = TestGateway::new().start().await;
    let entry = |entry: Value| json!({"message": "hi", "history": [{"role": "user", "content": "a"}, entry]});
    for (body, location, kind) in [
        (json!({}), json!(["body", "message"]), "missing"),
        (
            json!({"message": 7}),
            json!(["body", "message"]),
            "string_type",
        ),
        (
            json!({"message": " "}),
            json!(["body", "message"]),
            "string_too_short",
        ),
        (
            json!({"message": "hi", "model": "../x"}),
            json!(["body", "model"]),
            "value_error",
        ),
        (
            json!({"message": "hi", "history": "x"}),
            json!(["body", "history"]),
            "list_type",
        ),
        (
            entry(json!({"role": "tool", "content": "a"})),
            json!(["body", "history", 1, "role"]),
            "literal_error",
        ),
        (
            entry(json!({"role": "user"})),
            json!(["body", "history", 1, "content"]),
            "missing",
        ),
        (json!(["hi"]), json!(["body"]), "model_type"),
    ] {
        check_invalid(&chat(&gateway, body).await, &location, kind);
    }
    let broken = gateway.post(CHAT, "{\"message\"").await;
    check_invalid(&broken, &json!(["body"]), "json_invalid");
    let empty = gateway.post(CHAT, "").await;
    check_invalid(&empty, &json!(["body"]), "missing");
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn failures_are_details_with_the_status_of_what_happened() {
    for (rule, status, part) in [
        (error("429_per_minute_requests.json"), 429, "cooling"),
        (error("400_api_key_invalid.json"), 502, "no usable key"),
        (error("404_model.json"), 404, "gemini"),
        (error("500_internal.json"), 502, "internal error"),
        (error("400_token_limit.json"), 400, "token"),
        (Rule::new().blocked_prompt(), 422, "PROHIBITED_CONTENT"),
    ] {
        check_detail(&failing(rule).await, status, part);
    }
}

#[tokio::test]
async fn who_may_not_ask_reads_a_detail() {
    let gateway = TestGateway::new().start().await;
    let body = json!({"message": "hi"}).to_string();
    let answer = gateway.send(request("POST", CHAT, &[], body.clone())).await;
    check_detail(&answer, 401, "client key");
    let headers = [("x-goog-api-key", CLIENT_KEY)];
    let answer = gateway.send(request("GET", CHAT, &headers, "")).await;
    check_detail(&answer, 405, "POST");
    assert_eq!(answer.header("allow"), "POST");
    let path = format!("{CHAT}/");
    let answer = gateway.send(request("POST", &path, &headers, body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
