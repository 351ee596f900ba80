//! Keys are exchanged for tokens: once however many ask, again when a token is over, and never seen by callers.

use std::time::Duration;

use fake_upstream::{FakeKey, KeyFault, Rule, Script, gigachat};
use futures_util::future::join_all;
use serde_json::json;

use super::{
    COMPANY, KEY, MODEL, ONE, OTHER, TWO, ask, attempts, health, start, start_with, stream,
    upstream,
};
use crate::support::talk::{ask_with, chat_body, refused};
use crate::support::{Operator, TestGateway, eventually};

fn slow_endpoint() -> Rule {
    let oauth = Rule::new().path_contains("oauth");
    oauth.delay_head(Duration::from_millis(200))
}

#[tokio::test]
async fn fifty_first_requests_at_once_ask_for_one_token() {
    let gateway = start(gigachat().rule(slow_endpoint()), COMPANY).await;
    let answers = join_all((0..50).map(|_| ask(&gateway))).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(upstream(&gateway).token_requests(), 1);
    assert!(upstream(&gateway).most_in_flight(KEY) <= 10);
}

#[tokio::test]
async fn a_token_is_kept_whatever_the_unit_of_its_end() {
    for script in [gigachat(), gigachat().token_expiry_in_seconds()] {
        let gateway = start(script, ONE).await;
        for _ in 0..3 {
            assert_eq!(ask(&gateway).await.status, 200);
        }
        assert_eq!(upstream(&gateway).token_requests(), 1);
    }
}

#[tokio::test]
async fn a_token_is_fetched_anew_before_it_is_over() {
    let script = gigachat().token_lifetime(Duration::from_secs(2));
    let gateway = start(script, ONE).await;
    eventually("a second token", async || {
        assert_eq!(ask(&gateway).await.status, 200);
        (upstream(&gateway).token_requests() == 2).then_some(())
    })
    .await;
    assert_eq!(health(&gateway, 0), "active");
}

