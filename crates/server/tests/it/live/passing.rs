//! What passes both ways, and what is written down of it.

use domain::Class;
use http::StatusCode;
use serde_json::json;

use super::{LIVE_MODEL, PATH, Session, setup};
use crate::support::{CLIENT_KEY, TestGateway};

#[tokio::test]
async fn texts_are_answered_and_the_session_is_written_down() {
    let gateway = TestGateway::new().start().await;
    let mut session = Session::begin(&gateway).await;
    assert_eq!(session.ask("hello").await, "You said: hello");
    assert_eq!(session.ask("again").await, "You said: again");
    session.close().await;
    let record = gateway.only_record().await;
    assert_eq!((record.status, record.endpoint), (101, "live"));
    assert_eq!(record.model.as_deref(), Some(LIVE_MODEL));
    assert_eq!((record.error, record.stream), (None, true));
    let usage = record.usage.unwrap();
    // Both turns are paid for, the second with the first in its prompt.
    assert_eq!((usage.prompt, usage.output, usage.total), (7, 8, 15));
    let attempt = &record.attempts[0];
    assert_eq!(record.attempts.len(), 1);
    assert_eq!(
        (attempt.status, attempt.outcome.class),
        (Some(101), Class::Ok)
    );
    assert_eq!(attempt.outcome.reason, "caller_closed_1005");
    let seen = gateway.upstream.seen();
    assert_eq!(seen[0].key.as_deref(), Some("AIza-key-1"));
    assert_eq!(seen[0].path_and_query, PATH);
    assert!(!format!("{seen:?}").contains(CLIENT_KEY));
}

#[tokio::test]
async fn audio_passes_as_it_is_however_large_a_message() {
    let gateway = TestGateway::new().start().await;
    let mut session = Session::begin(&gateway).await;
    let data = "QUJD".repeat(700_000);
    let audio = json!({"audio": {"data": data, "mimeType": "audio/pcm;rate=16000"}});
    session.say(&json!({"realtimeInput": audio})).await;
    let content = session.hear_of("serverContent").await;
    let echoed = &content["modelTurn"]["parts"][0]["inlineData"]["data"];
    assert!(echoed == &data, "the audio has changed");
    session
        .say(&json!({"realtimeInput": {"audioStreamEnd": true}}))
        .await;
    session.answer().await;
    session.close().await;
    assert!(gateway.only_record().await.usage.unwrap().total > 0);
}

#[tokio::test]
async fn tools_are_called_and_their_results_used() {
    let gateway = TestGateway::new().start().await;
    let mut session = Session::open(&gateway).await;
    let city = json!({"type": "OBJECT", "properties": {"city": {"type": "STRING"}}});
    let function = json!({"name": "get_weather", "parameters": city});
    let tools = json!([{"functionDeclarations": [function]}]);
    session.set_up(json!({"tools": tools})).await;
    session.say(&super::turn("How warm is it in Oslo?")).await;
    let call = session.hear_of("toolCall").await["functionCalls"][0].clone();
    assert_eq!(call["args"], json!({"city": "Oslo"}));
    let result = json!({"id": call["id"], "name": "get_weather", "response": {"celsius": 21}});
    session
        .say(&json!({"toolResponse": {"functionResponses": [result]}}))
        .await;
    let said = session.answer().await;
    assert_eq!(said, r#"The function get_weather returned {"celsius":21}."#);
}

#[tokio::test]
async fn what_is_said_before_the_session_is_open_is_not_lost() {
    let gateway = TestGateway::new().start().await;
    let mut session = Session::open(&gateway).await;
    session.say(&setup(json!({}))).await;
    session.say(&super::turn("early")).await;
    assert_eq!(session.hear().await, json!({"setupComplete": {}}));
    assert_eq!(session.answer().await, "You said: early");
}

#[tokio::test]
async fn a_client_key_is_taken_in_every_form_and_a_wrong_one_in_none() {
    let gateway = TestGateway::new().start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let keyed = format!("{PATH}?key={CLIENT_KEY}");
    // As SDKs join a base URL and a path.
    let doubled = format!("/{PATH}");
    for (path, headers) in [
        (PATH, vec![("authorization", &*bearer)]),
        (PATH, vec![("x-server-key", CLIENT_KEY)]),
        (&*keyed, vec![]),
        (&*doubled, vec![("x-goog-api-key", CLIENT_KEY)]),
    ] {
        let mut session = Session::try_open(&gateway, path, &headers).await.unwrap();
        session.set_up(json!({})).await;
        session.close().await;
    }
    for (path, key) in [(PATH, "sk-wrong"), (&*format!("{PATH}?key=x"), "")] {
        let headers = [("x-goog-api-key", key)];
        let refused = Session::try_open(&gateway, path, &headers).await;
        assert_eq!(refused.unwrap_err(), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(gateway.upstream.count(), 4);
    for seen in gateway.upstream.seen() {
        assert_eq!(seen.path_and_query, PATH);
        assert!(!format!("{seen:?}").contains(CLIENT_KEY));
    }
}

#[tokio::test]
async fn a_plain_request_is_told_to_ask_for_a_websocket() {
    let gateway = TestGateway::new().start().await;
    let answer = gateway.get(PATH).await;
    assert_eq!(answer.status, 426);
    assert_eq!(answer.json()["error"]["code"], 426);
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn the_first_message_must_be_a_setup() {
    let gateway = TestGateway::new().start().await;
    for first in [
        super::turn("hello"),
        json!({"setup": "yes"}),
        json!(["setup"]),
    ] {
        let mut session = Session::open(&gateway).await;
        session.say(&first).await;
        let (code, reason) = session.closed().await;
        assert_eq!(code, 1007, "{first}");
        assert!(reason.contains("setup"), "{reason}");
    }
    assert_eq!(gateway.upstream.count(), 0);
    let records = gateway.records(3).await;
    assert!(records.iter().all(|record| record.status == 400));
}
