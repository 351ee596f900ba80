//! What clients of OpenAI's dialect go by besides answers: ids of requests, codes of an exhausted pool, refusals in their
//! own shape wherever a path leads, links that come back, and what browsers and caches are told.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini, openai, xai};
use serde_json::json;

use super::{CHAT, GROK, HOUSE, ask, both, chat, get, message, post, post_as, refusal, streamed};
use crate::support::{CLIENT_KEY, MODEL, Socket, TestGateway, generate, request};

#[tokio::test]
async fn every_answer_has_the_id_that_openais_clients_look_for() {
    let gateway = both(gemini(), xai())
        .with_provider(
            "house",
            openai().rule(Rule::new().respond_with(200, &[("x-request-id", "req_1")], "{}")),
            HOUSE,
        )
        .start()
        .await;
    for sent in [
        ask(&chat(GROK)),
        ask(&streamed(GROK)),
        ask(&chat("nothing-like-it")),
        post_as("sk-nobody-00001", CHAT, "{}"),
        post("/v1/responses", "{}"),
        request("GET", CHAT, &[("x-api-key", CLIENT_KEY)], ""),
        request("GET", "/v1/models", &[("x-api-key", CLIENT_KEY)], ""),
        request("GET", "/v1/../models", &[("x-api-key", CLIENT_KEY)], ""),
        post("/p/xai/chat/completions", chat(GROK).to_string()),
    ] {
        let answer = gateway.send(sent).await;
        let id = answer.header("x-keymux-request-id");
        assert!(!id.is_empty(), "{answer:?}");
        assert_eq!(answer.header("x-request-id"), id, "{answer:?}");
    }
    let answer = get(&gateway, "/p/house/anything").await;
    assert_eq!(answer.header("x-request-id"), "req_1");
    let googles = gateway.send(generate()).await;
    assert_eq!(googles.header("x-request-id"), "");
}

#[tokio::test]
async fn an_exhausted_pool_that_answers_429_says_whether_waiting_helps() {
    for (rule, expected, retry) in [
        (
            Rule::new().fixture("xai/errors/429_rpm.json"),
            "429 rate_limit_error rate_limit_exceeded -",
            "",
        ),
        (
            Rule::new().respond(
                429,
                "{\"code\":\"x\",\"error\":\"Free usage quota exceeded\"}",
            ),
            "429 insufficient_quota insufficient_quota -",
            "false",
        ),
        (
            Rule::new().fixture("xai/errors/403_credits.json"),
            "429 insufficient_quota insufficient_quota -",
            "false",
        ),
    ] {
        let gateway = both(gemini(), xai().rule(rule))
            .setting("pool.exhausted_status", "429")
            .start()
            .await;
        let answer = gateway.send(ask(&chat(GROK))).await;
        assert_eq!(refusal(&answer), expected, "{}", answer.text());
        assert_eq!(answer.header("x-should-retry"), retry, "{expected}");
    }
    let dead = xai().key(FakeKey::new("xai-key-0001").fault(KeyFault::Invalid));
    let gateway = both(gemini(), dead)
        .setting("pool.exhausted_status", "429")
        .start()
        .await;
    let answer = gateway.send(ask(&chat(GROK))).await;
    assert!(refusal(&answer).starts_with("503 server_error"));
}

