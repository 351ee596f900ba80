//! `/api/v1/vision/extract-text`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_upstream::{Rule, gemini};
use serde_json::json;

use super::{IMAGE, PNG, asked, check_detail, check_invalid};
use crate::support::{Answer, CLIENT_KEY, MODEL, TestGateway, request};

const BOUNDARY: &str = "----test-boundary";

/// A form that is being filled in.
#[derive(Debug, Default)]
struct Form(Vec<u8>);

impl Form {
    fn png() -> Self {
        Self::default().file("scan.png", "image/png", PNG)
    }

    fn file(self, name: &str, kind: &str, data: &[u8]) -> Self {
        let head = format!("name=\"file\"; filename=\"{name}\"\r\ncontent-type: {kind}");
        self.part(&head, data)
    }

    fn text(self, name: &str, text: &str) -> Self {
        self.part(&format!("name=\"{name}\""), text.as_bytes())
    }

    fn part(mut self, head: &str, data: &[u8]) -> Self {
        let head = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; {head}\r\n\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(data);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    fn end(mut self) -> Vec<u8> {
        let end = format!("--{BOUNDARY}--\r\n");
        self.0.extend_from_slice(end.as_bytes());
        self.0
    }
}

async fn send(gateway: &TestGateway, form: Form) -> Answer {
    send_as(
        gateway,
        &format!("multipart/form-data; boundary={BOUNDARY}"),
        form.end(),
    )
    .await
}

async fn send_as(gateway: &TestGateway, kind: &str, body: Vec<u8>) -> Answer {
    let headers = [("x-goog-api-key", CLIENT_KEY), ("content-type", kind)];
    gateway.send(request("POST", IMAGE, &headers, body)).await
}

#[tokio::test]
async fn the_text_of_an_image_is_extracted() {
    let gateway = TestGateway::new()
        .upstream(gemini().says("TOTAL 12.50"))
        .provider("default_model", MODEL)
        .start()
        .await;
    let answer = send(&gateway, Form::png()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let expected = json!({
        "filename": "scan.png",
        "content_type": "image/png",
        "extracted_text": "TOTAL 12.50",
        "model_used": MODEL,
    });
    assert_eq!(answer.json(), expected);
    let (path, sent) = asked(&gateway);
    assert_eq!(path, format!("/v1beta/models/{MODEL}:generateContent"));
    let parts = &sent["contents"][0]["parts"];
    let image = json!({"mimeType": "image/png", "data": STANDARD.encode(PNG)});
    assert_eq!(parts[0]["inlineData"], image);
    let prompt = parts[1]["text"].as_str().unwrap();
    assert!(prompt.starts_with("Extract all text"), "{prompt}");
}

#[tokio::test]
async fn prompt_and_model_are_the_callers_where_they_are_given() {
    let gateway = TestGateway::new().start().await;
    for name in ["model", "model_name"] {
        let form = Form::default()
            .text("prompt", "Only the total.")
            .text(name, "models/gemini-2.5-pro")
            .text("other", "x")
            .file("täst.png", "application/octet-stream", PNG);
        let answer = send(&gateway, form).await;
        let body = answer.json();
        assert_eq!(body["model_used"], "gemini-2.5-pro", "{body}");
        assert_eq!(
            (&body["filename"], &body["content_type"]),
            (&json!("täst.png"), &json!("image/png"))
        );
        let (_, sent) = asked(&gateway);
        assert_eq!(sent["contents"][0]["parts"][1]["text"], "Only the total.");
    }
    let blank = Form::png().text("prompt", " ").text("model", "");
    assert_eq!(send(&gateway, blank).await.status, 200);
    let (_, sent) = asked(&gateway);
    let prompt = sent["contents"][0]["parts"][1]["text"].as_str().unwrap();
    assert!(prompt.starts_with("Extract all text"), "{prompt}");
}

#[tokio::test]
async fn what_is_not_an_image_is_refused_with_a_list_of_those_that_are() {
    let gateway = TestGateway::new().start().await;
    for (kind, data) in [
        ("text/plain", PNG),
        ("application/pdf", b"%PDF-1.7"),
        ("image/png", b"just a text"),
        ("image/png", b""),
        ("image/gif", b"GIF89a\x01\0\x01\0\0\0"),
        ("image/svg+xml", b"<svg xmlns='x'></svg>"),
        ("application/octet-stream", b"MZ\x90\0\x03\0\0\0\0\0\0\0"),
    ] {
        let answer = send(&gateway, Form::default().file("f", kind, data)).await;
        check_detail(&answer, 415, "image/webp");
    }
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn a_form_without_an_image_is_refused() {
    let gateway = TestGateway::new().start().await;
    let file = json!(["body", "file"]);
    let without = Form::default().text("prompt", "hi");
    check_invalid(&send(&gateway, without).await, &file, "missing");
    check_invalid(&send(&gateway, Form::default()).await, &file, "missing");
    for kind in ["application/json", "image/png", "multipart/form-data", "x"] {
        let answer = send_as(&gateway, kind, Form::png().end()).await;
        check_invalid(&answer, &file, "missing");
    }
    let model = Form::png().text("model", "a/../b");
    check_invalid(
        &send(&gateway, model).await,
        &json!(["body", "model"]),
        "value_error",
    );
    let differ = Form::png().text("model", "a").text("model_name", "b");
    check_invalid(
        &send(&gateway, differ).await,
        &json!(["body", "model_name"]),
        "value_error",
    );
    let binary = Form::png().part("name=\"prompt\"", b"\xff\xfe");
    check_invalid(
        &send(&gateway, binary).await,
        &json!(["body", "prompt"]),
        "string_unicode",
    );
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn a_form_that_breaks_off_is_refused() {
    let gateway = TestGateway::new().start().await;
    let whole = Form::png().end();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    for length in [0, 5, 30, 60, 100, whole.len() - 30] {
        let answer = send_as(&gateway, &kind, whole[..length].to_vec()).await;
        check_detail(&answer, 400, "form");
    }
    let other = "multipart/form-data; boundary=other";
    check_detail(&send_as(&gateway, other, whole).await, 400, "form");
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn an_image_over_the_limit_of_bodies_is_refused() {
    let gateway = TestGateway::new()
        .setting("server.max_body", "1KiB")
        .start()
        .await;
    let large = [PNG, &[0; 2000]].concat();
    let form = Form::default().file("f.png", "image/png", &large);
    check_detail(&send(&gateway, form).await, 413, "server.max_body");
}

#[tokio::test]
async fn a_large_image_arrives_whole_also_at_the_second_try() {
    let rule = Rule::new()
        .fixture("gemini/errors/429_per_minute_requests.json")
        .key("AIza-key-1");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let large: Vec<u8> = PNG
        .iter()
        .copied()
        .chain((0..600_000).map(|at| at as u8))
        .collect();
    let answer = send(&gateway, Form::default().file("f.png", "image/png", &large)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-keymux-attempts"), "2");
    let (_, sent) = asked(&gateway);
    let data = &sent["contents"][0]["parts"][0]["inlineData"]["data"];
    assert_eq!(STANDARD.decode(data.as_str().unwrap()).unwrap(), large);
}