#[tokio::test]
async fn a_refused_token_is_fetched_anew_and_the_caller_sees_nothing() {
    let gateway = start(gigachat(), ONE).await;
    assert_eq!(ask(&gateway).await.status, 200);
    for tokens in [2, 3] {
        upstream(&gateway).expire_tokens();
        let answer = if tokens == 2 {
            ask(&gateway).await
        } else {
            stream(&gateway).await
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(attempts(&gateway, &answer).await, "ok");
        assert_eq!(upstream(&gateway).token_requests(), tokens);
    }
    assert_eq!(health(&gateway, 0), "active");
}

#[tokio::test]
async fn tokens_that_end_under_many_requests_are_fetched_anew_once() {
    let gateway = start(gigachat().rule(slow_endpoint()), COMPANY).await;
    assert_eq!(ask(&gateway).await.status, 200);
    upstream(&gateway).expire_tokens();
    let answers = join_all((0..10).map(|_| ask(&gateway))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(upstream(&gateway).token_requests(), 2);
}

#[tokio::test]
async fn a_second_refusal_is_the_keys_fault_and_the_next_key_answers() {
    for fault in [KeyFault::TokenExpired, KeyFault::Unauthorized] {
        let script = gigachat()
            .key(FakeKey::new(KEY).fault(fault))
            .key(FakeKey::new(OTHER));
        let gateway = start(script, TWO).await;
        let answer = ask(&gateway).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(attempts(&gateway, &answer).await, "key_invalid ok");
        // Two tokens and two chats.
        assert_eq!(upstream(&gateway).count_for_key(KEY), 4);
    }
}

#[tokio::test]
async fn when_the_only_key_is_refused_the_caller_does_not_learn_why() {
    let script = gigachat().key(FakeKey::new(KEY).fault(KeyFault::TokenExpired));
    let gateway = start(script, ONE).await;
    let message = refused(&ask(&gateway).await, 503);
    assert!(!message.to_lowercase().contains("token"), "{message}");
}

/// What the token endpoint may do wrong for [`KEY`].
fn mishaps() -> Vec<Script> {
    let at = || Rule::new().path_contains("oauth").key(KEY);
    let rules = [
        at().respond(
            400,
            r#"{"code": 1, "message": "scope data format invalid"}"#,
        ),
        at().respond(400, r#"{"code": 5, "message": "scope is empty"}"#),
        at().respond(
            400,
            r#"{"code": 4, "message": "Can't decode 'Authorization' header"}"#,
        ),
        at().respond(403, r#"{"code": 9, "message": "the scope is forbidden"}"#),
        at().respond(429, r#"{"code": 9, "message": "scope: too many"}"#),
        at().respond(500, r#"{"code": 9, "message": "scope database is down"}"#),
        at().respond_with(502, &[("content-type", "text/html")], "<html>scope</html>"),
        at().respond(200, r#"{"scope": "no token here"}"#),
        at().respond(200, "scope: no JSON"),
        at().respond(200, r#"{"access_token": "scope\nof two lines"}"#),
        at().reset(),
    ];
    let faults = [KeyFault::Invalid, KeyFault::ScopeMismatch];
    let keys = faults.map(|fault| gigachat().key(FakeKey::new(KEY).fault(fault)));
    let keys = keys.map(|script| script.key(FakeKey::new(OTHER)));
    let rules = rules.into_iter().map(|rule| gigachat().rule(rule));
    keys.into_iter().chain(rules).collect()
}

#[tokio::test]
async fn a_key_without_a_token_is_left_for_the_next() {
    for (number, script) in mishaps().into_iter().enumerate() {
        let gateway = start(script, TWO).await;
        let answer = ask(&gateway).await;
        assert_eq!(answer.status, 200, "mishap {number}: {}", answer.text());
        assert!(upstream(&gateway).count_for_key(KEY) > 0, "mishap {number}");
    }
}

#[tokio::test]
async fn the_token_endpoints_words_are_not_for_callers() {
    for (number, script) in mishaps().into_iter().enumerate() {
        let settings = [("retry.max_attempts", "2")];
        let gateway = start_with(script, ONE, &settings).await;
        let message = refused(&ask(&gateway).await, 503);
        let words = ["scope", "credential", "Authorization", "oauth", KEY];
        for word in words {
            assert!(!message.contains(word), "mishap {number}: {message}");
        }
    }
}

#[tokio::test]
async fn a_key_that_the_caller_brings_is_exchanged_for_a_token_too() {
    const BROUGHT: &str = "Z2c6Mw==";
    let script = gigachat().key(FakeKey::new(KEY)).key(FakeKey::new(BROUGHT));
    let gateway = start(script, ONE).await;
    for (brought, own, pooled) in [(BROUGHT, 2, 0), ("d3Jvbmc=", 2, 2)] {
        let headers = [("x-gigachat-api-key", brought)];
        let body = chat_body(MODEL, "Привет", json!({}));
        let request = ask_with("/v1/chat/completions", &headers, &body);
        let answer = gateway.talk(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let upstream = upstream(&gateway);
        assert_eq!(upstream.count_for_key(BROUGHT), own, "{brought}");
        assert_eq!(upstream.count_for_key(KEY), pooled, "{brought}");
        assert!(
            upstream
                .seen()
                .iter()
                .all(|seen| seen.header("x-gigachat-api-key").is_none())
        );
    }
    assert_eq!(health(&gateway, 0), "active");
}

async fn test_by_hand(gateway: &TestGateway) -> serde_json::Value {
    let admin = Operator::admin(gateway).await;
    let rows = admin.rows("/api/keys").await;
    let row = rows
        .iter()
        .find(|row| row["provider"] == "gigachat")
        .unwrap();
    let path = format!("/api/keys/{}/test", row["id"]);
    admin.send("POST", &path, None).await.expect(200).json()
}

#[tokio::test]
async fn a_key_is_tried_by_hand_through_its_token() {
    let gateway = start(gigachat(), ONE).await;
    for tokens in [1, 2] {
        let result = test_by_hand(&gateway).await;
        assert_eq!(result["works"], true, "{result}");
        assert_eq!(upstream(&gateway).token_requests(), tokens);
        upstream(&gateway).expire_tokens();
    }
    for fault in [KeyFault::ScopeMismatch, KeyFault::Invalid] {
        let script = gigachat().key(FakeKey::new(KEY).fault(fault));
        let gateway = start(script, ONE).await;
        let result = test_by_hand(&gateway).await;
        assert_eq!(result["works"], false, "{result}");
        assert_eq!(result["class"], "key_invalid", "{result}");
    }
}
