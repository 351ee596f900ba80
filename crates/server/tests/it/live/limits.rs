//! The limits of client keys hold for sessions as for any request: while they last, and while they go on.

use domain::Class;
use http::StatusCode;
use serde_json::{Value, json};

use super::{PATH, Session, setup};
use crate::support::{Operator, TestGateway, eventually};

#[tokio::test]
async fn a_session_counts_as_one_request_at_the_same_time_until_it_is_over() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let client = json!({"name": "one", "max_concurrent": 1});
    let client = admin.make_client(client).await;
    let mut session = Session::open_as(&gateway, &client.secret).await;
    session.set_up(json!({})).await;
    let headers = [("x-goog-api-key", &*client.secret)];
    let second = Session::try_open(&gateway, PATH, &headers).await;
    assert_eq!(second.unwrap_err(), StatusCode::TOO_MANY_REQUESTS);
    session.close().await;
    eventually("the place is free again", async || {
        Session::try_open(&gateway, PATH, &headers).await.ok()
    })
    .await;
}

#[tokio::test]
async fn only_allowed_models_can_be_talked_to() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let client = json!({"name": "some", "allowed_models": ["gemini-3.8-flash"]});
    let client = admin.make_client(client).await;
    for setup in [setup(json!({})), json!({"setup": {}})] {
        let mut session = Session::open_as(&gateway, &client.secret).await;
        session.say(&setup).await;
        let (code, reason) = session.closed().await;
        assert_eq!(code, 1008);
        assert!(reason.starts_with("this client key may"), "{reason}");
    }
    assert_eq!(gateway.upstream.count(), 0);
    let mut session = Session::open_as(&gateway, &client.secret).await;
    session
        .say(&json!({"setup": {"model": "models/gemini-3.8-flash"}}))
        .await;
    assert_eq!(session.hear().await, json!({"setupComplete": {}}));
}

#[tokio::test]
async fn a_session_ends_when_its_tokens_are_used_up() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let client = json!({"name": "few", "tpd": 30});
    let client = admin.make_client(client).await;
    let mut session = Session::open_as(&gateway, &client.secret).await;
    session.set_up(json!({})).await;
    assert_eq!(session.ask("a").await, "You said: a");
    // Each turn is paid for with all that was said before it.
    let long = "many words ".repeat(20);
    session.say(&super::turn(&long)).await;
    session.answer().await;
    let (code, reason) = session.closed().await;
    assert_eq!(code, 1013);
    assert!(reason.contains("limit of tokens"), "{reason}");
    assert_eq!(gateway.only_record().await.error, Some(Class::Refused));
    let headers = [("x-goog-api-key", &*client.secret)];
    let next = Session::try_open(&gateway, PATH, &headers).await;
    assert_eq!(next.unwrap_err(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_session_ends_when_its_client_key_is_good_for_it_no_more() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let refused: [(&str, Value, &str); 5] = [
        ("enabled", json!(false), "the client key is disabled"),
        (
            "expires_at",
            json!("2026-01-01T00:00:00Z"),
            "the client key has expired",
        ),
        (
            "allowed_models",
            json!(["grok-4"]),
            "this client key may not use the model",
        ),
        (
            "allowed_endpoints",
            json!(["embeddings"]),
            "this client key may not use the endpoint live",
        ),
        (
            "allowed_ips",
            json!(["10.0.0.0/8"]),
            "this client key may not be used from 127.0.0.1",
        ),
    ];
    for (field, value, told) in refused {
        let client = admin.make_client(json!({"name": field})).await;
        let mut session = Session::open_as(&gateway, &client.secret).await;
        session.set_up(json!({})).await;
        let path = format!("/api/allowed_keys/{}", client.id);
        let change = json!({"name": field, field: value});
        admin.put(&path, change).await.expect(200);
        let (code, reason) = session.closed().await;
        assert_eq!(code, 1008, "{field}");
        assert!(reason.starts_with(told), "{field}: {reason}");
    }
    let client = admin.make_client(json!({"name": "short"})).await;
    let mut session = Session::open_as(&gateway, &client.secret).await;
    session.set_up(json!({})).await;
    let path = format!("/api/allowed_keys/{}", client.id);
    admin.delete(&path).await.expect(204);
    let told = (1008, "the client key is not known here".to_owned());
    assert_eq!(session.closed().await, told);
    let records = gateway.records(6).await;
    for record in records {
        assert_eq!((record.status, record.error), (101, Some(Class::Refused)));
        assert_eq!(record.attempts[0].outcome.reason, "client_key_refused");
    }
}

#[tokio::test]
async fn a_limit_that_is_lowered_holds_for_sessions_that_are_open() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let client = admin.make_client(json!({"name": "few"})).await;
    let mut session = Session::open_as(&gateway, &client.secret).await;
    session.set_up(json!({})).await;
    assert_eq!(session.ask("a").await, "You said: a");
    let path = format!("/api/allowed_keys/{}", client.id);
    let change = json!({"name": "few", "tpd": 1});
    admin.put(&path, change).await.expect(200);
    session.say(&super::turn("b")).await;
    assert_eq!(session.closed().await.0, 1013);
}
