//! `/gemini-proxy` with the caller's own model and key: that key and no other, and its failures hurt nobody.

use fake_upstream::{Rule, gemini};
use serde_json::json;

use super::{PROXY, asked, check_failed};
use crate::support::{Answer, CLIENT_KEY, MODEL, Operator, TestGateway, eventually, request};

const OWN: &str = "AIza-own-key-of-a-caller-0001";

async fn gateway(rule: Rule) -> TestGateway {
    TestGateway::new()
        .upstream(gemini().says("hello").rule(rule.key(OWN)))
        .start()
        .await
}

async fn ask(gateway: &TestGateway) -> Answer {
    let body = json!({"prompt": "hi", "model": format!("google/{MODEL}"), "api_key": OWN});
    gateway.post(PROXY, body.to_string()).await
}

/// The provider is asked with the caller's key only, and the pool's key stays what it was.
async fn check(rule: Rule, code: &str, status: u16) -> String {
    let gateway = gateway(rule).await;
    let answer = ask(&gateway).await;
    let message = check_failed(&answer, code, status);
    assert!(!answer.text().contains(OWN), "{}", answer.text());
    let seen = gateway.upstream.seen();
    assert!(!seen.is_empty());
    assert!(
        seen.iter().all(|seen| seen.key.as_deref() == Some(OWN)),
        "{seen:?}"
    );
    assert_eq!(
        (gateway.health(0), gateway.pair_cooling(0)),
        ("active".to_owned(), 0)
    );
    let record = gateway.record_of(&answer).await;
    assert_eq!((record.key, record.status), (None, status));
    message
}

fn error(name: &str) -> Rule {
    Rule::new().fixture(&format!("gemini/errors/{name}"))
}

#[tokio::test]
async fn model_and_key_are_used_as_given() {
    for name in ["model", "model_name"] {
        for model in [
            "gemini-2.5-pro",
            "models/gemini-2.5-pro",
            "google/gemini-2.5-pro",
        ] {
            let gateway = gateway(Rule::new()).await;
            let body = json!({"prompt": "hi", name: model, "api_key": OWN});
            let answer = gateway.post(PROXY, body.to_string()).await;
            assert_eq!(answer.json()["data"]["model"], "gemini-2.5-pro");
            let (path, _) = asked(&gateway);
            assert_eq!(path, "/v1beta/models/gemini-2.5-pro:generateContent");
            assert_eq!(gateway.upstream.seen()[0].key.as_deref(), Some(OWN));
        }
    }
}

#[tokio::test]
async fn a_key_that_the_provider_refuses_is_the_callers() {
    for name in [
        "400_api_key_invalid.json",
        "401_access_token_type.json",
        "403_key_leaked.json",
        "403_api_key_service_blocked.json",
        "403_consumer_suspended.json",
    ] {
        let message = check(error(name), "AUTH_ERROR", 401).await;
        assert!(
            message.contains("api_key of this request")
                || message.contains("this request's api_key")
        );
    }
}

#[tokio::test]
async fn its_quota_and_its_bill_are_the_callers() {
    check(error("429_per_day.json"), "QUOTA_ERROR", 429).await;
    check(error("429_per_minute_requests.json"), "QUOTA_ERROR", 429).await;
    check(error("402_prepay_depleted.json"), "QUOTA_ERROR", 429).await;
}

#[tokio::test]
async fn the_provider_s_time_to_come_back_is_passed_on() {
    let gateway = gateway(error("429_per_minute_requests.json")).await;
    let answer = ask(&gateway).await;
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!(wait > 0, "{wait}");
}

#[tokio::test]
async fn its_other_failures_do_not_fall_back_to_the_pool() {
    check(error("404_model.json"), "MODEL_NOT_FOUND", 404).await;
    check(error("500_internal.json"), "UPSTREAM_ERROR", 502).await;
    check(Rule::new().close(), "UPSTREAM_ERROR", 502).await;
}

#[tokio::test]
async fn what_is_nobodys_fault_is_tried_again_with_it() {
    let gateway = gateway(error("503_overloaded.json").times(1)).await;
    let answer = ask(&gateway).await;
    assert_eq!(
        answer.json()["data"]["response"],
        "hello",
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("x-keymux-attempts"), "2");
    let seen = gateway.upstream.seen();
    assert!(seen.iter().all(|seen| seen.key.as_deref() == Some(OWN)));
}

#[tokio::test]
async fn it_works_where_the_pool_has_no_usable_key() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(error("400_api_key_invalid.json").key("AIza-key-1")))
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(ask(&gateway).await.status, 200);
}

#[tokio::test]
async fn a_key_in_the_header_goes_before_the_pool_and_not_instead_of_it() {
    let gateway = gateway(error("400_api_key_invalid.json")).await;
    let headers = [("x-goog-api-key", CLIENT_KEY), ("x-google-api-key", OWN)];
    let body = json!({"prompt": "hi"}).to_string();
    let answer = gateway.send(request("POST", PROXY, &headers, body)).await;
    assert_eq!(
        answer.json()["data"]["response"],
        "hello",
        "{}",
        answer.text()
    );
    let keys = gateway.upstream.seen();
    let keys: Vec<_> = keys.iter().map(|seen| seen.key.as_deref()).collect();
    assert_eq!(keys, [Some(OWN), Some("AIza-key-1")]);
}

#[tokio::test]
async fn it_is_kept_out_of_kept_bodies() {
    let gateway = TestGateway::new()
        .setting("logs.bodies", "all")
        .start()
        .await;
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let admin = Operator::admin(&gateway).await;
    let path = format!("/api/request_logs/{}", answer.header("x-keymux-request-id"));
    let kept = eventually("its bodies are kept", async || {
        let answer = admin.get(&path).await;
        (answer.status == 200 && !answer.json()["request_body"].is_null()).then_some(answer)
    })
    .await;
    let body = kept.json()["request_body"]["text"].to_string();
    assert!(body.contains("prompt") && !body.contains(OWN), "{body}");
}
