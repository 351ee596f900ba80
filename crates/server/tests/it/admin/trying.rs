//! Resetting and testing keys by hand changes what the pool does with the next request.

use fake_upstream::{FakeKey, FakeUpstream, KeyFault, gemini};
use serde_json::{Value, json};

use crate::support::{Operator, TestGateway};

const KEY: &str = "AIza-key-1";

async fn with(fault: KeyFault) -> (TestGateway, Operator) {
    let upstream = gemini().key(FakeKey::new(KEY).fault(fault));
    let gateway = TestGateway::new()
        .upstream(upstream)
        .keys([KEY])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    (gateway, admin)
}

async fn deed(admin: &Operator, deed: &str) -> Value {
    let answer = admin
        .send("POST", &format!("/api/keys/1/{deed}"), None)
        .await;
    answer.expect(200).json()
}

async fn status(admin: &Operator) -> String {
    let rows = admin.rows("/api/keys").await;
    rows[0]["status"].as_str().unwrap().to_owned()
}

fn uses(upstream: &FakeUpstream) -> usize {
    upstream.count_for_key(KEY)
}

#[tokio::test]
async fn a_retired_key_that_is_reset_is_used_again() {
    let (gateway, admin) = with(KeyFault::Leaked).await;
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(status(&admin).await, "invalid");
    let before = uses(&gateway.upstream);
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(
        uses(&gateway.upstream),
        before,
        "a retired key is not tried"
    );
    gateway.upstream.fix_key(KEY);
    let key = deed(&admin, "reset").await;
    assert_eq!(
        (&key["status"], &key["reason"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(gateway.generate().await.status, 200);
    let gateway = gateway.crash().await;
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn a_reset_clears_what_is_cooling() {
    let (gateway, admin) = with(KeyFault::BareQuota).await;
    assert_eq!(gateway.generate().await.status, 503);
    assert!(gateway.pair_cooling(0) > 0 || status(&admin).await == "cooling");
    gateway.upstream.fix_key(KEY);
    assert_eq!(gateway.generate().await.status, 503);
    deed(&admin, "reset").await;
    assert_eq!(gateway.pair_cooling(0), 0);
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn a_test_takes_a_bad_key_out_and_brings_a_mended_one_back() {
    let (gateway, admin) = with(KeyFault::Suspended).await;
    assert_eq!(status(&admin).await, "active");
    let result = deed(&admin, "test").await;
    assert_eq!(
        (&result["works"], &result["id"]),
        (&json!(false), &json!(1))
    );
    assert!(!result["class"].as_str().unwrap().is_empty(), "{result}");
    assert_eq!(status(&admin).await, "invalid");
    let before = uses(&gateway.upstream);
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(uses(&gateway.upstream), before);
    gateway.upstream.fix_key(KEY);
    let result = deed(&admin, "test").await;
    assert_eq!(
        (&result["works"], &result["class"]),
        (&json!(true), &json!("ok"))
    );
    assert_eq!(status(&admin).await, "active");
    assert_eq!(gateway.generate().await.status, 200);
    let lines = admin.rows("/api/activity_logs?action=TEST").await;
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[tokio::test]
async fn an_overloaded_provider_says_nothing_against_a_key() {
    let (gateway, admin) = with(KeyFault::Overloaded).await;
    let result = deed(&admin, "test").await;
    assert_eq!(result["works"], false);
    assert_ne!(status(&admin).await, "invalid");
    gateway.upstream.fix_key(KEY);
    deed(&admin, "reset").await;
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn a_disabled_key_stays_disabled_though_it_works() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    admin
        .patch("/api/keys/1", json!({"enabled": false}))
        .await
        .expect(200);
    for name in ["reset", "test"] {
        deed(&admin, name).await;
        assert_eq!(status(&admin).await, "disabled", "{name}");
    }
    assert_eq!(gateway.generate().await.status, 503);
}
