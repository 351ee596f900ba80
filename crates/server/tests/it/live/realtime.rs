//! Sockets below `/p/{provider}/`: xAI's realtime API, which speaks first, and whose refusals come before the socket opens.

use domain::Class;
use fake_upstream::{FakeKey, KeyFault, xai};
use http::StatusCode;
use serde_json::json;

use super::Session;
use crate::support::{CLIENT_KEY, TestGateway};

const REALTIME: &str = "/p/xai/realtime?model=grok-voice";

async fn gateway(first: FakeKey) -> TestGateway {
    let script = xai().key(first).key(FakeKey::new("xai-second"));
    let keys = "keys:\n- { key: xai-first, priority: 0 }\n- { key: xai-second, priority: 1 }";
    TestGateway::new()
        .with_provider("xai", script, keys)
        .start()
        .await
}

async fn open(gateway: &TestGateway) -> Result<Session, StatusCode> {
    let bearer = format!("Bearer {CLIENT_KEY}");
    Session::try_open(gateway, REALTIME, &[("authorization", &bearer)]).await
}

#[tokio::test]
async fn responses_pass_and_what_they_take_adds_up() {
    let gateway = gateway(FakeKey::new("xai-first")).await;
    let mut session = open(&gateway).await.unwrap();
    assert_eq!(session.hear().await["type"], "session.created");
    for _ in 0..2 {
        let content = json!([{"type": "input_text", "text": "hello"}]);
        let item = json!({"type": "message", "role": "user", "content": content});
        session
            .say(&json!({"type": "conversation.item.create", "item": item}))
            .await;
        session.say(&json!({"type": "response.create"})).await;
        let mut said = String::new();
        loop {
            let event = session.hear().await;
            said.push_str(event["delta"].as_str().unwrap_or_default());
            if event["type"] == "response.done" {
                break;
            }
        }
        assert_eq!(said, "You said: hello");
    }
    session.close().await;
    let record = gateway.only_record().await;
    assert_eq!((record.status, record.endpoint), (101, "live"));
    assert_eq!(record.model.as_deref(), Some("grok-voice"));
    let usage = record.usage.unwrap();
    assert_eq!((usage.prompt, usage.output, usage.total), (4, 8, 12));
}

#[tokio::test]
async fn a_key_that_is_refused_gives_way_to_the_next() {
    let gateway = gateway(FakeKey::new("xai-first").fault(KeyFault::Invalid)).await;
    let mut session = open(&gateway).await.unwrap();
    assert_eq!(session.hear().await["type"], "session.created");
    session.close().await;
    let record = gateway.only_record().await;
    let classes = record.attempts.iter().map(|it| it.outcome.class);
    let classes: Vec<Class> = classes.collect();
    assert_eq!(classes, [Class::KeyInvalid, Class::Ok]);
}

#[tokio::test]
async fn no_socket_is_opened_where_no_key_is_usable() {
    let script = xai().key(FakeKey::new("xai-1").fault(KeyFault::Invalid));
    let gateway = TestGateway::new()
        .with_provider("xai", script, "keys: [xai-1]")
        .start()
        .await;
    assert_eq!(open(&gateway).await.unwrap_err(), 503);
}
