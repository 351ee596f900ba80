//! GigaChat's refusals: which are the caller's to read, which cost a key something, and which are tried again.

use fake_upstream::{FakeKey, KeyFault, Rule, gigachat};
use serde_json::json;

use super::{KEY, MODEL, ONE, OTHER, TWO, ask, attempts, health, start, stream, upstream};
use crate::support::talk::{chat, chunks, is_done, refused, said};

fn chats() -> Rule {
    Rule::new().path_contains("/chat/")
}

/// One refusal of every chat: the caller's status, a word of the message, and how often GigaChat was asked.
async fn check(rule: Rule, status: u16, word: &str, asked: usize) {
    let gateway = start(gigachat().rule(rule), ONE).await;
    let answer = ask(&gateway).await;
    let message = refused(&answer, status);
    assert!(message.contains(word), "{message}");
    assert_eq!(
        super::asked_at(&gateway, "/chat/completions").len(),
        asked,
        "{message}"
    );
    assert_eq!(health(&gateway, 0), "active", "{message}");
}

#[tokio::test]
async fn the_callers_mistakes_are_told_at_once_and_hurt_no_key() {
    check(chats().fixture("gigachat/errors/404.json"), 404, "odel", 1).await;
    check(
        chats().fixture("gigachat/errors/422.json"),
        422,
        "Invalid params",
        1,
    )
    .await;
    check(
        chats().fixture("gigachat/errors/422_functions.json"),
        422,
        "functions",
        1,
    )
    .await;
    check(
        chats().fixture("gigachat/errors/413.json"),
        413,
        "Payload too large",
        1,
    )
    .await;
    check(
        chats().respond(400, r#"{"status":400,"message":"bad JSON"}"#),
        400,
        "bad JSON",
        1,
    )
    .await;
}

#[tokio::test]
async fn pages_of_the_balancer_are_tried_again_and_never_shown() {
    let page = |status| {
        let html = [("content-type", "text/html")];
        chats().respond_with(status, &html, "<html><title>nginx</title></html>")
    };
    for status in [401, 403, 404, 502, 504] {
        let gateway = start(gigachat().rule(page(status).times(1)), ONE).await;
        let answer = ask(&gateway).await;
        assert_eq!(answer.status, 200, "{status}: {}", answer.text());
        let gateway = start(gigachat().rule(page(status)), ONE).await;
        let answer = ask(&gateway).await;
        assert!(answer.status >= 500, "{status}: {}", answer.status);
        let message = refused(&answer, answer.status);
        assert!(!message.contains("nginx"), "{status}: {message}");
        assert_eq!(health(&gateway, 0), "active", "{status}");
    }
}

#[tokio::test]
async fn a_failing_server_is_asked_again() {
    let rule = chats().fixture("gigachat/errors/500.json").times(2);
    let gateway = start(gigachat().rule(rule), ONE).await;
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        attempts(&gateway, &answer).await,
        "server_error server_error ok"
    );
}

#[tokio::test]
async fn what_is_about_keys_stays_here_also_in_mid_answer() {
    let begun = "data: {\"choices\":[{\"delta\":{\"content\":\"Да\",\"role\":\"assistant\"},\"index\":0}],\"created\":1,\"model\":\"m\"}\n\n";
    let over = "data: {\"status\":401,\"message\":\"Token has expired\"}\n\n";
    let events = [("content-type", "text/event-stream")];
    let rule = chats().respond_with(200, &events, format!("{begun}{over}"));
    let gateway = start(gigachat().rule(rule), ONE).await;
    let answer = stream(&gateway).await;
    assert_eq!(said(&answer), "Да", "{}", answer.text());
    let error = &chunks(&answer).pop().unwrap()["error"];
    assert_eq!(error["type"], "server_error", "{error}");
    assert!(!answer.text().contains("Token"), "{}", answer.text());
    assert!(!is_done(&answer));
}

#[tokio::test]
async fn garbage_is_a_failure_of_the_provider() {
    let gateway = start(gigachat().rule(chats().garbage()), ONE).await;
    let answer = ask(&gateway).await;
    assert!(answer.status >= 500, "{}", answer.status);
    refused(&answer, answer.status);
}

#[tokio::test]
async fn a_used_up_package_takes_one_model_out_and_no_other() {
    let spent = FakeKey::new(KEY).model_fault("GigaChat-2-Max", KeyFault::PrepayDepleted);
    let gateway = start(gigachat().key(spent), ONE).await;
    let message = refused(&ask(&gateway).await, 503);
    assert!(!message.contains("Payment"), "{message}");
    let other = gateway
        .talk(chat("gigachat/GigaChat-2-Pro", "Привет", json!({})))
        .await;
    assert_eq!(other.status, 200, "{}", other.text());
    assert_eq!(health(&gateway, 0), "active");
    let before = upstream(&gateway).count();
    refused(&ask(&gateway).await, 503);
    assert_eq!(
        upstream(&gateway).count(),
        before,
        "it was asked of a spent package"
    );
}

#[tokio::test]
async fn another_key_has_tokens_left() {
    let spent = FakeKey::new(KEY).model_fault("GigaChat-2-Max", KeyFault::PrepayDepleted);
    let script = gigachat().key(spent).key(FakeKey::new(OTHER));
    let gateway = start(script, TWO).await;
    let answer = ask(&gateway).await;
    assert_eq!(attempts(&gateway, &answer).await, "billing ok");
    let answer = ask(&gateway).await;
    assert_eq!(attempts(&gateway, &answer).await, "ok");
}

#[tokio::test]
async fn an_unknown_model_is_not_found() {
    let gateway = start(gigachat(), ONE).await;
    let answer = gateway
        .talk(chat("gigachat/GigaChat-9", "Привет", json!({})))
        .await;
    refused(&answer, 404);
    assert_eq!(answer.json()["error"]["code"], "model_not_found");
    assert_eq!(ask(&gateway).await.status, 200);
}

#[tokio::test]
async fn what_gigachat_cannot_do_is_refused_before_it_is_asked() {
    let gateway = start(gigachat(), ONE).await;
    let bad = json!({"messages": [{"role": "nobody", "content": "x"}]});
    refused(&gateway.talk(chat(MODEL, "", bad)).await, 400);
    assert_eq!(upstream(&gateway).count(), 0);
}