#[tokio::test]
async fn a_path_that_climbs_is_refused_in_the_dialect_that_it_begins_with() {
    let gateway = both(gemini(), xai()).start().await;
    let send = async |path: &str| {
        let mut caller = Socket::open(gateway.address).await;
        caller
            .send(format!(
                "GET {path} HTTP/1.1\r\nhost: keymux\r\nx-api-key: {CLIENT_KEY}\r\n\r\n"
            ))
            .await;
        let answer = caller.answer().await;
        assert!(
            matches!(answer.status, 400 | 404),
            "{path}: {}",
            answer.text()
        );
        answer.json()
    };
    for path in [
        "/v1/../admin",
        "/v1/chat/../x",
        "//v1/%2e%2e/x",
        "/p/xai/../google",
    ] {
        assert_eq!(send(path).await["error"]["code"], "bad_path", "{path}");
        assert_eq!(send(path).await["error"]["type"], "invalid_request_error");
    }
    for path in ["/v1beta/../admin", "/upload/%2e%2e/x"] {
        let error = &send(path).await["error"];
        assert_eq!(
            (&error["code"], &error["status"]),
            (&json!(400), &json!("INVALID_ARGUMENT"))
        );
    }
    for path in ["/api/v1/../login", "/api/v1/", "/api/v1"] {
        assert!(send(path).await["detail"].is_string(), "{path}");
    }
    assert_eq!(send("/gemini-proxy/../x").await["result"], "Failed");
    assert_eq!(send("/v1/messages/../x").await["type"], "error");
    assert_eq!(send("/else/../x").await["error"]["code"], "bad_path");
}

#[tokio::test]
async fn a_body_that_is_compressed_is_refused_as_what_it_is() {
    let gateway = both(gemini(), xai()).start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [("authorization", &*bearer), ("content-encoding", "gzip")];
    for path in [CHAT, "/v1/embeddings", "/v1/images/generations"] {
        let answer = gateway
            .send(request("POST", path, &headers, "\u{1f}rubbish"))
            .await;
        assert_eq!(refusal(&answer), "415 invalid_request_error - -", "{path}");
        assert!(message(&answer).contains("compressed"));
    }
    let plain = [
        ("authorization", &*bearer),
        ("content-encoding", "identity"),
    ];
    let answer = gateway
        .send(request("POST", CHAT, &plain, chat(GROK).to_string()))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_model_with_control_characters_is_refused() {
    let gateway = both(gemini(), xai()).start().await;
    for name in ["grok-4.6\n", "xai/gr\u{0}ok", "\u{7f}"] {
        let answer = gateway.send(ask(&chat(name))).await;
        assert_eq!(
            refusal(&answer),
            "400 invalid_request_error - model",
            "{name:?}"
        );
    }
    assert_eq!(gateway.provider("xai").count(), 0);
}

#[tokio::test]
async fn the_head_of_the_list_of_models_can_be_asked_for() {
    let gateway = both(gemini(), xai()).start().await;
    for path in ["/v1/models", "/v1/models/grok-4.6"] {
        let mut caller = Socket::open(gateway.address).await;
        caller
            .send(format!(
                "HEAD {path} HTTP/1.1\r\nhost: keymux\r\nauthorization: Bearer {CLIENT_KEY}\r\n\r\n"
            ))
            .await;
        let (status, headers) = caller.head().await;
        assert_ne!(status, 405, "{path}");
        assert_eq!(
            headers["content-type"].to_str().unwrap().split(';').next(),
            Some("application/json")
        );
    }
}

#[tokio::test]
async fn redirects_below_p_come_back_to_the_same_provider() {
    let gateway = both(gemini(), xai()).start().await;
    let base = gateway.provider("xai").base_url();
    for (location, expected) in [
        (
            format!("{base}/v1/files/1?a=b"),
            "http://keymux.test/p/xai/files/1?a=b".to_owned(),
        ),
        (
            "/v1/files/1".to_owned(),
            "http://keymux.test/p/xai/files/1".to_owned(),
        ),
        ("/login".to_owned(), format!("{base}/login")),
        (format!("{base}/v1beta/x"), format!("{base}/v1beta/x")),
        ("files/1".to_owned(), "files/1".to_owned()),
        (
            "https://else.test/v1/x".to_owned(),
            "https://else.test/v1/x".to_owned(),
        ),
    ] {
        let xai = gateway.provider("xai");
        xai.remove_rules();
        xai.add_rule(Rule::new().respond_with(302, &[("location", &*location)], ""));
        let answer = get(&gateway, "/p/xai/anything").await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), expected, "{location}");
    }
}

