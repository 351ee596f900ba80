//! What exceeds a limit is refused with the right status, in the caller's own dialect, with when to come back; and let in
//! when the limit is raised.

use fake_upstream::{Rule, gemini};
use serde_json::{Value, json};

use super::Desk;
use crate::support::{Answer, ClientKey, MODEL, TestGateway, eventually, generate_path, request};

/// What a refusal for too much says, and from which second on it is worth coming back.
fn check_too_much(answer: &Answer, text: &str, seconds: std::ops::RangeInclusive<u64>) {
    assert_eq!(answer.status, 429, "{text}: {}", answer.text());
    let error = answer.error();
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with(text), "{message}");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!(seconds.contains(&wait), "{text}: {wait} s");
    let info = &error["details"][0];
    assert_eq!(
        info["@type"], "type.googleapis.com/google.rpc.RetryInfo",
        "{error}"
    );
    assert_eq!(info["retryDelay"], format!("{wait}s"), "{error}");
}

/// The second request exceeds the limit; without the limit it is let in.
async fn check(limits: Value, text: &str, seconds: std::ops::RangeInclusive<u64>) {
    let desk = Desk::ordinary().await;
    let client = desk.client(limits).await;
    assert_eq!(desk.generate(&client).await.status, 200, "{text}");
    desk.idle(&client).await;
    check_too_much(&desk.generate(&client).await, text, seconds);
    assert_eq!(desk.gateway.upstream.count(), 1, "{text}");
    desk.limit(&client, json!({})).await;
    assert_eq!(desk.generate(&client).await.status, 200, "{text}");
}

const A_DAY: std::ops::RangeInclusive<u64> = 1..=86_400;
const A_MONTH: std::ops::RangeInclusive<u64> = 1..=31 * 86_400;

#[tokio::test]
async fn too_many_requests_a_minute() {
    check(
        json!({"rpm": 1}),
        "1 request a minute is allowed; try again in",
        50..=60,
    )
    .await;
}

#[tokio::test]
async fn too_many_requests_a_day() {
    check(
        json!({"rpd": 1}),
        "1 request a day is allowed; try again in",
        A_DAY,
    )
    .await;
}

#[tokio::test]
async fn too_many_tokens_a_minute() {
    check(
        json!({"tpm": 2}),
        "2 tokens a minute are allowed; try again in",
        50..=60,
    )
    .await;
}

#[tokio::test]
async fn too_many_tokens_a_day() {
    check(
        json!({"tpd": 2}),
        "2 tokens a day are allowed; try again in",
        A_DAY,
    )
    .await;
}

#[tokio::test]
async fn too_much_money_a_day_or_a_month() {
    for (period, wait) in [("day", A_DAY), ("month", A_MONTH)] {
        let limits = json!({"budget_usd": 0.000_001, "budget_period": period});
        let text = format!("the budget of 0.000001 USD a {period} is spent; try again in");
        check(limits, &text, wait).await;
    }
}

#[tokio::test]
async fn too_many_requests_at_the_same_time() {
    let script = gemini().rule(Rule::new().times(1).stall_before_head());
    let desk = Desk::open(TestGateway::new().upstream(script).start().await).await;
    let client = desk.client(json!({"max_concurrent": 1})).await;
    let under_way = desk.generate(&client);
    let refused = async {
        eventually("the first is under way", async || {
            (desk.gateway.upstream.count() == 1).then_some(())
        })
        .await;
        desk.generate(&client).await
    };
    let refused = tokio::select! {
        _ = under_way => panic!("an answer came"),
        refused = refused => refused,
    };
    check_too_much(&refused, "1 request at the same time is allowed", 1..=1);
    desk.idle(&client).await;
    assert_eq!(desk.generate(&client).await.status, 200);
}

#[tokio::test]
async fn remaining_amounts_are_in_the_headers_as_openai_names_them() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({"rpm": 3, "tpm": 100_000})).await;
    let other = desk.client(json!({})).await;
    for (left, status) in [("2", 200), ("1", 200), ("0", 200), ("0", 429)] {
        let answer = desk.generate(&client).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-ratelimit-limit-requests"), "3");
        assert_eq!(answer.header("x-ratelimit-remaining-requests"), left);
        assert!(!answer.header("x-ratelimit-reset-requests").is_empty());
        assert_eq!(answer.header("x-ratelimit-limit-tokens"), "100000");
        desk.idle(&client).await;
    }
    let free = desk.generate(&other).await;
    let is_about_limits = |name: &http::HeaderName| name.as_str().starts_with("x-ratelimit-");
    assert!(
        !free.headers.keys().any(is_about_limits),
        "{:?}",
        free.headers
    );
}

