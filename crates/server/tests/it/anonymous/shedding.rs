//! Few usable keys: anonymous callers are refused by the line between `low` and `high`, holders of client keys are not.

use fake_upstream::{Rule, gemini, xai};
use serde_json::{Value, json};

use super::{HERE, HOUR, open};
use crate::support::{Builder, CLIENT_KEY, Connection, MODEL, Operator, TestGateway, request};

const OTHER: &str = "gemini-3.8-pro";

/// With so many keys, shedding from `low` to `high`, and addresses that may ask as often as they like.
fn shedding(keys: usize, low: usize, high: usize) -> Builder {
    open()
        .keys((1..=keys).map(|n| format!("AIza-key-{n}")))
        .setting("ip_limits.per_minute", "1000000")
        .setting("ip_limits.ban_above_per_hour", "100000000")
        .setting("shedding.enabled", "true")
        .setting("shedding.low", &low.to_string())
        .setting("shedding.high", &high.to_string())
}

#[tokio::test]
async fn as_many_are_refused_as_the_line_says() {
    const ASKED: usize = 400;
    let gateway = open()
        .keys((1..=6).map(|n| format!("AIza-key-{n}")))
        .setting("ip_limits.per_minute", "1000000")
        .setting("ip_limits.ban_above_per_hour", "100000000")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut caller = Connection::open(gateway.address).await;
    for (low, high, part) in [
        (0, 6, 0.0),
        (2, 7, 0.2),
        (4, 8, 0.5),
        (5, 10, 0.8),
        (6, 10, 1.0),
        (7, 10, 1.0),
    ] {
        let values = json!({"shedding.enabled": true, "shedding.low": low, "shedding.high": high});
        admin.put("/api/settings", values).await.expect(200);
        gateway.running.seed_dice(7);
        let mut refused = 0;
        for _ in 0..ASKED {
            let status = caller.send(super::generate_from(HERE, &[])).await.status;
            assert!(matches!(status, 200 | 503), "{status}");
            refused += usize::from(status == 503);
        }
        // Three standard deviations; the seed is fixed, so this holds always or never.
        let expected = part * ASKED as f64;
        let bound = 3.0 * (expected * (1.0 - part)).sqrt();
        let off = refused as f64 - expected;
        assert!(off.abs() <= bound, "{low} to {high}: {refused} refused");
    }
}

#[tokio::test]
async fn client_keys_are_served_while_others_are_refused() {
    let gateway = shedding(2, 3, 5).start().await;
    for _ in 0..3 {
        assert_eq!(gateway.ask_from(HERE).await.status, 503);
        assert_eq!(gateway.ask_with(HERE, CLIENT_KEY).await.status, 200);
    }
    assert_eq!(
        gateway
            .metric("keymux_shed_total{provider=\"google\"}")
            .await,
        3
    );
}

#[tokio::test]
async fn nobody_is_refused_unless_it_is_switched_on() {
    let gateway = shedding(1, 30, 50)
        .setting("shedding.enabled", "false")
        .start()
        .await;
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
    assert_eq!(
        gateway
            .metric("keymux_shed_total{provider=\"google\"}")
            .await,
        0
    );
}

