//! Where a model's name leads: prefixes, the providers' lists, beginnings, aliases; and which of it a client key may use.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini, openai, xai};
use serde_json::{Value, json};

use super::{CHAT, GROK, XAI, ask, both, chat, get, message, place, post, post_as, refusal};
use crate::support::{Answer, MODEL, TestGateway};

/// The name leads to this provider and model, and the provider is asked for the model by its own name of it.
async fn check(gateway: &TestGateway, name: &str, expected: &str) {
    let answer = gateway.send(ask(&chat(name))).await;
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    assert_eq!(place(&gateway.record_of(&answer).await), expected, "{name}");
    let (provider, model) = expected.split_once('/').unwrap();
    assert_eq!(answer.header("x-keymux-provider"), provider, "{name}");
    let upstream = match provider {
        "google" => &gateway.upstream,
        other => gateway.provider(other),
    };
    let seen = upstream.seen().pop().unwrap();
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(sent["model"], model, "{name}");
}

/// The name leads nowhere, and the caller is told what it may have meant.
async fn check_unknown(gateway: &TestGateway, name: &str, hint: &str) {
    let answer = gateway.send(ask(&chat(name))).await;
    let expected = "404 invalid_request_error model_not_found model";
    assert_eq!(refusal(&answer), expected, "{name}");
    let message = message(&answer);
    assert!(message.contains(hint), "{name}: {message}");
}

#[tokio::test]
async fn a_prefix_names_the_provider() {
    let gateway = both(gemini(), xai()).start().await;
    let (google, grok) = (format!("google/{MODEL}"), format!("xai/{GROK}"));
    check(&gateway, &google, &google).await;
    check(&gateway, &format!("models/{MODEL}"), &google).await;
    check(&gateway, &grok, &grok).await;
    check(&gateway, &format!("x-ai/{GROK}"), &grok).await;
}

#[tokio::test]
async fn a_bare_name_is_known_by_its_beginning() {
    let gateway = both(gemini(), xai()).start().await;
    check(&gateway, MODEL, &format!("google/{MODEL}")).await;
    check(&gateway, GROK, &format!("xai/{GROK}")).await;
}

#[tokio::test]
async fn a_bare_name_is_looked_up_in_the_lists_first() {
    let house = openai().models(&["house-1", "grok-of-the-house", "vendor/deep-1"]);
    let gateway = both(gemini(), xai())
        .with_provider("house", house, "keys: [house-key-1]")
        .start()
        .await;
    get(&gateway, "/v1/models").await;
    for id in ["house-1", "grok-of-the-house", "vendor/deep-1"] {
        check(&gateway, id, &format!("house/{id}")).await;
    }
    check(&gateway, "house/house-1", "house/house-1").await;
    check(&gateway, "house/vendor/deep-1", "house/vendor/deep-1").await;
}

#[tokio::test]
async fn of_several_that_list_a_model_one_with_a_usable_key_is_asked() {
    let dead = openai()
        .models(&["house-1"])
        .key(FakeKey::new("first-key-1"));
    let gateway = TestGateway::new()
        .with_provider("first", dead, "keys: [first-key-1]")
        .with_provider(
            "second",
            openai().models(&["house-1"]),
            "keys: [second-key-1]",
        )
        .start()
        .await;
    get(&gateway, "/v1/models").await;
    check(&gateway, "house-1", "first/house-1").await;
    let gone = FakeKey::new("first-key-1").fault(KeyFault::PrepayDepleted);
    gateway.provider("first").set_key(gone);
    let refused = gateway.send(ask(&chat("first/house-1"))).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    check(&gateway, "house-1", "second/house-1").await;
}

