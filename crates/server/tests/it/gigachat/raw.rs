//! `/p/gigachat/…`: whatever GigaChat has, with a pooled key and its token.

use bytes::Bytes;
use fake_upstream::gigachat;
use serde_json::json;

use super::{KEY, ONE, asked_at, health, start, upstream};
use crate::support::talk::{ask_with, refused};
use crate::support::{Answer, CLIENT_KEY, TestGateway, request};

const FORM: &str = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
    content-type: text/plain\r\n\r\nhello\r\n--x\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\n\
    general\r\n--x--\r\n";

async fn upload(gateway: &TestGateway) -> Answer {
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "multipart/form-data; boundary=x"),
    ];
    let form = Bytes::from_static(FORM.as_bytes());
    gateway
        .talk(request("POST", "/p/gigachat/files", &headers, form))
        .await
}

#[tokio::test]
async fn models_are_listed_with_a_token_also_when_the_old_one_is_over() {
    let gateway = start(gigachat(), ONE).await;
    for _ in 0..2 {
        let answer = gateway.fetch("/p/gigachat/models").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["data"][0]["owned_by"], "salutedevices");
        upstream(&gateway).expire_tokens();
    }
    for seen in asked_at(&gateway, "/api/v1/models") {
        assert_eq!(seen.key.as_deref(), Some(KEY));
        assert!(!seen.header("authorization").unwrap().contains(CLIENT_KEY));
    }
}

#[tokio::test]
async fn a_file_goes_up_and_comes_back() {
    let gateway = start(gigachat(), ONE).await;
    let answer = upload(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/p/gigachat/files/{id}/content");
    assert_eq!(gateway.fetch(&path).await.body, "hello");
}

#[tokio::test]
async fn an_upload_whose_token_is_over_is_the_callers_to_repeat_and_never_sent_empty() {
    let gateway = start(gigachat(), ONE).await;
    assert_eq!(upload(&gateway).await.status, 200);
    upstream(&gateway).expire_tokens();
    let message = refused(&upload(&gateway).await, 502);
    assert!(message.contains("send the upload again"), "{message}");
    assert_eq!(health(&gateway, 0), "active");
    assert_eq!(upload(&gateway).await.status, 200);
    for seen in asked_at(&gateway, "/files") {
        assert_eq!(seen.body, FORM);
    }
}

#[tokio::test]
async fn gigachats_own_dialect_passes_as_it_is() {
    let gateway = start(gigachat(), ONE).await;
    let body =
        json!({"model": "GigaChat-2-Max", "messages": [{"role": "user", "content": "Привет"}]});
    let answer = gateway
        .talk(ask_with("/p/gigachat/chat/completions", &[], &body))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["model"], "GigaChat-2-Max:2.0.28.2");
    let wrong = json!({"model": "GigaChat-2-Max", "messages": []});
    let answer = gateway
        .talk(ask_with("/p/gigachat/chat/completions", &[], &wrong))
        .await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["status"], 422, "the words are GigaChat's own");
}
