//! Every refusal in OpenAI's shape, with the status, type and code that its clients act on; and nothing of keys in it.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini, openai, xai};
use serde_json::json;

use super::{CHAT, GROK, XAI_KEY, ask, both, chat, get_as, message, post_as, refusal, streamed};
use crate::support::{CLIENT_KEY, MODEL, Operator, TestGateway, request};

#[tokio::test]
async fn callers_that_are_not_known_are_refused() {
    let gateway = both(gemini(), xai())
        .clients("- { name: off, key: sk-test-off-0003, enabled: false }")
        .start()
        .await;
    for secret in ["sk-nobody-00001", "AIza-key-1", "sk-test-off-0003", XAI_KEY] {
        let body = chat(GROK).to_string();
        for answer in [
            gateway.send(post_as(secret, CHAT, body.clone())).await,
            gateway.send(post_as(secret, "/v1/embeddings", body)).await,
            get_as(&gateway, secret, "/v1/models").await,
            get_as(&gateway, secret, "/v1/models/grok-4.6").await,
            get_as(&gateway, secret, "/p/xai/models").await,
        ] {
            let expected = "401 authentication_error invalid_api_key -";
            assert_eq!(refusal(&answer), expected, "{secret}");
            assert!(!answer.text().contains(secret), "{}", answer.text());
        }
    }
    let nobody = gateway
        .send(request("POST", CHAT, &[], chat(GROK).to_string()))
        .await;
    assert_eq!(
        refusal(&nobody),
        "401 authentication_error invalid_api_key -"
    );
    assert_eq!(gateway.provider("xai").count(), 0);
}

#[tokio::test]
async fn paths_that_are_not_there_are_refused() {
    let gateway = both(gemini(), xai()).start().await;
    for (method, path) in [
        ("POST", "/v1/chat/completion"),
        ("POST", "/v1/images/edits"),
        ("POST", "/v1/audio/speech"),
    ] {
        let bearer = format!("Bearer {CLIENT_KEY}");
        let headers = [("authorization", &*bearer)];
        let answer = gateway.send(request(method, path, &headers, "{}")).await;
        let line = refusal(&answer);
        assert!(
            line.starts_with("404 invalid_request_error"),
            "{method} {path}: {line}"
        );
    }
}

