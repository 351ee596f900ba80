//! How sessions end: by callers who leave, by operators, by the program's own end, and by sides that do not read.

use std::time::Duration;

use domain::Class;
use fake_upstream::{Rule, gemini};
use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{LIVE_MODEL, Session};
use crate::support::{Operator, TestGateway, eventually};

#[tokio::test]
async fn a_caller_who_vanishes_ends_the_session_at_the_provider() {
    let gateway = TestGateway::new().start().await;
    let session = Session::begin(&gateway).await;
    assert!(!gateway.upstream.seen()[0].finished);
    drop(session);
    eventually("the provider is left too", async || {
        gateway.upstream.seen()[0].disconnected.then_some(())
    })
    .await;
    assert_eq!(gateway.only_record().await.error, Some(Class::ClientGone));
}

#[tokio::test]
async fn open_sessions_are_shown_and_can_be_ended_by_those_who_may() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let member = admin.make_member("mia").await;
    let mut session = Session::begin(&gateway).await;
    session.ask("hello").await;
    let rows = admin.rows("/api/live_sessions").await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (&row["client"], &row["provider"]),
        (&json!("test"), &json!("google"))
    );
    assert_eq!(
        (&row["model"], &row["egress"]),
        (&json!(LIVE_MODEL), &json!("direct"))
    );
    assert_eq!(row["from_caller"]["messages"], 1);
    assert!(row["from_provider"]["bytes"].as_u64() > row["from_caller"]["bytes"].as_u64());
    assert!(row["tokens"]["total"].as_u64() > Some(0));
    let path = format!("/api/live_sessions/{}", row["id"].as_str().unwrap());
    assert!(member.rows("/api/live_sessions").await.is_empty());
    member.delete(&path).await.expect(404);
    admin.delete(&path).await.expect(204);
    let (code, reason) = session.closed().await;
    assert_eq!(
        (code, &*reason),
        (1001, "the session was closed by an operator")
    );
    eventually("it is shown no more", async || {
        let rows = admin.rows("/api/live_sessions").await;
        rows.is_empty().then_some(())
    })
    .await;
    admin.delete(&path).await.expect(404);
    assert_eq!(gateway.only_record().await.error, None);
}

#[tokio::test]
async fn sessions_may_end_by_themselves_while_the_program_stops_and_are_told_when_they_must() {
    let gateway = TestGateway::new()
        .setting("server.shutdown_grace", "1s")
        .start()
        .await;
    let mut session = Session::begin(&gateway).await;
    let talking = async {
        // It is served until its time is over.
        assert_eq!(session.ask("still there?").await, "You said: still there?");
        session.closed().await
    };
    let (_, (code, reason)) = tokio::join!(gateway.stop(), talking);
    assert_eq!(
        (code, &*reason),
        (1001, "keymux is stopping; connect again")
    );
}

#[tokio::test]
async fn a_provider_that_says_nothing_any_more_is_given_up() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().stall_after_chunks(1)))
        .setting("pool.stream_idle_timeout", "1s")
        .start()
        .await;
    let mut session = Session::begin(&gateway).await;
    session.say(&super::turn("hello")).await;
    assert_eq!(session.closed().await.0, 1011);
    assert_eq!(gateway.only_record().await.error, Some(Class::Timeout));
}

#[tokio::test]
async fn a_quiet_session_stays_open() {
    let gateway = TestGateway::new()
        .setting("pool.stream_idle_timeout", "1s")
        .start()
        .await;
    let mut session = Session::begin(&gateway).await;
    // Both sides answer pings meanwhile.
    let quiet = tokio::time::timeout(Duration::from_secs(3), session.hear()).await;
    assert!(quiet.is_err());
    assert_eq!(session.ask("hello").await, "You said: hello");
}

#[tokio::test]
async fn a_provider_that_does_not_read_stops_the_caller_who_writes() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().stall_after_chunks(1)))
        .start()
        .await;
    let mut session = Session::begin(&gateway).await;
    let data = "A".repeat(256 * 1024);
    let audio = json!({"realtimeInput": {"audio": {"data": data}}}).to_string();
    let mut sent = 0;
    loop {
        let message = Message::Text(audio.clone().into());
        let sending = session.0.send(message);
        if tokio::time::timeout(Duration::from_secs(2), sending)
            .await
            .is_err()
        {
            break;
        }
        sent += audio.len();
        // What sockets hold, and one message of ours; the rest would be in keymux's memory.
        assert!(sent < 64 << 20, "nothing holds the caller up");
    }
}
