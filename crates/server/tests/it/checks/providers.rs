//! What each provider is asked: the cheapest call that proves the key, and the model with it.

use fake_upstream::{FakeKey, KeyFault, Script, gigachat, openai, perplexity, xai};

use super::count;
use crate::support::{Operator, TestGateway, eventually};

async fn start(name: &'static str, script: Script, fields: &str) -> (TestGateway, Operator) {
    let fields = format!("models_refresh: 0s\n{fields}");
    let gateway = TestGateway::new()
        .checking_keys()
        .with_provider(name, script, &fields)
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    (gateway, admin)
}

/// The reason of the check of the provider's first key with this model.
async fn found(admin: &Operator, provider: &str, model: &str) -> String {
    let path = format!("/api/key_checks?provider={provider}&model={model}");
    eventually(&format!("{provider} is asked"), async || {
        let rows = admin.rows(&path).await;
        rows.first()?["reason"].as_str().map(str::to_owned)
    })
    .await
}

#[tokio::test]
async fn xai_is_asked_about_the_key_and_the_model() {
    let blocked = FakeKey::new("xai-2").fault(KeyFault::Leaked);
    let script = xai().key(FakeKey::new("xai-1")).key(blocked);
    let fields = "keys: [xai-1, xai-2]\nhealth_check: { models: [grok-4.7, grok-none] }";
    let (gateway, admin) = start("xai", script, fields).await;
    assert_eq!(found(&admin, "xai", "grok-4.7").await, "ok");
    assert_eq!(found(&admin, "xai", "grok-none").await, "model_not_found");
    eventually("the blocked key is out", async || {
        let rows = admin.rows("/api/keys?provider=xai&status=invalid").await;
        (rows.len() == 1).then_some(())
    })
    .await;
    let upstream = gateway.provider("xai");
    assert!(count(upstream, "/v1/api-key") >= 2);
    assert_eq!(count(upstream, "/v1/models/grok-4.7"), 1);
    assert_eq!(count(upstream, "/chat/completions"), 0);
}

#[tokio::test]
async fn servers_of_openais_kind_are_asked_for_the_model() {
    let bad = FakeKey::new("sk-bad-key").fault(KeyFault::Invalid);
    let script = openai().key(FakeKey::new("sk-good-key")).key(bad);
    let fields = "keys: [sk-good-key, sk-bad-key]\nhealth_check: { model: gpt-6-luna }";
    let (gateway, admin) = start("compatible", script, fields).await;
    assert_eq!(found(&admin, "compatible", "gpt-6-luna").await, "ok");
    eventually("the bad key is out", async || {
        let rows = admin
            .rows("/api/keys?provider=compatible&status=invalid")
            .await;
        (rows.len() == 1).then_some(())
    })
    .await;
    assert_eq!(
        count(gateway.provider("compatible"), "/v1/models/gpt-6-luna"),
        2
    );
}

#[tokio::test]
async fn a_server_with_a_list_and_nothing_below_it_is_asked_for_the_list() {
    let none = fake_upstream::Rule::new()
        .path_contains("/models/")
        .respond(404, r#"{"detail":"Not Found"}"#);
    let fields = "keys: [sk-good-key]\nhealth_check: { models: [gpt-6-luna, none] }";
    let (gateway, admin) = start("compatible", openai().rule(none), fields).await;
    assert_eq!(found(&admin, "compatible", "gpt-6-luna").await, "ok");
    assert_eq!(
        found(&admin, "compatible", "none").await,
        "model_not_listed"
    );
    let keys = admin
        .rows("/api/keys?provider=compatible&status=active")
        .await;
    assert_eq!(keys.len(), 1);
    drop(gateway);
}

#[tokio::test]
async fn perplexity_is_asked_for_its_list() {
    let fields = "keys: [pplx-key-1]\nhealth_check: { model: sonar-pro }";
    let (gateway, admin) = start("perplexity", perplexity(), fields).await;
    assert_eq!(found(&admin, "perplexity", "sonar-pro").await, "ok");
    assert_eq!(count(gateway.provider("perplexity"), "/v1/responses"), 0);
}

#[tokio::test]
async fn gigachat_exchanges_the_key_and_is_asked_for_the_model() {
    let fields = "keys: [Z2c6MQ==]\nhealth_check: { model: GigaChat-2-Max }";
    let (gateway, admin) = start("gigachat", gigachat(), fields).await;
    assert_eq!(found(&admin, "gigachat", "GigaChat-2-Max").await, "ok");
    let upstream = gateway.provider("gigachat");
    assert_eq!(upstream.token_requests(), 1);
    assert_eq!(count(upstream, "/api/v1/models/GigaChat-2-Max"), 1);
}