#[tokio::test]
async fn limits_of_a_client_key_are_told_as_openai_tells_them() {
    let gateway = both(gemini(), xai()).start().await;
    let admin = Operator::admin(&gateway).await;
    let client = admin.make_client(json!({"name": "slow", "rpm": 1})).await;
    let ask = |path: &str| post_as(&client.secret, path, chat(GROK).to_string());
    let first = gateway.send(ask(CHAT)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.header("x-ratelimit-limit-requests"), "1");
    assert_eq!(first.header("x-ratelimit-remaining-requests"), "0");
    assert_ne!(first.header("x-ratelimit-reset-requests"), "");
    for path in [CHAT, "/v1/embeddings", "/p/xai/chat/completions"] {
        let answer = gateway.send(ask(path)).await;
        let expected = "429 rate_limit_error rate_limit_exceeded -";
        assert_eq!(refusal(&answer), expected, "{path}");
        assert_eq!(answer.header("x-ratelimit-remaining-requests"), "0");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    assert_eq!(gateway.provider("xai").count(), 1);
}

#[tokio::test]
async fn a_spent_budget_is_told_as_one() {
    let gateway = both(gemini(), xai()).start().await;
    let admin = Operator::admin(&gateway).await;
    let poor = json!({"name": "poor", "budget_usd": 0.000_000_1, "budget_period": "day"});
    let client = admin.make_client(poor).await;
    let body = chat(GROK).to_string();
    let first = gateway
        .send(post_as(&client.secret, CHAT, body.clone()))
        .await;
    gateway.record_of(&first).await;
    let answer = gateway.send(post_as(&client.secret, CHAT, body)).await;
    assert_eq!(
        refusal(&answer),
        "429 insufficient_quota insufficient_quota -"
    );
}

#[tokio::test]
async fn tokens_of_a_stream_count_against_the_clients_limit_though_it_hides_them() {
    let gateway = both(gemini(), xai()).start().await;
    let admin = Operator::admin(&gateway).await;
    let client = admin.make_client(json!({"name": "small", "tpd": 5})).await;
    let body = streamed(GROK).to_string();
    let first = gateway
        .send(post_as(&client.secret, CHAT, body.clone()))
        .await;
    assert_eq!(first.status, 200, "{}", first.text());
    gateway.record_of(&first).await;
    let answer = gateway.send(post_as(&client.secret, CHAT, body)).await;
    assert_eq!(
        refusal(&answer),
        "429 rate_limit_error rate_limit_exceeded -"
    );
}

#[tokio::test]
async fn an_exhausted_pool_says_when_to_come_back() {
    for (rule, model) in [
        (
            Rule::new().fixture("gemini/errors/429_per_minute_requests.json"),
            MODEL,
        ),
        (Rule::new().fixture("xai/errors/429_rpm.json"), GROK),
    ] {
        let gateway = both(gemini().rule(rule.clone()), xai().rule(rule))
            .start()
            .await;
        for body in [chat(model), streamed(model)] {
            let answer = gateway.send(ask(&body)).await;
            let line = refusal(&answer);
            assert!(line.starts_with("503 server_error"), "{model}: {line}");
            let wait: u64 = answer.header("retry-after").parse().unwrap();
            assert!(wait >= 1, "{model}");
        }
    }
}

#[tokio::test]
async fn an_exhausted_pool_may_answer_429() {
    let rule = Rule::new().fixture("xai/errors/429_rpm.json");
    let gateway = both(gemini(), xai().rule(rule))
        .setting("pool.exhausted_status", "429")
        .start()
        .await;
    gateway.send(ask(&chat(GROK))).await;
    let answer = gateway.send(ask(&chat(GROK))).await;
    assert!(
        refusal(&answer).starts_with("429 rate_limit_error"),
        "{}",
        answer.text()
    );
    assert_ne!(answer.header("retry-after"), "");
}

/// What a provider refuses, as the caller reads it.
async fn check(model: &str, rule: Rule, expected: &str, words: &str) {
    for body in [chat(model), streamed(model)] {
        let gateway = both(gemini().rule(rule.clone()), xai().rule(rule.clone()))
            .with_provider(
                "house",
                openai().rule(rule.clone()),
                "keys: [house-key-1]\nmodels_refresh: 0s",
            )
            .setting("retry.max_attempts", "1")
            .start()
            .await;
        let answer = gateway.send(ask(&body)).await;
        assert_eq!(refusal(&answer), expected, "{model} {words}");
        let message = message(&answer);
        assert!(message.contains(words), "{words:?} in {message}");
        assert!(!message.contains("00000000-0000-4000"), "{message}");
    }
}

#[tokio::test]
async fn what_google_refuses_is_told_in_openais_shape() {
    for (name, expected, words) in [
        (
            "openai_compat_400",
            "400 invalid_request_error - -",
            "Unknown name",
        ),
        ("400_token_limit", "400 invalid_request_error - -", ""),
        (
            "404_model",
            "404 invalid_request_error model_not_found model",
            "",
        ),
        (
            "503_overloaded",
            "503 server_error service_unavailable -",
            "overloaded",
        ),
        ("500_internal", "500 server_error - -", ""),
    ] {
        let rule = Rule::new().fixture(&format!("gemini/errors/{name}.json"));
        check(MODEL, rule, expected, words).await;
    }
}

#[tokio::test]
async fn what_xai_refuses_is_told_in_openais_shape() {
    for (name, expected, words) in [
        (
            "400_argument.json",
            "400 invalid_request_error invalid-argument -",
            "Argument not supported",
        ),
        (
            "403_moderation.json",
            "400 invalid_request_error content_policy_violation -",
            "Content violates usage guidelines",
        ),
        (
            "404_model.json",
            "404 invalid_request_error model_not_found model",
            "\"grok-4.6\" is not available",
        ),
        (
            "422.txt",
            "422 invalid_request_error - -",
            "Failed to deserialize",
        ),
    ] {
        let rule = Rule::new().fixture(&format!("xai/errors/{name}"));
        check(GROK, rule, expected, words).await;
    }
}

#[tokio::test]
async fn what_a_server_of_openais_kind_refuses_keeps_its_code() {
    let model = "house/gpt-6-mini";
    for (name, expected, words) in [
        (
            "400_context",
            "400 invalid_request_error context_length_exceeded messages",
            "",
        ),
        (
            "404_model",
            "404 invalid_request_error model_not_found model",
            "",
        ),
        ("500", "500 server_error - -", ""),
        ("503", "503 server_error service_unavailable -", ""),
    ] {
        let rule = Rule::new().fixture(&format!("openai/errors/{name}.json"));
        check(model, rule, expected, words).await;
    }
}

#[tokio::test]
async fn errors_that_are_about_keys_never_reach_the_caller() {
    let google = [
        KeyFault::Invalid,
        KeyFault::InvalidDebugInfo,
        KeyFault::Leaked,
        KeyFault::Suspended,
        KeyFault::PrepayDepleted,
        KeyFault::SpendCap,
        KeyFault::ServiceDisabled,
        KeyFault::ServiceBlocked,
    ];
    let grok = [
        KeyFault::Invalid,
        KeyFault::InvalidOld,
        KeyFault::Revoked,
        KeyFault::Suspended,
        KeyFault::PrepayDepleted,
        KeyFault::PrepayLegacy,
        KeyFault::NewTeam,
        KeyFault::BalanceExhausted,
        KeyFault::ServiceBlocked,
    ];
    let house = [KeyFault::Invalid, KeyFault::PrepayDepleted];
    let of = |model: &'static str, faults: &[KeyFault]| -> Vec<(&'static str, KeyFault)> {
        faults.iter().map(|fault| (model, *fault)).collect()
    };
    let all = [
        of(MODEL, &google),
        of(GROK, &grok),
        of("house/gpt-6-mini", &house),
    ];
    for (model, fault) in all.concat() {
        let faulty = |script: fake_upstream::Script, key: &str, mine: bool| {
            let key = FakeKey::new(key);
            script.key(if mine { key.fault(fault) } else { key })
        };
        let gateway = both(
            faulty(gemini(), "AIza-key-1", model == MODEL),
            faulty(xai(), XAI_KEY, model == GROK),
        )
        .with_provider(
            "house",
            faulty(openai(), "house-key-1", model.starts_with("house")),
            "keys: [house-key-1]\nmodels_refresh: 0s",
        )
        .start()
        .await;
        for body in [chat(model), streamed(model)] {
            let answer = gateway.send(ask(&body)).await;
            let text = answer.text();
            assert_eq!(answer.status, 503, "{model} {fault:?}: {text}");
            assert!(
                refusal(&answer).starts_with("503 server_error"),
                "{model} {fault:?}"
            );
            let message = message(&answer);
            let ours = ["no usable key for", "every key of"];
            assert!(
                ours.iter().any(|ours| message.starts_with(ours)),
                "{model} {fault:?}: {message}"
            );
        }
    }
}