#[tokio::test]
async fn aliases_lead_to_models_chains_and_other_aliases() {
    let gateway = both(gemini(), xai())
        .setting("aliases.fast", &format!("google/{MODEL}"))
        .setting("aliases.bare", GROK)
        .setting("aliases.best", "smart")
        .setting("aliases.gemini-or-so", &format!("xai/{GROK}"))
        .start()
        .await;
    let (google, grok) = (format!("google/{MODEL}"), format!("xai/{GROK}"));
    for (alias, expected) in [
        ("fast", &google),
        ("bare", &grok),
        ("smart", &google),
        ("best", &google),
        ("gemini-or-so", &grok),
    ] {
        check(&gateway, alias, expected).await;
    }
}

#[tokio::test]
async fn a_provider_has_only_the_models_that_it_is_configured_to_have() {
    let fields = format!("{XAI}\nmodels: [{GROK}]");
    let gateway = TestGateway::new()
        .with_provider("xai", xai(), &fields)
        .start()
        .await;
    let grok = format!("xai/{GROK}");
    check(&gateway, GROK, &grok).await;
    check(&gateway, &format!("x-ai/{GROK}"), &grok).await;
    for name in ["grok-4.5", "xai/grok-4.5", "x-ai/grok-4.5"] {
        check_unknown(&gateway, name, &grok).await;
    }
    assert_eq!(gateway.provider("xai").count(), 2);
}

