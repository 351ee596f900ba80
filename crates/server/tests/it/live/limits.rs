//! The limits of client keys hold for sessions as for any request: while they last, and while they go on.

use domain::Class;
use http::StatusCode;
use serde_json::json;

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