#[tokio::test]
async fn a_refusal_is_in_the_callers_dialect_and_says_when_to_come_back() {
    let gateway = shedding(1, 2, 2).start().await;
    let chat = json!({"model": MODEL, "messages": [{"role": "user", "content": "hi"}]});
    for (method, path, body, place, word) in [
        (
            "POST",
            "/v1beta/models/x:generateContent",
            json!({}),
            "/error/status",
            "UNAVAILABLE",
        ),
        (
            "POST",
            "/v1beta/models/x:streamGenerateContent",
            json!({}),
            "/0/error/status",
            "UNAVAILABLE",
        ),
        (
            "GET",
            "/v1beta/models",
            Value::Null,
            "/error/status",
            "UNAVAILABLE",
        ),
        (
            "POST",
            "/v1/chat/completions",
            chat,
            "/error/code",
            "overloaded",
        ),
        (
            "POST",
            "/p/google/v1beta/models/x:generateContent",
            json!({}),
            "/error/status",
            "UNAVAILABLE",
        ),
        (
            "POST",
            "/gemini-proxy",
            json!({"prompt": "hi"}),
            "/errors/0/code",
            "UPSTREAM_ERROR",
        ),
        (
            "POST",
            "/api/v1/chat/generate-text",
            json!({"message": "hi"}),
            "/detail",
            "few keys are usable now, and callers without a client key have to wait",
        ),
    ] {
        let headers = [
            ("x-forwarded-for", HERE),
            ("content-type", "application/json"),
        ];
        let asked = request(method, path, &headers, body.to_string());
        let answer = gateway.send(asked).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.text());
        assert_eq!(answer.json().pointer(place), Some(&json!(word)), "{path}");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((15..=45).contains(&wait), "{path}: {wait}");
    }
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn what_takes_no_key_of_the_pool_is_not_refused() {
    let gateway = shedding(1, 2, 2).start().await;
    let from = [
        ("x-forwarded-for", HERE),
        ("content-type", "application/json"),
    ];
    let list = gateway.send(request("GET", "/v1/models", &from, "")).await;
    assert_eq!(list.status, 200);
    let own = json!({"prompt": "hi", "model": MODEL, "api_key": "AIza-brought-0001"});
    let own = request("POST", "/gemini-proxy", &from, own.to_string());
    assert_eq!(gateway.send(own).await.status, 200);
}

#[tokio::test]
async fn keys_that_are_out_for_one_model_are_usable_for_others() {
    let rule = Rule::new()
        .model(MODEL)
        .times(3)
        .fixture("gemini/errors/429_bare.json");
    let gateway = shedding(3, 1, 1)
        .upstream(gemini().rule(rule))
        .start()
        .await;
    let ask = async |model: &str| {
        let path = crate::support::generate_path(model);
        let headers = [("x-forwarded-for", HERE)];
        let asked = request("POST", &path, &headers, crate::support::prompt("hi"));
        gateway.send(asked).await
    };
    assert_eq!(ask(MODEL).await.status, 503, "all three keys are throttled");
    let shed = ask(MODEL).await;
    assert!(
        shed.text().contains("few keys are usable"),
        "{}",
        shed.text()
    );
    for model in [OTHER, "gemini-never-heard-of"] {
        assert!(!ask(model).await.text().contains("few keys"), "{model}");
    }
    gateway.running.skip(HOUR);
    // Nobody has asked for a key since: they are back all the same.
    assert_eq!(ask(MODEL).await.status, 200);
}

/// What becomes of a request for a model of OpenAI's dialect.
async fn chat(gateway: &TestGateway, model: &str) -> u16 {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    let headers = [
        ("x-forwarded-for", HERE),
        ("content-type", "application/json"),
    ];
    let asked = request("POST", "/v1/chat/completions", &headers, body.to_string());
    gateway.send(asked).await.status
}

#[tokio::test]
async fn along_a_chain_the_keys_of_each_provider_count_once() {
    let gateway = shedding(2, 3, 3)
        .with_provider("xai", xai(), "keys: [xai-key-0001]\nmodels_refresh: 0s")
        .setting("aliases.both", &format!("[google/{MODEL}, xai/grok-4.6]"))
        .setting(
            "aliases.twice",
            &format!("[google/{MODEL}, google/{OTHER}]"),
        )
        .start()
        .await;
    assert_eq!(chat(&gateway, "both").await, 200);
    assert_eq!(chat(&gateway, "twice").await, 503);
    assert_eq!(chat(&gateway, &format!("google/{MODEL}")).await, 503);
    assert_eq!(chat(&gateway, "xai/grok-4.6").await, 503);
}
