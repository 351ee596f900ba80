//! `/p/perplexity/…`: whatever Perplexity has, with a pooled key or with one that the caller brings.

use fake_upstream::{FakeKey, perplexity};
use serde_json::json;

use super::{KEY, MODEL, ONE, all_active, last_seen, start, upstream};
use crate::support::CLIENT_KEY;
use crate::support::talk::{ask_with, chat_body};

#[tokio::test]
async fn models_are_listed_as_perplexity_lists_them() {
    let gateway = start(perplexity(), ONE).await;
    let answer = gateway.fetch("/p/perplexity/v1/models").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.json()["data"][0]["pricing"]["unit"],
        "usd_per_1m_tokens"
    );
    let seen = last_seen(&gateway);
    assert_eq!(
        (&*seen.path_and_query, seen.key.as_deref()),
        ("/v1/models", Some(KEY))
    );
    assert!(!format!("{:?}", seen.headers).contains(CLIENT_KEY));
}

#[tokio::test]
async fn the_agent_api_passes_as_it_is() {
    let gateway = start(perplexity(), ONE).await;
    let body = json!({"model": "perplexity/sonar", "input": "Tell me of Oslo"});
    let answer = gateway
        .talk(ask_with("/p/perplexity/v1/responses", &[], &body))
        .await;
    assert_eq!(answer.json()["object"], "response", "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    assert_eq!(record.attempts.len(), 1);
}

#[tokio::test]
async fn the_retired_endpoint_hurts_no_key() {
    let gateway = start(perplexity(), ONE).await;
    let body = chat_body("sonar", "Hello", json!({}));
    for _ in 0..6 {
        let request = ask_with("/p/perplexity/chat/completions", &[], &body);
        assert!(gateway.talk(request).await.status >= 400);
    }
    assert_eq!(upstream(&gateway).count(), 6);
    assert!(all_active(&gateway));
}

#[tokio::test]
async fn a_key_that_the_caller_brings_is_used_first() {
    const BROUGHT: &str = "pplx-brought";
    let keys = perplexity()
        .key(FakeKey::new(KEY))
        .key(FakeKey::new(BROUGHT));
    let gateway = start(keys, ONE).await;
    for (brought, own, pooled) in [(BROUGHT, 1, 0), ("pplx-wrong", 1, 1)] {
        let headers = [("x-perplexity-api-key", brought)];
        let body = chat_body(MODEL, "Hello", json!({}));
        let request = ask_with("/v1/chat/completions", &headers, &body);
        let answer = gateway.talk(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(upstream(&gateway).count_for_key(BROUGHT), own, "{brought}");
        assert_eq!(upstream(&gateway).count_for_key(KEY), pooled, "{brought}");
        assert!(last_seen(&gateway).header("x-perplexity-api-key").is_none());
    }
}
