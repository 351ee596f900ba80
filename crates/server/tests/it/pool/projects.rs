//! What keys of one project share, and what models do not.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};

use super::uses;
use crate::support::{MODEL, TestGateway, prompt};

/// Two keys of project `a`, and one of another. The first one answers as the script says.
async fn gateway(script: fake_upstream::Script) -> TestGateway {
    TestGateway::new()
        .upstream(script)
        .keys([
            "{ key: AIza-key-1, project: a }",
            "{ key: AIza-key-2, project: a }",
            "AIza-key-3",
        ])
        .setting("pool.strategy", "fill_first")
        .start()
        .await
}

fn first_key_answers(fixture: &str) -> fake_upstream::Script {
    gemini().rule(
        Rule::new()
            .key("AIza-key-1")
            .fixture(&format!("gemini/errors/{fixture}")),
    )
}

#[tokio::test]
async fn siblings_of_a_throttled_key_cool_with_it() {
    for error in [
        "429_per_minute_requests.json",
        "429_per_day.json",
        "429_limit_zero.json",
    ] {
        let gateway = gateway(first_key_answers(error)).await;
        for _ in 0..3 {
            assert_eq!(gateway.generate().await.status, 200);
        }
        assert_eq!(uses(&gateway, 3), [1, 0, 3], "{error}");
    }
}

#[tokio::test]
async fn siblings_of_an_unpaid_key_are_unpaid() {
    let gateway = gateway(first_key_answers("402_prepay_depleted.json")).await;
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(uses(&gateway, 3), [1, 0, 1]);
    assert_eq!(gateway.health(1), "cooling 3600s");
    assert_eq!(gateway.health(2), "active");
}

#[tokio::test]
async fn siblings_of_an_invalid_key_are_used() {
    let script = [2, 3].map(|number| FakeKey::new(&format!("AIza-key-{number}")));
    let script = script
        .into_iter()
        .fold(gemini(), fake_upstream::Script::key);
    let gateway = gateway(script.key(FakeKey::new("AIza-key-1").fault(KeyFault::Expired))).await;
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(uses(&gateway, 3), [1, 1, 0]);
}

#[tokio::test]
async fn a_throttled_model_does_not_stop_other_models() {
    let gateway = TestGateway::new()
        .upstream(gemini().key(FakeKey::new("AIza-key-1").rpm(MODEL, 1)))
        .start()
        .await;
    let other = "/v1beta/models/gemini-2.5-pro:generateContent";
    for (path, status) in [
        (None, 200),
        (None, 503),
        (Some(other), 200),
        (None, 503),
        (Some(other), 200),
    ] {
        let answer = match path {
            Some(path) => gateway.post(path, prompt("hi")).await,
            None => gateway.generate().await,
        };
        assert_eq!(answer.status, status, "{path:?}");
    }
    assert_eq!(gateway.upstream.count(), 4);
}

#[tokio::test]
async fn a_model_has_one_quota_whatever_method_is_called() {
    let gateway = TestGateway::new()
        .upstream(gemini().key(FakeKey::new("AIza-key-1").rpm(MODEL, 1)))
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(gateway.stream().await.status, 503);
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(gateway.upstream.count(), 2);
}