#[tokio::test]
async fn an_unknown_model_is_refused_with_the_nearest_names() {
    let gateway = both(gemini(), xai())
        .setting("aliases.quick", &format!("google/{MODEL}"))
        .with_provider(
            "house",
            openai().models(&["house-model-1"]),
            "keys: [house-key-1]",
        )
        .start()
        .await;
    get(&gateway, "/v1/models").await;
    check_unknown(&gateway, "hose-model-1", "house/house-model-1").await;
    check_unknown(&gateway, "elsewhere/House-Model-2", "house/house-model-1").await;
    check_unknown(&gateway, "quik", "quick").await;
    check_unknown(&gateway, "nothing-like-it", "/v1/models").await;
    check_unknown(&gateway, "/", "/v1/models").await;
    check_unknown(&gateway, "xai/", "/v1/models").await;
    check_unknown(&gateway, &"x".repeat(150), "/v1/models").await;
    check_unknown(&gateway, "日本語 \"quoted\"", "/v1/models").await;
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn a_model_that_its_provider_does_not_have_is_refused_with_the_nearest_names() {
    let gateway = both(gemini(), xai())
        .with_provider(
            "house",
            openai().models(&["house-model-1"]),
            "keys: [house-key-1]",
        )
        .start()
        .await;
    get(&gateway, "/v1/models").await;
    // The second time it is known before the provider is asked.
    for _ in 0..2 {
        check_unknown(&gateway, "house/hose-model-1", "house/house-model-1").await;
    }
    assert_eq!(gateway.provider("house").seen().len(), 2);
    check_unknown(&gateway, "house/nothing-like-it", "/v1/models").await;
}

#[tokio::test]
async fn a_name_that_begins_like_a_model_is_near_and_is_shown_as_it_was_asked_for() {
    let gateway = TestGateway::new()
        .with_provider("raw", openai(), "keys: [raw-key-1]\nmodels: [m1, m2]")
        .with_provider("xai", xai().models(&[GROK]), "keys: [xai-key-0001]")
        .start()
        .await;
    get(&gateway, "/v1/models").await;
    for (name, near) in [
        ("xai/grokk", "xai/grok-4.6"),
        ("grok-9", "xai/grok-4.6"),
        ("raw/m2x", "raw/m2"),
    ] {
        check_unknown(&gateway, name, near).await;
        let answer = gateway.send(ask(&chat(name))).await;
        assert!(
            message(&answer).contains(&format!("{name:?}")),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn however_aliases_lead_to_each_other_none_is_followed_twice() {
    let mut gateway = both(gemini(), xai())
        .setting("aliases.level-0", "nothing-like-it")
        .setting("aliases.twice", &format!("[xai/{GROK}, {GROK}]"));
    for level in 1..60 {
        let below = level - 1;
        let both = format!("[level-{below}, level-{below}]");
        gateway = gateway.setting(&format!("aliases.level-{level}"), &both);
    }
    let gateway = gateway.start().await;
    check_unknown(&gateway, "level-59", "/v1/models").await;
    let down = Rule::new().respond(500, "{}");
    gateway.provider("xai").add_rule(down);
    let once = gateway.send(ask(&chat(GROK))).await;
    let twice = gateway.send(ask(&chat("twice"))).await;
    let attempts = |answer: &Answer| answer.header("x-keymux-attempts").to_owned();
    assert_eq!(attempts(&once), attempts(&twice));
}

#[tokio::test]
async fn a_request_that_names_no_model_gets_the_default_one() {
    let gateway = TestGateway::new()
        .provider("default_model", MODEL)
        .start()
        .await;
    for model in [json!(null), json!("")] {
        let mut body = chat("x");
        body["model"] = model;
        let answer = gateway.send(ask(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = gateway.send(post(CHAT, body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    assert_eq!(place(&record), format!("google/{MODEL}"));
}

/// Client keys with limits, and what comes of asking for a model with each.
#[tokio::test]
async fn a_client_key_gets_only_what_it_may_use() {
    let gateway = both(gemini(), xai())
        .setting("aliases.fast", &format!("google/{MODEL}"))
        .setting("aliases.best", "smart")
        .clients(&format!(
            "- {{ name: grok, key: sk-grok-only-01, allowed_models: [{GROK}] }}\n\
             - {{ name: named, key: sk-named-only-1, allowed_models: [google/{MODEL}] }}\n\
             - {{ name: xai, key: sk-xai-only-001, allowed_providers: [xai] }}\n\
             - {{ name: vectors, key: sk-vectors-0001, allowed_endpoints: [embeddings] }}"
        ))
        .start()
        .await;
    let (google, grok) = (format!("google/{MODEL}"), format!("xai/{GROK}"));
    for (secret, name, expected) in [
        ("sk-grok-only-01", GROK, Some(&grok)),
        ("sk-grok-only-01", "smart", Some(&grok)),
        ("sk-grok-only-01", "best", Some(&grok)),
        ("sk-grok-only-01", "fast", None),
        ("sk-grok-only-01", MODEL, None),
        ("sk-named-only-1", MODEL, Some(&google)),
        ("sk-named-only-1", "fast", Some(&google)),
        ("sk-named-only-1", "smart", Some(&google)),
        ("sk-named-only-1", GROK, None),
        ("sk-xai-only-001", "smart", Some(&grok)),
        ("sk-xai-only-001", "fast", None),
        (
            "sk-xai-only-001",
            "xai/grok-4.5",
            Some(&"xai/grok-4.5".to_owned()),
        ),
        ("sk-vectors-0001", GROK, None),
    ] {
        let request = post_as(secret, CHAT, chat(name).to_string());
        let answer = gateway.send(request).await;
        let Some(expected) = expected else {
            let expected = "403 permission_error not_allowed -";
            assert_eq!(refusal(&answer), expected, "{secret} {name}");
            continue;
        };
        assert_eq!(answer.status, 200, "{secret} {name}: {}", answer.text());
        let record = gateway.record_of(&answer).await;
        assert_eq!(place(&record), *expected, "{secret} {name}");
        assert_eq!(record.attempts.len(), 1, "{secret} {name}");
    }
    assert_eq!(gateway.upstream.count(), 3);
}

#[tokio::test]
async fn a_client_key_does_not_learn_of_models_that_it_may_not_use() {
    let gateway = both(gemini(), xai())
        .with_provider(
            "house",
            openai().models(&["secret-model-1"]),
            "keys: [house-key-1]",
        )
        .clients("- { name: xai, key: sk-xai-only-001, allowed_providers: [xai] }")
        .start()
        .await;
    get(&gateway, "/v1/models").await;
    let request = post_as("sk-xai-only-001", CHAT, chat("secret-model-2").to_string());
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 404);
    assert!(
        !answer.text().contains("secret-model-1"),
        "{}",
        answer.text()
    );
}
