//! Ephemeral tokens: whoever holds one needs no client key, and is served with the key that made it.

use http::StatusCode;
use serde_json::json;

use super::{Session, taking_turns};
use crate::support::{Operator, TestGateway};

const CONSTRAINED: &str =
    "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained";

async fn gateway() -> TestGateway {
    taking_turns(4).start().await
}

async fn make_token(gateway: &TestGateway, uses: u32) -> String {
    let made = gateway
        .post("/v1alpha/auth_tokens", json!({"uses": uses}).to_string())
        .await;
    made.json()["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_opens_sessions_with_the_key_that_made_it_until_it_is_used_up() {
    let gateway = gateway().await;
    let token = make_token(&gateway, 2).await;
    let maker = gateway.upstream.seen()[0].key.clone();
    let in_query = format!("{CONSTRAINED}?access_token={token}");
    let in_header = format!("Token {token}");
    for (path, headers) in [
        (&*in_query, vec![]),
        (CONSTRAINED, vec![("authorization", &*in_header)]),
    ] {
        let mut session = Session::try_open(&gateway, path, &headers).await.unwrap();
        session.set_up(json!({})).await;
        assert_eq!(session.ask("hello").await, "You said: hello");
        session.close().await;
    }
    let records = gateway.records(3).await;
    let client = records[2].client.unwrap();
    for record in &records[..2] {
        assert_eq!(record.endpoint, "live");
        assert_eq!(record.client, Some(client), "its maker pays");
        assert_eq!(record.key, records[2].key, "{maker:?}");
    }
    // The provider saw the token, and no key beside it.
    for seen in &gateway.upstream.seen()[1..] {
        assert_eq!(seen.header("authorization"), Some(&*in_header));
        assert_eq!(seen.header("x-goog-api-key"), None);
        assert!(!seen.path_and_query.contains("auth_tokens"));
    }
    let mut third = Session::try_open(&gateway, &in_query, &[]).await.unwrap();
    third.say(&super::setup(json!({}))).await;
    let (code, reason) = third.closed().await;
    assert_eq!(
        (code, &*reason),
        (1008, "Token has been used too many times.")
    );
}

#[tokio::test]
async fn a_token_that_was_not_made_here_opens_nothing() {
    let gateway = gateway().await;
    for token in ["auth_tokens/none", "ya29.none"] {
        let path = format!("{CONSTRAINED}?access_token={token}");
        let refused = Session::try_open(&gateway, &path, &[]).await;
        assert_eq!(refused.unwrap_err(), StatusCode::UNAUTHORIZED);
    }
    let token = make_token(&gateway, 1).await;
    // It is for sessions alone.
    let path = format!("/v1alpha/models?access_token={token}");
    let request = crate::support::request("GET", &path, &[], "");
    assert_eq!(gateway.send(request).await.status, 401);
    assert_eq!(gateway.upstream.count(), 1);
}

#[tokio::test]
async fn a_token_ends_with_the_client_key_that_made_it() {
    let gateway = gateway().await;
    let admin = Operator::admin(&gateway).await;
    let client = admin.make_client(json!({"name": "maker"})).await;
    let request = client.post("/v1alpha/auth_tokens", r#"{"uses": 0}"#);
    let made = gateway.send(request).await.json();
    let path = format!(
        "{CONSTRAINED}?access_token={}",
        made["name"].as_str().unwrap()
    );
    let opened = Session::try_open(&gateway, &path, &[]).await;
    opened.unwrap().set_up(json!({})).await;
    admin
        .put(&client.path(), json!({"name": "maker", "enabled": false}))
        .await
        .expect(200);
    let refused = Session::try_open(&gateway, &path, &[]).await;
    assert_eq!(refused.unwrap_err(), StatusCode::UNAUTHORIZED);
}