#[tokio::test]
async fn caches_are_told_that_answers_vary_by_origin() {
    let gateway = both(gemini(), xai())
        .setting("server.cors_origins", "[\"https://app.test\"]")
        .start()
        .await;
    let vary = |answer: &crate::support::Answer| {
        let lines = answer.headers.get_all("vary").iter();
        let mut names: Vec<String> = lines
            .flat_map(|line| line.to_str().unwrap().split(','))
            .map(|name| name.trim().to_lowercase())
            .collect();
        names.sort_unstable();
        names.join(" ")
    };
    for origin in ["", "https://app.test", "https://evil.test"] {
        let mut headers = vec![("x-api-key", CLIENT_KEY)];
        if !origin.is_empty() {
            headers.push(("origin", origin));
        }
        for path in ["/v1/models", "/health", "/nothing"] {
            let answer = gateway.send(request("GET", path, &headers, "")).await;
            assert!(vary(&answer).contains("origin"), "{path} for {origin:?}");
            let exposed = answer.header("access-control-expose-headers");
            let names = ["x-request-id", "x-should-retry", "retry-after-ms"];
            let is_told = names.iter().all(|name| exposed.contains(name));
            assert_eq!(
                is_told,
                origin == "https://app.test",
                "{path} for {origin:?}"
            );
        }
    }
    let asked = [
        ("origin", "https://app.test"),
        ("access-control-request-method", "POST"),
    ];
    let answer = gateway.send(request("OPTIONS", CHAT, &asked, "")).await;
    let expected = "access-control-request-headers access-control-request-method origin";
    assert_eq!((answer.status, vary(&answer).as_str()), (204, expected));
    let open = TestGateway::new().start().await;
    let answer = open.send(request("GET", "/health", &[], "")).await;
    assert!(!vary(&answer).contains("origin"), "{MODEL}");
}

#[tokio::test]
async fn what_a_server_of_openais_kind_says_of_an_error_is_kept() {
    let body = json!({"error": {"message": "too long: key sk-proj-0123456789abcdefghijklmnop",
        "type": "invalid_request_error", "param": "messages", "code": "string_above_max_length",
        "hint": "shorten it", "limits": {"max": 5}, "seen": "sk-proj-0123456789abcdefghijklmnop"}});
    let failed = json!({"error": {"message": "down", "code": "engine_overheated", "ray": 7}});
    for (status, body, code, more) in [
        (
            400,
            &body,
            "string_above_max_length",
            json!({"hint": "shorten it",
            "limits": {"max": 5}, "seen": "[redacted]"}),
        ),
        (500, &failed, "engine_overheated", json!({"ray": 7})),
    ] {
        let rule = Rule::new().respond(status, body.to_string());
        let gateway = both(gemini(), xai().rule(rule.clone()))
            .with_provider("house", openai().rule(rule), HOUSE)
            .setting("retry.max_attempts", "1")
            .start()
            .await;
        let answer = gateway.send(ask(&chat("house/gpt-6-mini"))).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let error = answer.json()["error"].clone();
        assert_eq!(error["code"], code);
        for (name, value) in more.as_object().unwrap() {
            assert_eq!(error[name], *value, "{name}");
        }
        // Of xAI's own errors all that counts is known.
        let answer = gateway.send(ask(&chat(GROK))).await;
        assert_eq!(answer.json()["error"].as_object().unwrap().len(), 4);
    }
}

#[tokio::test]
async fn xai_gets_names_of_speakers_in_users_messages_only() {
    let gateway = both(gemini(), xai())
        .with_provider("house", openai(), HOUSE)
        .start()
        .await;
    let messages = json!([
        {"role": "system", "content": "be kind", "name": "example_user"},
        {"role": "user", "content": "hello", "name": "ada"},
    ]);
    for (provider, model) in [("xai", GROK), ("house", "house/gpt-6-mini")] {
        let answer = gateway
            .send(ask(&json!({"model": model, "messages": messages})))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = gateway.provider(provider).seen().pop().unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        let is_kept = provider == "house";
        assert_eq!(
            sent["messages"][0].get("name").is_some(),
            is_kept,
            "{provider}"
        );
        assert_eq!(sent["messages"][1]["name"], "ada");
    }
}