#[tokio::test]
async fn what_is_not_allowed_is_403_and_costs_nothing() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({})).await;
    for (limits, text) in [
        (json!({"allowed_providers": ["x*"]}), "the provider google"),
        (
            json!({"allowed_models": ["gemini-2.5-*"]}),
            "the model gemini-3.8-flash",
        ),
        (
            json!({"allowed_endpoints": ["models.*"]}),
            "the endpoint generateContent",
        ),
        (json!({"allowed_ips": ["10.0.0.0/8"]}), "from 127.0.0.1"),
    ] {
        desk.limit(&client, limits).await;
        let refused = desk.generate(&client).await;
        assert_eq!(refused.status, 403, "{text}: {}", refused.text());
        let error = refused.error();
        assert_eq!(error["status"], "PERMISSION_DENIED", "{text}");
        assert!(error["message"].as_str().unwrap().contains(text), "{error}");
        assert_eq!(refused.header("retry-after"), "", "{text}");
    }
    assert_eq!(desk.gateway.upstream.count(), 0);
    for limits in [
        json!({"allowed_providers": ["google"]}),
        json!({"allowed_models": ["google/gemini-3.8-*"]}),
        json!({"allowed_endpoints": ["generateContent"]}),
        json!({"allowed_ips": ["127.0.0.0/8"]}),
    ] {
        desk.limit(&client, limits.clone()).await;
        assert_eq!(desk.generate(&client).await.status, 200, "{limits}");
    }
}

#[tokio::test]
async fn whoever_is_disabled_or_expired_is_401_until_that_is_mended() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({"rpm": 1})).await;
    for (limits, status, text) in [
        (json!({"enabled": false}), 401, "disabled"),
        (
            json!({"expires_at": "2020-01-01T00:00:00Z"}),
            401,
            "expired",
        ),
        (json!({"expires_at": "2120-01-01T00:00:00Z"}), 200, ""),
    ] {
        desk.limit(&client, limits).await;
        let answer = desk.generate(&client).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(text), "{}", answer.text());
        assert_eq!(answer.header("x-ratelimit-limit-requests"), "");
    }
    assert_eq!(
        desk.used(&client, "rpd").await,
        1,
        "whoever is 401 uses nothing"
    );
}

/// A refusal as the caller of this path reads it: its error object, without the words.
async fn refusal(
    desk: &Desk,
    client: &ClientKey,
    method: &str,
    path: &str,
) -> (u16, Value, String) {
    let bearer = format!("Bearer {}", client.secret);
    let shown = if path.starts_with("/v1/models") {
        ("authorization", &*bearer)
    } else {
        ("x-goog-api-key", &*client.secret)
    };
    let body = json!({"model": MODEL}).to_string();
    let answer = desk
        .gateway
        .send(request(method, path, &[shown], body))
        .await;
    let mut body = answer.json();
    let error = match &mut body {
        Value::Array(list) => &mut list[0]["error"],
        body => &mut body["error"],
    };
    let message = error["message"].take().as_str().unwrap().to_owned();
    if let Some(details) = error.get_mut("details") {
        details.take();
    }
    (answer.status, body, message)
}

#[tokio::test]
async fn refusals_are_in_the_callers_dialect() {
    let desk = Desk::ordinary().await;
    let google = json!({"error": {
        "code": 429, "message": null, "status": "RESOURCE_EXHAUSTED", "details": null,
    }});
    let openai = json!({"error": {
        "message": null, "type": "rate_limit_error", "param": null, "code": "rate_limit_exceeded",
    }});
    let interaction = json!({"error": {"code": "rate_limit_exceeded", "message": null}});
    let stream = format!("/v1beta/models/{MODEL}:streamGenerateContent");
    let events = format!("{stream}?alt=sse");
    let array = json!([google]);
    let client = desk.client(json!({"rpm": 1})).await;
    assert_eq!(desk.generate(&client).await.status, 200);
    for (method, path, expected) in [
        ("POST", &*generate_path(MODEL), &google),
        ("POST", &*events, &google),
        ("POST", &*stream, &array),
        ("POST", "/v1beta/openai/chat/completions", &array),
        ("POST", "/v1beta/interactions", &interaction),
        ("GET", "/v1/models", &openai),
    ] {
        let (status, body, message) = refusal(&desk, &client, method, path).await;
        assert_eq!((status, &body), (429, expected), "{path}");
        assert!(
            message.starts_with("1 request a minute"),
            "{path}: {message}"
        );
    }
    let closed = desk.client(json!({"allowed_endpoints": ["none"]})).await;
    for (method, path, code) in [
        ("POST", &*generate_path(MODEL), json!(403)),
        ("POST", "/v1beta/interactions", json!("permission_denied")),
        ("GET", "/v1/models", json!("not_allowed")),
    ] {
        let (status, body, message) = refusal(&desk, &closed, method, path).await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (403, &code),
            "{path}: {body}"
        );
        assert!(message.contains("may not use the endpoint"), "{message}");
    }
    assert_eq!(desk.gateway.upstream.count(), 1);
}

#[tokio::test]
async fn a_spent_budget_is_insufficient_quota_in_openais_dialect() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({"budget_usd": 0.000_001})).await;
    assert_eq!(desk.generate(&client).await.status, 200);
    desk.idle(&client).await;
    let (status, body, _) = refusal(&desk, &client, "GET", "/v1/models").await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (429, &json!("insufficient_quota"))
    );
}

#[tokio::test]
async fn a_stream_with_heartbeats_is_refused_with_its_status() {
    let gateway = TestGateway::new()
        .setting("retry.heartbeat", "1s")
        .start()
        .await;
    let desk = Desk::open(gateway).await;
    let client = desk.client(json!({"rpm": 1})).await;
    assert_eq!(desk.gateway.send(client.stream()).await.status, 200);
    let refused = desk.gateway.send(client.stream()).await;
    check_too_much(&refused, "1 request a minute", 50..=60);
}
