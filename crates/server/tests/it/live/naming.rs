//! What a session names: it must be its caller's own, and of the project that the session is with.

use serde_json::{Value, json};

use super::{Session, setup, taking_turns};
use crate::support::{CLIENT_KEY, TestGateway, request};

const OTHER_KEY: &str = "sk-test-other-0002";

async fn with_keys(count: usize) -> TestGateway {
    taking_turns(count)
        .clients(&format!("- {{ name: other, key: {OTHER_KEY} }}"))
        .start()
        .await
}

/// Uploads a file with that client key. Gives its name.
async fn upload(gateway: &TestGateway, client: &str) -> String {
    let headers = [
        ("x-goog-api-key", client),
        ("x-goog-upload-protocol", "raw"),
        ("content-type", "text/plain"),
    ];
    let sent = request("POST", "/upload/v1beta/files", &headers, "a few words");
    let answer = gateway.send(sent).await.json();
    answer["file"]["name"].as_str().unwrap().to_owned()
}

/// A file as a part of what is said.
fn part(name: &str) -> Value {
    let uri = format!("https://generativelanguage.googleapis.com/v1beta/{name}");
    json!({"fileData": {"fileUri": uri, "mimeType": "text/plain"}})
}

fn with_system(part: &Value) -> Value {
    json!({"systemInstruction": {"parts": [part]}})
}

fn turn_with(part: &Value) -> Value {
    let turn = json!({"role": "user", "parts": [part]});
    json!({"clientContent": {"turns": [turn], "turnComplete": true}})
}

#[tokio::test]
async fn a_session_goes_to_the_project_of_what_its_setup_names() {
    let gateway = with_keys(8).await;
    let file = upload(&gateway, CLIENT_KEY).await;
    for _ in 0..8 {
        let mut session = Session::open(&gateway).await;
        session.set_up(with_system(&part(&file))).await;
        session.close().await;
    }
    let seen = gateway.upstream.seen();
    let (made, opened) = seen.split_first().unwrap();
    assert_eq!(opened.len(), 8);
    assert!(opened.iter().all(|open| open.key == made.key));
}

#[tokio::test]
async fn what_was_made_before_can_be_named_in_the_middle_of_a_session() {
    let gateway = with_keys(8).await;
    for _ in 0..8 {
        let file = upload(&gateway, CLIENT_KEY).await;
        let mut session = Session::begin(&gateway).await;
        session.say(&turn_with(&part(&file))).await;
        assert!(!session.answer().await.is_empty());
        session.close().await;
    }
}

#[tokio::test]
async fn nobody_names_anothers_files_in_a_setup() {
    let gateway = with_keys(1).await;
    let file = upload(&gateway, OTHER_KEY).await;
    for more in [
        with_system(&part(&file)),
        json!({"cachedContent": "cachedContents/not-mine"}),
    ] {
        let mut session = Session::open(&gateway).await;
        session.say(&setup(more)).await;
        let (code, reason) = session.closed().await;
        assert_eq!(code, 1008, "{reason}");
        assert!(reason.contains("is not known here"), "{reason}");
    }
    assert_eq!(gateway.upstream.count(), 1, "only the upload got through");
}

#[tokio::test]
async fn nobody_names_anothers_files_in_the_middle_of_a_session() {
    let gateway = with_keys(1).await;
    let file = upload(&gateway, OTHER_KEY).await;
    let hidden = turn_with(&part(&file))
        .to_string()
        .replace("files", r"f\u0069les");
    for message in [turn_with(&part(&file)).to_string(), hidden] {
        let mut session = Session::begin(&gateway).await;
        session.ask("hello").await;
        session.say_as_written(message).await;
        let (code, reason) = session.closed().await;
        assert_eq!(code, 1008, "{reason}");
        assert!(reason.starts_with(&file), "{reason}");
    }
    // The upload and two sessions.
    let records = gateway.records(3).await;
    let missed = records
        .iter()
        .filter(|record| record.error == Some(domain::Class::AffinityMiss));
    assert_eq!(missed.count(), 2, "{records:?}");
}

#[tokio::test]
async fn what_is_in_another_project_than_the_session_is_said_to_be() {
    let gateway = with_keys(2).await;
    let mut session = Session::begin(&gateway).await;
    let file = upload(&gateway, CLIENT_KEY).await;
    let seen = gateway.upstream.seen();
    assert_ne!(seen[0].key, seen[1].key, "they are in turns");
    session.say(&turn_with(&part(&file))).await;
    let (code, reason) = session.closed().await;
    assert_eq!(code, 1007, "{reason}");
    assert!(reason.contains("belongs to another project"), "{reason}");
}

#[tokio::test]
async fn a_handle_that_nobody_here_was_given_leads_nowhere() {
    let gateway = with_keys(1).await;
    let resuming = json!({"sessionResumption": {"handle": "somebody-elses"}});
    let mut session = Session::open(&gateway).await;
    session.say(&setup(resuming)).await;
    let (code, reason) = session.closed().await;
    assert_eq!(code, 1008, "{reason}");
    assert!(reason.contains("is not known here"), "{reason}");
    assert_eq!(gateway.upstream.count(), 0);
}
