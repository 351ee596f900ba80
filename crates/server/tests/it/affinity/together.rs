//! What is made at once by one client key.

use std::collections::HashSet;

use fake_upstream::Rule;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Caller, OTHER_KEY, twenty};
use crate::support::{TestGateway, request};

async fn start(gateway: &TestGateway, key: &str) -> (u16, String) {
    let headers = [
        ("x-goog-api-key", key),
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("x-goog-upload-header-content-type", "text/plain"),
        ("content-type", "application/json"),
    ];
    let body = json!({});
    let answer = gateway
        .send(request(
            "POST",
            "/upload/v1beta/files",
            &headers,
            body.to_string(),
        ))
        .await;
    (answer.status, answer.text())
}

fn keys_seen(gateway: &TestGateway) -> HashSet<Option<String>> {
    let seen = gateway.upstream.seen();
    seen.into_iter().map(|call| call.key).collect()
}

#[tokio::test]
async fn files_made_at_once_are_used_together() {
    let gateway = twenty().await;
    for key in [super::CLIENT_KEY, OTHER_KEY] {
        let caller = Caller::with(&gateway, key);
        let files = join_all((0..8).map(|_| caller.upload())).await;
        let files: Vec<&Value> = files.iter().collect();
        let answer = caller.ask_about(&files).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn uploads_that_begin_at_once_go_to_one_project() {
    let gateway = twenty().await;
    let starts = join_all((0..8).map(|_| start(&gateway, super::CLIENT_KEY))).await;
    assert!(
        starts.iter().all(|(status, _)| *status == 200),
        "{starts:?}"
    );
    assert_eq!(keys_seen(&gateway).len(), 1);
}

#[tokio::test]
async fn whoever_begins_elsewhere_takes_others_along() {
    let gateway = twenty().await;
    start(&gateway, super::CLIENT_KEY).await;
    let first = gateway.upstream.seen().last().unwrap().key.clone().unwrap();
    gateway
        .upstream
        .add_rule(Rule::new().key(&first).respond(503, "{}"));
    gateway.upstream.clear_seen();
    for _ in 0..4 {
        let (status, text) = start(&gateway, super::CLIENT_KEY).await;
        assert_eq!(status, 200, "{text}");
    }
    let used: Vec<Option<String>> = gateway
        .upstream
        .seen()
        .into_iter()
        .map(|call| call.key)
        .filter(|key| key.as_deref() != Some(&*first))
        .collect();
    assert_eq!(used.len(), 4);
    assert!(used.iter().all(|key| *key == used[0]), "{used:?}");
}
