//! Pictures: GigaChat takes them only by upload, so that each is uploaded once for each account before the chat.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_upstream::{FakeUpstream, Rule, gigachat, openai};
use serde_json::{Value, json};

use super::{MODEL, ONE, TWO, asked_at, last_chat, start, start_with, upstream};
use crate::support::talk::{chat, refused, said};
use crate::support::{Answer, TestGateway};

const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn with_picture(url: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "Что это?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]}]})
}

async fn show(gateway: &TestGateway, url: &str) -> Answer {
    gateway.talk(chat(MODEL, "", with_picture(url))).await
}

fn data_uri() -> String {
    format!("data:image/png;base64,{PIXEL}")
}

fn uploads(gateway: &TestGateway) -> usize {
    asked_at(gateway, "/files").len()
}

#[tokio::test]
async fn a_picture_is_uploaded_once_and_used_again() {
    let gateway = start(gigachat(), ONE).await;
    for _ in 0..3 {
        let answer = show(&gateway, &data_uri()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            said(&answer).contains("The file is image/png of 70 bytes."),
            "{}",
            said(&answer)
        );
    }
    assert_eq!(uploads(&gateway), 1);
    let message = &last_chat(&gateway)["messages"][0];
    assert_eq!(message["content"], "Что это?");
    assert_eq!(message["attachments"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn each_account_is_given_the_picture_once() {
    let gateway = start_with(gigachat(), TWO, &[("pool.strategy", "round_robin")]).await;
    for _ in 0..6 {
        let answer = show(&gateway, &data_uri()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(uploads(&gateway), 2);
}

#[tokio::test]
async fn a_picture_goes_with_a_token_that_is_fetched_anew() {
    let gateway = start(gigachat(), ONE).await;
    assert_eq!(super::ask(&gateway).await.status, 200);
    upstream(&gateway).expire_tokens();
    let answer = show(&gateway, &data_uri()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(upstream(&gateway).token_requests(), 2);
}

#[tokio::test]
async fn a_picture_that_is_gone_is_uploaded_again() {
    let gateway = start(gigachat(), ONE).await;
    assert_eq!(show(&gateway, &data_uri()).await.status, 200);
    let id = last_chat(&gateway)["messages"][0]["attachments"][0].clone();
    let path = format!("/p/gigachat/files/{}/delete", id.as_str().unwrap());
    let deleted = gateway
        .talk(crate::support::talk::ask_with(&path, &[], &json!({})))
        .await;
    assert_eq!(deleted.json()["deleted"], true, "{}", deleted.text());
    let answer = show(&gateway, &data_uri()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(uploads(&gateway), 2);
}

#[tokio::test]
async fn an_upload_that_fails_is_tried_again() {
    let rule = Rule::new()
        .path_contains("/files")
        .fixture("gigachat/errors/500.json");
    let gateway = start(gigachat().rule(rule.times(1)), ONE).await;
    let answer = show(&gateway, &data_uri()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A server of files with a picture, a drawing and nothing else.
async fn gallery() -> FakeUpstream {
    let png = STANDARD.decode(PIXEL).unwrap();
    let at = |path: &str| Rule::new().path_contains(path);
    let here = openai()
        .rule(at("/pixel").respond_with(200, &[("content-type", "image/png")], png))
        .rule(at("/drawing").respond_with(200, &[("content-type", "image/svg+xml")], "<svg/>"))
        .rule(at("/").respond_with(404, &[], "{}"));
    here.start().await
}

#[tokio::test]
async fn a_picture_on_a_private_address_is_not_fetched() {
    let gallery = gallery().await;
    let gateway = start(gigachat(), ONE).await;
    let port = gallery.addr().port();
    for url in [
        format!("{}/pixel", gallery.base_url()),
        format!("http://localhost:{port}/pixel"),
        "http://127.0.0.1/pixel".to_owned(),
        "http://[::1]/pixel".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let message = refused(&show(&gateway, &url).await, 400);
        assert!(!message.contains("root:"), "{message}");
    }
    assert_eq!(gallery.count(), 0);
    assert_eq!(uploads(&gateway), 0);
    let message = refused(&show(&gateway, "http://127.0.0.1/pixel").await, 400);
    assert!(message.contains("public"), "{message}");
    assert_eq!(super::health(&gateway, 0), "active");
}

#[tokio::test]
async fn private_addresses_are_fetched_where_that_is_allowed() {
    let gallery = gallery().await;
    let settings = [("server.allow_private_images", "true")];
    let gateway = start_with(gigachat(), ONE, &settings).await;
    let url = format!("{}/pixel", gallery.base_url());
    for _ in 0..2 {
        let answer = show(&gateway, &url).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(said(&answer).contains("image/png"), "{}", said(&answer));
    }
    assert_eq!(uploads(&gateway), 1);
    for path in ["drawing", "nothing"] {
        let url = format!("{}/{path}", gallery.base_url());
        refused(&show(&gateway, &url).await, 400);
    }
    let metadata = show(&gateway, "http://169.254.169.254/latest/meta-data").await;
    refused(&metadata, 400);
    assert_eq!(uploads(&gateway), 1);
}

#[tokio::test]
async fn pictures_that_gigachat_does_not_take_are_refused_here() {
    let gateway = start(gigachat(), ONE).await;
    let large = STANDARD.encode(vec![0; (15 << 20) + 1]);
    for (url, word) in [
        (format!("data:image/png;base64,{large}"), "15 MiB"),
        (
            "data:image/gif;base64,R0lGODlhAQABAAAAACw=".to_owned(),
            "gif",
        ),
        ("data:image/png;base64,***".to_owned(), "base64"),
        ("data:image/png,raw".to_owned(), "base64"),
        ("data:".to_owned(), "data"),
        ("pixel.png".to_owned(), "http"),
    ] {
        let message = refused(&show(&gateway, &url).await, 400);
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(upstream(&gateway).count(), 0);
}
