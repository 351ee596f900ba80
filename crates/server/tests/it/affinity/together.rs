//! What is made at once by one client key, and under what name; and what queries and free text say of it.

use std::collections::HashSet;

use fake_upstream::Rule;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Caller, OTHER_KEY, name, twenty};
use crate::support::{MODEL, TestGateway, request};

async fn start(gateway: &TestGateway, key: &str, name: &str) -> (u16, String) {
    let headers = [
        ("x-goog-api-key", key),
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("x-goog-upload-header-content-type", "text/plain"),
        ("content-type", "application/json"),
    ];
    let body = if name.is_empty() {
        json!({})
    } else {
        json!({"file": {"name": name}})
    };
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
    let starts = join_all((0..8).map(|_| start(&gateway, super::CLIENT_KEY, ""))).await;
    assert!(
        starts.iter().all(|(status, _)| *status == 200),
        "{starts:?}"
    );
    assert_eq!(keys_seen(&gateway).len(), 1);
}

#[tokio::test]
async fn whoever_begins_elsewhere_takes_others_along() {
    let gateway = twenty().await;
    start(&gateway, super::CLIENT_KEY, "").await;
    let first = gateway.upstream.seen().last().unwrap().key.clone().unwrap();
    gateway
        .upstream
        .add_rule(Rule::new().key(&first).respond(503, "{}"));
    gateway.upstream.clear_seen();
    for _ in 0..4 {
        let (status, text) = start(&gateway, super::CLIENT_KEY, "").await;
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

#[tokio::test]
async fn a_name_may_be_chosen_and_not_taken_from_another() {
    let gateway = twenty().await;
    let (mine, other) = (Caller::new(&gateway), Caller::with(&gateway, OTHER_KEY));
    for (kind, body) in [
        (
            "fileSearchStores",
            json!({"name": "fileSearchStores/mine-1"}),
        ),
        ("corpora", json!({"name": "corpora/mine-1"})),
        ("agents", json!({"id": "mine-1"})),
    ] {
        let path = format!("/v1beta/{kind}");
        mine.made(&path, body.clone()).await;
        let taken = other.ask("POST", &path, &body).await;
        assert_eq!(taken.status, 409, "{kind}: {}", taken.text());
        assert!(taken.text().contains("is taken"), "{}", taken.text());
        let found = mine.get(&format!("{path}/mine-1")).await;
        assert_eq!(found.status, 200, "{kind}: {}", found.text());
        assert_eq!(other.get(&format!("{path}/mine-1")).await.status, 404);
    }
    let file = mine.upload().await;
    let (status, text) = start(&gateway, OTHER_KEY, &name(&file)).await;
    assert_eq!(status, 409, "{text}");
    assert_eq!(start(&gateway, OTHER_KEY, "files/other-1").await.0, 200);
}

#[tokio::test]
async fn queries_are_read_as_bodies_are() {
    let gateway = twenty().await;
    let (mine, other) = (Caller::new(&gateway), Caller::with(&gateway, OTHER_KEY));
    let file = name(&mine.upload().await);
    let body = json!({"contents": [{"parts": [{"text": "hello"}]}]});
    for query in [
        format!("cachedContent={file}"),
        format!("batch.inputConfig.fileName={}", file.replace('/', "%2F")),
    ] {
        let path = format!("/v1beta/models/{MODEL}:generateContent?{query}");
        gateway.upstream.clear_seen();
        let refused = other.ask("POST", &path, &body).await;
        assert_eq!(refused.status, 404, "{query}: {}", refused.text());
        assert_eq!(gateway.upstream.seen().len(), 0);
        assert_eq!(mine.ask("POST", &path, &body).await.status, 200);
    }
}

#[tokio::test]
async fn free_text_may_look_like_a_name() {
    let gateway = twenty().await;
    let headers = [
        ("authorization", &*format!("Bearer {}", super::CLIENT_KEY)),
        ("content-type", "application/json"),
    ];
    for (path, body) in [
        (
            "/v1/chat/completions",
            json!({"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stop": ["files/x"],
                "user": "files/u", "metadata": {"source": "files/u.txt"}}),
        ),
        (
            "/v1beta/interactions",
            json!({"model": MODEL, "input": [{"type": "function_result", "result": {"path": "agents/a.txt"}}]}),
        ),
        (
            &format!("/v1beta/models/{MODEL}:generateContent"),
            json!({"contents": [{"parts": [{"codeExecutionResult": {"output": "files/a"}}, {"text": "x"}]}],
                "generation_config": {"response_schema": {"enum": ["files/a"]}}}),
        ),
    ] {
        let answer = gateway
            .send(request("POST", path, &headers, body.to_string()))
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}
