//! `GET /v1/models` and `/v1/models/{id}`: what the caller could use now, of every provider, and the aliases.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini, openai, xai};
use serde_json::json;

use super::{GROK, ask, chat, get, get_as, refusal};
use crate::support::{Builder, CLIENT_KEY, MODEL, TestGateway, eventually, request};

const OTHER: &str = "gemini-2.5-pro";

async fn ids_for(gateway: &TestGateway, secret: &str) -> Vec<String> {
    let list = get_as(gateway, secret, "/v1/models").await.expect(200);
    let list = list.json();
    assert_eq!(list["object"], "list");
    let models = list["data"].as_array().unwrap().iter();
    let ids = models.map(|model| {
        assert_eq!(model["object"], "model");
        assert!(model["created"].is_u64() && model["owned_by"].is_string());
        model["id"].as_str().unwrap().to_owned()
    });
    ids.collect()
}

async fn ids(gateway: &TestGateway) -> Vec<String> {
    ids_for(gateway, CLIENT_KEY).await
}

/// Google with two models, xAI with one, and aliases to each and to both.
fn three() -> Builder {
    TestGateway::new()
        .upstream(gemini().models(&[MODEL, OTHER]))
        .listing_models()
        .with_provider("xai", xai().models(&[GROK]), "keys: [xai-key-0001]")
        .setting("aliases.fast", &format!("google/{MODEL}"))
        .setting("aliases.smart", &format!("[google/{MODEL}, xai/{GROK}]"))
        .setting("aliases.witty", &format!("xai/{GROK}"))
}

const ALL: [&str; 6] = [
    "google/gemini-3.8-flash",
    "google/gemini-2.5-pro",
    "xai/grok-4.6",
    "fast",
    "smart",
    "witty",
];

#[tokio::test]
async fn every_model_is_listed_with_its_provider_and_the_aliases_after_them() {
    assert_eq!(ids(&three().start().await).await, ALL);
}

#[tokio::test]
async fn a_provider_whose_only_key_is_dead_is_left_out() {
    let gateway = three().start().await;
    assert_eq!(ids(&gateway).await, ALL);
    let dead = FakeKey::new("xai-key-0001").fault(KeyFault::PrepayDepleted);
    gateway.provider("xai").set_key(dead);
    assert_eq!(gateway.send(ask(&chat(GROK))).await.status, 503);
    assert_eq!(
        ids(&gateway).await,
        [ALL[0], ALL[1], "fast", "smart"],
        "smart leads to Google still"
    );
}

#[tokio::test]
async fn a_model_whose_keys_are_cooling_is_left_out_and_others_of_its_provider_are_not() {
    let limited = Rule::new()
        .model(MODEL)
        .path_contains("openai")
        .fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = three().start().await;
    assert_eq!(ids(&gateway).await, ALL);
    gateway.upstream.add_rule(limited);
    assert_eq!(gateway.send(ask(&chat(MODEL))).await.status, 503);
    assert_eq!(
        ids(&gateway).await,
        ["google/gemini-2.5-pro", "xai/grok-4.6", "smart", "witty"]
    );
    let one = get(&gateway, &format!("/v1/models/google/{MODEL}")).await;
    assert_eq!(one.status, 200, "it exists all the same: {}", one.text());
}

#[tokio::test]
async fn a_client_key_sees_what_it_may_use() {
    let gateway = three()
        .clients(&format!(
            "- {{ name: x, key: sk-xai-only-001, allowed_providers: [xai] }}\n\
             - {{ name: p, key: sk-pro-only-001, allowed_models: [{OTHER}] }}"
        ))
        .start()
        .await;
    assert_eq!(
        ids_for(&gateway, "sk-xai-only-001").await,
        ["xai/grok-4.6", "smart", "witty"]
    );
    assert_eq!(
        ids_for(&gateway, "sk-pro-only-001").await,
        ["google/gemini-2.5-pro"]
    );
    let hidden = get_as(&gateway, "sk-pro-only-001", "/v1/models/xai/grok-4.6").await;
    assert_eq!(hidden.status, 403, "{}", hidden.text());
}

#[tokio::test]
async fn a_caller_that_brings_a_key_sees_the_models_of_its_provider() {
    let gateway = three().start().await;
    ids(&gateway).await;
    let dead = FakeKey::new("xai-key-0001").fault(KeyFault::PrepayDepleted);
    gateway.provider("xai").set_key(dead);
    gateway.send(ask(&chat(GROK))).await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [
        ("authorization", &*bearer),
        ("x-xai-api-key", "xai-brought-01"),
    ];
    let list = gateway
        .send(request("GET", "/v1/models", &headers, ""))
        .await;
    assert!(list.text().contains("\"xai/grok-4.6\""), "{}", list.text());
}

#[tokio::test]
async fn one_model_is_shown_by_every_name_that_it_has() {
    let gateway = three().start().await;
    for (name, id) in [
        ("google/gemini-3.8-flash", "google/gemini-3.8-flash"),
        ("google%2Fgemini-3.8-flash", "google/gemini-3.8-flash"),
        ("google%2fgemini-3.8-flash", "google/gemini-3.8-flash"),
        ("gemini-3.8-flash", "google/gemini-3.8-flash"),
        ("x-ai/grok-4.6", "xai/grok-4.6"),
        ("grok-4.6", "xai/grok-4.6"),
        ("grok-4.6/", "xai/grok-4.6"),
        ("smart", "smart"),
    ] {
        let model = get(&gateway, &format!("/v1/models/{name}")).await;
        assert_eq!(model.json()["id"], id, "{name}");
        assert_eq!(model.json()["object"], "model", "{name}");
    }
    for name in ["grok-9", "google/grok-4.6", "nobody/x", "%00", "%FF%FE"] {
        let answer = get(&gateway, &format!("/v1/models/{name}")).await;
        let expected = "404 invalid_request_error model_not_found model";
        assert_eq!(refusal(&answer), expected, "{name}");
    }
}

#[tokio::test]
async fn the_list_is_asked_for_again() {
    let gateway = three().provider("models_refresh", "1s").start().await;
    assert_eq!(ids(&gateway).await, ALL);
    let list = json!({"models": [{
        "name": "models/gemini-9-flash",
        "supportedGenerationMethods": ["generateContent"],
    }]});
    let rule = Rule::new().path_contains("/models");
    gateway
        .upstream
        .add_rule(rule.respond(200, list.to_string()));
    eventually("the new list is known", async || {
        (ids(&gateway).await[0] == "google/gemini-9-flash").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_list_that_cannot_be_had_leaves_the_one_before() {
    let gateway = three().provider("models_refresh", "1s").start().await;
    assert_eq!(ids(&gateway).await, ALL);
    gateway.upstream.clear_seen();
    let rule = Rule::new().path_contains("/models").garbage();
    gateway.upstream.add_rule(rule);
    eventually("the list is asked for again", async || {
        (gateway.upstream.count() > 0).then_some(())
    })
    .await;
    let ids = ids(&gateway).await;
    assert!(ids.contains(&"google/gemini-2.5-pro".to_owned()), "{ids:?}");
}

#[tokio::test]
async fn models_of_the_configuration_need_no_list() {
    let fields = "keys: [house-key-1]\nmodels: [house-1]";
    let gateway = TestGateway::new()
        .with_provider("house", openai(), fields)
        .start()
        .await;
    assert_eq!(ids(&gateway).await, ["house/house-1"]);
    assert_eq!(gateway.provider("house").count(), 0);
}
