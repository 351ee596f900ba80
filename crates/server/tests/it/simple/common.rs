//! What holds for the simple endpoints as for every other: limits of client keys, records, headers, browsers.

use domain::Dialect;
use fake_upstream::gemini;
use serde_json::{Value, json};

use super::{CHAT, PROXY, check_detail, check_failed};
use crate::support::{CLIENT_KEY, ClientKey, MODEL, Operator, TestGateway, post, request};

async fn limited(mut limits: Value) -> (TestGateway, ClientKey) {
    let gateway = TestGateway::new()
        .provider("default_model", MODEL)
        .start()
        .await;
    limits["name"] = json!("limited");
    let admin = Operator::admin(&gateway).await;
    let client = admin.make_client(limits).await;
    (gateway, client)
}

async fn check_forbidden(limits: Value, names: &str) {
    let (gateway, client) = limited(limits).await;
    let call = client.post(PROXY, json!({"prompt": "hi"}).to_string());
    let answer = gateway.send(call).await;
    let message = check_failed(&answer, "AUTH_ERROR", 403);
    assert!(message.contains(names), "{message}");
    assert_eq!(gateway.record_of(&answer).await.status, 403);
    let call = client.post(CHAT, json!({"message": "hi"}).to_string());
    check_detail(&gateway.send(call).await, 403, "may not use");
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn a_client_key_is_held_to_its_models_providers_and_endpoints() {
    check_forbidden(json!({"allowed_models": ["gemini-2.5-pro"]}), MODEL).await;
    check_forbidden(json!({"allowed_providers": ["xai"]}), "google").await;
    check_forbidden(
        json!({"allowed_endpoints": ["generateContent"]}),
        "gemini-proxy",
    )
    .await;
}

#[tokio::test]
async fn what_a_client_key_may_use_it_gets() {
    let limits = json!({
        "allowed_models": [MODEL],
        "allowed_providers": ["google"],
        "allowed_endpoints": ["gemini-proxy"],
    });
    let (gateway, client) = limited(limits).await;
    let call = client.post(PROXY, json!({"prompt": "hi"}).to_string());
    assert_eq!(gateway.send(call).await.status, 200);
    let own = json!({"prompt": "hi", "model": "gemini-2.5-pro", "api_key": "AIza-own"});
    let answer = gateway.send(client.post(PROXY, own.to_string())).await;
    check_failed(&answer, "AUTH_ERROR", 403);
    assert_eq!(gateway.upstream.count(), 1);
}

#[tokio::test]
async fn the_callers_own_limits_are_quota_errors() {
    let (gateway, client) = limited(json!({"rpd": 1})).await;
    let call = || client.post(PROXY, json!({"prompt": "hi"}).to_string());
    let answer = gateway.send(call()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "0");
    let answer = gateway.send(call()).await;
    check_failed(&answer, "QUOTA_ERROR", 429);
    assert!(!answer.header("retry-after").is_empty());
    let call = client.post(CHAT, json!({"message": "hi"}).to_string());
    let answer = gateway.send(call).await;
    check_detail(&answer, 429, "");
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn tokens_count_towards_limits() {
    let (gateway, client) = limited(json!({"tpd": 1})).await;
    let call = || client.post(PROXY, json!({"prompt": "say hello to all"}).to_string());
    assert_eq!(gateway.send(call()).await.status, 200);
    check_failed(&gateway.send(call()).await, "QUOTA_ERROR", 429);
}

#[tokio::test]
async fn a_request_is_recorded_with_all_that_it_took() {
    let gateway = TestGateway::new()
        .upstream(gemini().says("hello"))
        .provider("default_model", MODEL)
        .start()
        .await;
    for (path, body, endpoint) in [
        (PROXY, json!({"prompt": "hi there"}), "gemini-proxy"),
        (CHAT, json!({"message": "hi there"}), "generate-text"),
    ] {
        let answer = gateway.post(path, body.to_string()).await;
        assert_eq!(answer.header("x-keymux-provider"), "google");
        assert_eq!(answer.header("x-keymux-attempts"), "1");
        assert!(!answer.header("x-keymux-key").is_empty());
        let record = gateway.record_of(&answer).await;
        assert_eq!(
            (record.dialect, record.endpoint),
            (Dialect::Simple, endpoint)
        );
        assert_eq!(record.provider.as_deref(), Some("google"));
        assert_eq!(record.model.as_deref(), Some(MODEL));
        assert_eq!(
            (record.status, record.error, record.stream),
            (200, None, false)
        );
        assert_eq!(record.attempts.len(), 1);
        assert!(record.usage.is_some_and(|usage| usage.total > 0));
        assert!(record.cost.is_some());
        assert!(record.first_byte_us.is_some());
    }
}

#[tokio::test]
async fn what_was_blocked_was_still_paid_for() {
    let gateway = TestGateway::new().start().await;
    let answer = gateway
        .send(post(PROXY, json!({"prompt": "UNSAFE words"}).to_string()))
        .await;
    check_failed(&answer, "SAFETY_BLOCKED", 422);
    let record = gateway.record_of(&answer).await;
    assert!(record.usage.is_some_and(|usage| usage.total > 0));
}

#[tokio::test]
async fn callers_without_a_key_may_ask_where_the_gateway_is_open() {
    let gateway = TestGateway::new()
        .setting("server.auth", "open")
        .start()
        .await;
    let body = json!({"prompt": "hi"}).to_string();
    let answer = gateway.send(request("POST", PROXY, &[], body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn nothing_of_the_callers_headers_reaches_the_provider() {
    let gateway = TestGateway::new().start().await;
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("x-goog-fieldmask", "candidates"),
        ("x-http-method-override", "GET"),
        ("cookie", "a=b"),
        ("accept-encoding", "gzip"),
    ];
    let body = json!({"prompt": "hi"}).to_string();
    let answer = gateway.send(request("POST", PROXY, &headers, body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gateway.upstream.seen();
    let mut names: Vec<&str> = seen[0].headers.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "x-goog-api-key"
        ]
    );
}

#[tokio::test]
async fn browsers_of_allowed_origins_may_ask() {
    let gateway = TestGateway::new()
        .setting("server.cors_origins", "[\"https://app.test\"]")
        .start()
        .await;
    for path in [
        PROXY,
        CHAT,
        "/api/v1/vision/extract-text/",
        "/api/v1/health",
    ] {
        let headers = [
            ("origin", "https://app.test"),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "x-server-key, content-type",
            ),
        ];
        let answer = gateway.send(request("OPTIONS", path, &headers, "")).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://app.test"
        );
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "x-server-key, content-type"
        );
        assert!(
            answer
                .header("access-control-allow-methods")
                .contains("POST")
        );
    }
    let headers = [("origin", "https://app.test"), ("x-server-key", CLIENT_KEY)];
    let body = json!({"prompt": "hi"}).to_string();
    let answer = gateway.send(request("POST", PROXY, &headers, body)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://app.test"
    );
}
