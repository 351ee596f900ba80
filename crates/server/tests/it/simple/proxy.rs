//! `/gemini-proxy`: what is asked, of which model, and what is refused before anybody is asked.

use serde_json::json;

use super::{PROXY, asked, check_failed, proxy};
use crate::support::{CLIENT_KEY, MODEL, TestGateway, request};

async fn check_refused(gateway: &TestGateway, body: &str, names: &str) {
    gateway.upstream.clear_seen();
    let answer = gateway.post(PROXY, body.to_owned()).await;
    let message = check_failed(&answer, "VALIDATION_ERROR", 400);
    assert!(message.contains(names), "{body}: {message}");
    assert_eq!(gateway.upstream.count(), 0, "{body}");
}

#[tokio::test]
async fn a_prompt_alone_asks_the_default_model_with_a_key_of_the_pool() {
    let gateway = TestGateway::new()
        .upstream(fake_upstream::gemini().says("hello \"there\""))
        .provider("default_model", MODEL)
        .start()
        .await;
    let answer = proxy(&gateway, json!({"prompt": "say hi"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    let body = answer.json();
    let time = &body["data"]["time"];
    assert!(time.is_u64(), "{body}");
    let data = json!({"response": "hello \"there\"", "model": MODEL, "time": time});
    assert_eq!(body, json!({"result": "OK", "data": data}));
    let (path, sent) = asked(&gateway);
    assert_eq!(path, format!("/v1beta/models/{MODEL}:generateContent"));
    let turn = json!({"role": "user", "parts": [{"text": "say hi"}]});
    assert_eq!(sent, json!({"contents": [turn]}));
    assert_eq!(
        gateway.upstream.seen()[0].key.as_deref(),
        Some("AIza-key-1")
    );
}

#[tokio::test]
async fn a_model_without_a_key_and_a_key_without_a_model_are_refused() {
    let gateway = TestGateway::new().start().await;
    for (body, missing) in [
        (
            json!({"prompt": "hi", "model": MODEL}),
            "`api_key` is missing",
        ),
        (
            json!({"prompt": "hi", "model_name": MODEL}),
            "`api_key` is missing",
        ),
        (
            json!({"prompt": "hi", "api_key": "AIza-own"}),
            "`model` is missing",
        ),
    ] {
        check_refused(&gateway, &body.to_string(), missing).await;
    }
}

#[tokio::test]
async fn a_prompt_may_have_as_many_characters_as_the_setting_says() {
    let gateway = TestGateway::new()
        .setting("simple.max_prompt_chars", "8")
        .start()
        .await;
    for prompt in ["12345678", "日本語日本語日本", "🦀🦀🦀🦀🦀🦀🦀🦀"] {
        let answer = proxy(&gateway, json!({"prompt": prompt})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let longer = json!({"prompt": format!("{prompt}.")}).to_string();
        check_refused(&gateway, &longer, "more than 8 characters").await;
    }
}

#[tokio::test]
async fn ten_thousand_characters_are_the_default_bound() {
    let gateway = TestGateway::new().start().await;
    let most = "é".repeat(10_000);
    let answer = proxy(&gateway, json!({"prompt": most})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let longer = json!({"prompt": most + "é"}).to_string();
    check_refused(&gateway, &longer, "10000").await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_name() {
    let gateway = TestGateway::new().start().await;
    for (body, names) in [
        ("", "empty"),
        ("{\"prompt\": \"hi\"", "JSON"),
        ("prompt=hi", "JSON"),
        ("[\"hi\"]", "JSON object"),
        ("{}", "`prompt`"),
        ("{\"prompt\": null}", "`prompt`"),
        ("{\"prompt\": 7}", "`prompt`"),
        ("{\"prompt\": \" \\n\"}", "`prompt`"),
        (
            "{\"prompt\": \"hi\", \"model\": 7, \"api_key\": \"AIza-own\"}",
            "`model`",
        ),
        (
            "{\"prompt\": \"hi\", \"model\": \"m\", \"api_key\": {}}",
            "`api_key`",
        ),
        (
            "{\"prompt\": \"hi\", \"model\": \"../x\", \"api_key\": \"AIza-own\"}",
            "../x",
        ),
        (
            "{\"prompt\": \"hi\", \"model\": \"a b\", \"api_key\": \"AIza-own\"}",
            "a b",
        ),
    ] {
        check_refused(&gateway, body, names).await;
    }
}

#[tokio::test]
async fn json_is_read_whatever_it_is_called_and_unknown_members_are_ignored() {
    let gateway = TestGateway::new().start().await;
    let body = json!({"prompt": "hi", "temperature": 0.5, "stream": true, "x": [{}]}).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json",
    ] {
        let headers = [("x-goog-api-key", CLIENT_KEY), ("content-type", kind)];
        let answer = gateway
            .send(request("POST", PROXY, &headers, body.clone()))
            .await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
    }
    let headers = [("x-goog-api-key", CLIENT_KEY)];
    for path in ["/gemini-proxy/", "//gemini-proxy", "/gemini-proxy?x=1"] {
        let answer = gateway
            .send(request("POST", path, &headers, body.clone()))
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    assert!(gateway.upstream.seen().iter().all(|seen| {
        !seen.path_and_query.contains('?')
            && seen
                .headers
                .iter()
                .any(|header| *header == ("content-type".into(), "application/json".into()))
    }));
}

#[tokio::test]
async fn other_methods_are_told_which_one_is_right() {
    let gateway = TestGateway::new().start().await;
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let headers = [("x-goog-api-key", CLIENT_KEY)];
        let answer = gateway.send(request(method, PROXY, &headers, "")).await;
        check_failed(&answer, "VALIDATION_ERROR", 405);
        assert_eq!(answer.header("allow"), "POST");
        assert_eq!(gateway.record_of(&answer).await.status, 405);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let gateway = TestGateway::new()
        .setting("server.max_body", "1KiB")
        .start()
        .await;
    let body = json!({"prompt": "x".repeat(2000)});
    check_failed(&proxy(&gateway, body).await, "VALIDATION_ERROR", 413);
}