#[tokio::test]
async fn secrets_that_an_error_quotes_are_redacted() {
    let quoting = format!(
        r#"{{"error":{{"message":"bad parameter, key {XAI_KEY} and AIza-key-1","type":"invalid_request_error","param":"{XAI_KEY}","code":"{XAI_KEY}"}}}}"#
    );
    let rule = Rule::new().respond(400, quoting);
    let gateway = both(gemini().rule(rule.clone()), xai().rule(rule))
        .start()
        .await;
    for (model, secret) in [(GROK, XAI_KEY), (MODEL, "AIza-key-1")] {
        for body in [chat(model), streamed(model)] {
            let answer = gateway.send(ask(&body)).await;
            assert_eq!(answer.status, 400, "{}", answer.text());
            assert!(!answer.text().contains(secret), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_provider_that_talks_nonsense_is_not_repeated() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().fixture("gemini/errors/502_html.html")))
        .setting("retry.max_attempts", "1")
        .start()
        .await;
    let answer = gateway.send(ask(&chat(MODEL))).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(!answer.text().contains('<'), "{}", answer.text());
}

#[tokio::test]
async fn an_endpoint_says_which_method_it_takes() {
    let gateway = both(gemini(), xai()).start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [("authorization", &*bearer)];
    for (method, path, allowed) in [
        ("GET", CHAT, "POST"),
        ("DELETE", "/v1/embeddings", "POST"),
        ("PUT", "/v1/images/generations/", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/v1/models/grok-4", "GET"),
    ] {
        let answer = gateway.send(request(method, path, &headers, "")).await;
        let expected = "405 invalid_request_error method_not_allowed -";
        assert_eq!(refusal(&answer), expected, "{method} {path}");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn every_refusal_says_which_request_it_was() {
    let gateway = both(gemini(), xai()).start().await;
    for body in [chat("nothing-like-it"), json!({"model": 5})] {
        let answer = gateway.send(ask(&body)).await;
        assert_ne!(answer.header("x-keymux-request-id"), "");
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.status, answer.status);
        assert_eq!(record.endpoint, "chat.completions");
        assert!(record.error.is_some());
    }
}
