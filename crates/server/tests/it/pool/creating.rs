//! Calls that make something are repeated only when nothing can have been made.

use domain::Class;
use fake_upstream::{Rule, gemini};
use serde_json::json;

use super::keys;
use crate::support::{TestGateway, generate};

const CALLS: [&str; 4] = [
    "/v1beta/models/veo-3.1-generate-preview:predictLongRunning",
    "/v1beta/models/gemini-3.8-flash:batchGenerateContent",
    "/v1beta/cachedContents",
    "/v1beta/interactions",
];

async fn gateway() -> TestGateway {
    TestGateway::new()
        .upstream(gemini())
        .keys(keys(60))
        .setting("pool.request_timeout", "1s")
        .start()
        .await
}

/// Makes each call once; the provider fails the first try of each as the rule says.
async fn check(gateway: &TestGateway, rule: &Rule, attempts: usize) {
    for call in CALLS {
        gateway.upstream.remove_rules();
        gateway.upstream.clear_seen();
        gateway.upstream.add_rule(rule.clone().times(1));
        let body = json!({"model": "models/gemini-3.8-flash", "input": "hi", "contents": [{"parts": [{"text": "hi"}]}]});
        let answer = gateway.post(call, body.to_string()).await;
        assert_eq!(
            gateway.upstream.count(),
            attempts,
            "{call} with {rule:?}: {}",
            answer.text()
        );
        assert_eq!(
            answer.header("x-keymux-attempts"),
            attempts.to_string(),
            "{call} with {rule:?}"
        );
    }
}

fn error(name: &str) -> Rule {
    Rule::new().fixture(&format!("gemini/errors/{name}"))
}

#[tokio::test]
async fn refusals_prove_that_nothing_was_made() {
    let gateway = gateway().await;
    for name in [
        "429_per_minute_requests.json",
        "403_key_leaked.json",
        "400_api_key_invalid.json",
        "402_prepay_depleted.json",
    ] {
        check(&gateway, &error(name), 2).await;
    }
}

#[tokio::test]
async fn what_may_have_worked_is_not_repeated() {
    let gateway = gateway().await;
    for rule in [
        error("500_internal.json"),
        error("502_html.html"),
        error("504_deadline.json"),
        Rule::new().close(),
        Rule::new().reset(),
    ] {
        check(&gateway, &rule, 1).await;
    }
}

#[tokio::test]
async fn a_timeout_is_not_repeated() {
    let gateway = gateway().await;
    gateway
        .upstream
        .add_rule(Rule::new().stall_before_head().times(1));
    let answer = gateway.post(CALLS[0], "{}").await;
    assert_eq!((answer.status, gateway.upstream.count()), (504, 1));
    assert_eq!(gateway.only_record().await.error, Some(Class::Timeout));
}

#[tokio::test]
async fn a_kept_connection_that_closes_is_no_proof() {
    let gateway = gateway().await;
    assert_eq!(gateway.send(generate()).await.status, 200);
    check(&gateway, &Rule::new().close(), 1).await;
}

#[tokio::test]
async fn a_provider_that_is_not_there_has_made_nothing() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let gateway = TestGateway::new()
        .base_url(format!("http://{closed}"))
        .keys(keys(5))
        .start()
        .await;
    for call in CALLS {
        let answer = gateway.post(call, "{}").await;
        assert_eq!(
            (answer.status, answer.header("x-keymux-attempts")),
            (503, "3"),
            "{call}"
        );
    }
    assert!((0..5).all(|place| gateway.health(place) == "active"));
}

#[tokio::test]
async fn calls_that_make_nothing_are_repeated() {
    let gateway = gateway().await;
    for path in [
        "/v1beta/models/gemini-3.8-flash:countTokens",
        "/v1beta/models/gemini-embedding-001:embedContent",
    ] {
        gateway.upstream.remove_rules();
        gateway.upstream.clear_seen();
        gateway
            .upstream
            .add_rule(error("500_internal.json").times(1));
        let body = json!({"contents": [{"parts": [{"text": "hi"}]}], "content": {"parts": [{"text": "hi"}]}});
        let answer = gateway.post(path, body.to_string()).await;
        assert_eq!(
            answer.header("x-keymux-attempts"),
            "2",
            "{path}: {}",
            answer.text()
        );
    }
}
