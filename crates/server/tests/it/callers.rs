//! Who may call and what each of them may learn: credentials in all their forms, refusals in the caller's dialect; below,
//! the models that are listed, keys that callers bring, and nothing secret across the gateway in either direction.

mod brought;
mod hidden;
mod listing;

use fake_upstream::{FakeKey, KeyFault, gemini};
use serde_json::{Value, json};

use crate::support::{Answer, CLIENT_KEY, MODEL, TestGateway, prompt, request};

const OTHER_KEY: &str = "sk/test+caller=0002";
const WRONG_KEY: &str = "sk-test-nobody-0009";

fn generate_path() -> String {
    format!("/v1beta/models/{MODEL}:generateContent")
}

async fn ask(gateway: &TestGateway, path: &str, headers: &[(&str, &str)]) -> Answer {
    gateway
        .send(request("POST", path, headers, prompt("Say hello")))
        .await
}

/// What came of showing a credential: the status, and whether the provider was asked.
async fn check(gateway: &TestGateway, headers: &[(&str, &str)], query: &str, expected: u16) {
    gateway.upstream.clear_seen();
    let answer = ask(gateway, &format!("{}{query}", generate_path()), headers).await;
    let text = answer.text();
    assert_eq!(answer.status, expected, "{headers:?} {query}: {text}");
    let asked = usize::from(expected == 200);
    assert_eq!(gateway.upstream.count(), asked, "{headers:?} {query}");
}

async fn two_clients() -> TestGateway {
    TestGateway::new()
        .clients(&format!("- {{ name: other, key: {OTHER_KEY} }}"))
        .start()
        .await
}

#[tokio::test]
async fn a_client_key_is_accepted_in_every_form() {
    let gateway = two_clients().await;
    for key in [CLIENT_KEY, OTHER_KEY] {
        let (bearer, lower) = (format!("Bearer {key}"), format!("bearer {key}"));
        for (name, value) in [
            ("authorization", &*bearer),
            ("authorization", &*lower),
            ("x-goog-api-key", key),
            ("X-Server-Key", key),
            ("X-API-Key", key),
        ] {
            check(&gateway, &[(name, value)], "", 200).await;
        }
    }
    for query in [
        format!("?key={CLIENT_KEY}"),
        format!("?alt=json&key={CLIENT_KEY}&prettyPrint=false"),
        "?key=sk%2Ftest%2Bcaller%3D0002".to_owned(),
        "?key=%73%6B-test-caller-0001".to_owned(),
    ] {
        check(&gateway, &[], &query, 200).await;
    }
}

#[tokio::test]
async fn a_wrong_key_or_none_is_refused_where_one_is_required() {
    let gateway = two_clients().await;
    check(&gateway, &[], "", 401).await;
    for (name, value) in [
        ("authorization", "Bearer sk-test-nobody-0009"),
        ("authorization", "Basic c2stdGVzdC1jYWxsZXItMDAwMTo="),
        ("authorization", CLIENT_KEY),
        ("x-goog-api-key", WRONG_KEY),
        ("x-goog-api-key", ""),
        ("x-goog-api-key", "sk-test-caller-000"),
        ("x-goog-api-key", "sk-test-caller-00011"),
        ("x-server-key", WRONG_KEY),
        ("x-api-key", WRONG_KEY),
    ] {
        check(&gateway, &[(name, value)], "", 401).await;
    }
    for query in [
        "?key=sk-test-nobody-0009",
        "?key=",
        "?Key=sk-test-caller-0001",
    ] {
        check(&gateway, &[], query, 401).await;
    }
}

#[tokio::test]
async fn open_lets_callers_without_a_key_in_and_refuses_wrong_ones() {
    let gateway = TestGateway::new()
        .setting("server.auth", "open")
        .start()
        .await;
    check(&gateway, &[], "", 200).await;
    check(&gateway, &[("x-goog-api-key", CLIENT_KEY)], "", 200).await;
    check(&gateway, &[("x-goog-api-key", WRONG_KEY)], "", 401).await;
    check(&gateway, &[("x-api-key", WRONG_KEY)], "", 401).await;
    check(&gateway, &[("authorization", "Bearer nobody")], "", 401).await;
    check(&gateway, &[], "?key=sk-test-nobody-0009", 401).await;
}

#[tokio::test]
async fn the_provider_keys_of_the_pool_are_no_client_keys() {
    let gateway = TestGateway::new().start().await;
    check(&gateway, &[("x-goog-api-key", "AIza-key-1")], "", 401).await;
}

#[tokio::test]
async fn disabled_and_expired_client_keys_are_refused() {
    let gateway = TestGateway::new()
        .clients(
            "- { name: off, key: sk-test-off-0003, enabled: false }\n\
             - { name: over, key: sk-test-over-0004, expires_at: 2020-01-01 }\n\
             - { name: valid, key: sk-test-valid-0005, expires_at: 2120-01-01 }",
        )
        .setting("server.auth", "open")
        .start()
        .await;
    for (key, expected, word) in [
        ("sk-test-off-0003", 401, "disabled"),
        ("sk-test-over-0004", 401, "expired"),
        ("sk-test-valid-0005", 200, ""),
    ] {
        let answer = ask(&gateway, &generate_path(), &[("x-goog-api-key", key)]).await;
        assert_eq!(answer.status, expected, "{key}");
        assert!(answer.text().contains(word), "{}", answer.text());
    }
}

#[tokio::test]
async fn one_known_key_among_several_credentials_is_enough() {
    let gateway = two_clients().await;
    let shown = [
        ("authorization", "Bearer sk-test-nobody-0009"),
        ("x-goog-api-key", CLIENT_KEY),
    ];
    check(&gateway, &shown, "", 200).await;
    let shown = [("x-api-key", WRONG_KEY)];
    check(&gateway, &shown, "?key=sk-test-caller-0001", 200).await;
    check(&gateway, &shown, "?key=sk-test-nobody-0009", 401).await;
}

#[tokio::test]
async fn a_record_names_the_client_and_not_its_key() {
    let gateway = two_clients().await;
    ask(&gateway, &generate_path(), &[("x-goog-api-key", OTHER_KEY)]).await;
    let first = gateway.only_record().await;
    ask(
        &gateway,
        &generate_path(),
        &[("x-goog-api-key", CLIENT_KEY)],
    )
    .await;
    let records = gateway.records(2).await;
    assert!(first.client.is_some());
    assert_ne!(records[0].client, first.client);
}

/// The body of a refusal, as the caller's own SDK expects it.
async fn check_refusal(
    gateway: &TestGateway,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    expected: &Value,
) {
    let answer = gateway.send(request(method, path, headers, "{}")).await;
    assert_eq!(answer.status, 401, "{path}");
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json"),
        "{path}"
    );
    let mut body = answer.json();
    let error = match &mut body {
        Value::Array(list) => &mut list[0]["error"],
        body => &mut body["error"],
    };
    let message = error["message"].take();
    assert!(!message.as_str().unwrap().is_empty(), "{path}");
    assert!(!answer.text().contains(WRONG_KEY), "{}", answer.text());
    assert_eq!(&body, expected, "{path}");
    assert_eq!(gateway.upstream.count(), 0, "{path}");
}

#[tokio::test]
async fn refusals_are_in_the_callers_dialect() {
    let google = json!({"error": {"code": 401, "message": null, "status": "UNAUTHENTICATED"}});
    let array = json!([google]);
    let interaction = json!({"error": {"code": "authentication", "message": null}});
    let openai = json!({"error": {
        "message": null, "type": "authentication_error", "param": null, "code": "invalid_api_key",
    }});
    let stream = format!("/v1beta/models/{MODEL}:streamGenerateContent");
    let googles = [("x-goog-api-key", WRONG_KEY)];
    let bearer = [("authorization", "Bearer sk-test-nobody-0009")];
    let events = format!("{stream}?alt=sse");
    let gateway = TestGateway::new().start().await;
    for (call, headers, expected) in [
        (("POST", &*generate_path()), &googles[..], &google),
        (("GET", "/v1alpha/files"), &googles, &google),
        (("POST", "/upload/v1beta/files"), &googles, &google),
        (("POST", &*stream), &googles, &array),
        (("POST", &*events), &googles, &google),
        (("POST", "/v1beta/openai/chat/completions"), &bearer, &array),
        (("POST", "/v1beta/interactions"), &googles, &interaction),
        (("GET", "/v1/interactions/x"), &googles, &interaction),
        (("GET", "/v1/models"), &googles, &google),
        (("GET", "/v1/models?key=sk-test-nobody-0009"), &[], &google),
        (("GET", "/v1/models"), &bearer, &openai),
        (("GET", "/v1/models/x"), &bearer, &openai),
        (("GET", "/v1/models"), &[], &openai),
    ] {
        check_refusal(&gateway, call, headers, expected).await;
    }
}

#[tokio::test]
async fn endpoints_of_other_dialects_are_an_honest_404() {
    let gateway = TestGateway::new().start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    for (method, path) in [
        ("POST", "/v1/completions"),
        ("POST", "/v1/images/edits"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/files"),
    ] {
        let answer = gateway
            .send(request(method, path, &[("authorization", &bearer)], "{}"))
            .await;
        assert_eq!(answer.status, 404, "{path}");
        let error = answer.error();
        assert_eq!(error["type"], "invalid_request_error", "{path}");
        assert!(error["message"].as_str().unwrap().contains(path), "{error}");
    }
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        let headers = [
            ("x-api-key", CLIENT_KEY),
            ("anthropic-version", "2023-06-01"),
        ];
        let answer = gateway.send(request("POST", path, &headers, "{}")).await;
        assert_eq!(answer.status, 404, "{path}");
        let body = answer.json();
        assert_eq!(body["type"], "error", "{path}: {body}");
        assert_eq!(body["error"]["type"], "not_found_error");
    }
    assert_eq!(gateway.upstream.count(), 0);
}

#[tokio::test]
async fn metrics_are_open_unless_a_network_or_a_token_closes_them() {
    let check = async |settings: &[(&str, &str)], token: Option<&str>, expected: u16| {
        let mut builder = TestGateway::new();
        for (name, value) in settings {
            builder = builder.setting(name, value);
        }
        let gateway = builder.start().await;
        let bearer = token.map(|token| format!("Bearer {token}"));
        let forwarded = ("x-forwarded-for", "10.0.0.1");
        let mut headers = vec![forwarded];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let answer = gateway.send(request("GET", "/metrics", &headers, "")).await;
        assert_eq!(answer.status, expected, "{settings:?} {token:?}");
        let is_shown = answer.text().contains("# TYPE keymux_keys gauge");
        assert_eq!(is_shown, expected == 200, "{}", answer.text());
    };
    check(&[], None, 200).await;
    let elsewhere = ("server.metrics_allow", "[10.0.0.0/8]");
    let here = ("server.metrics_allow", "[127.0.0.0/8]");
    check(&[elsewhere], None, 403).await;
    check(&[here], None, 200).await;
    let token = ("server.metrics_token", "scrape-me-0001");
    check(&[token], None, 401).await;
    check(&[token], Some("scrape-me-0002"), 401).await;
    check(&[token], Some(CLIENT_KEY), 401).await;
    check(&[token], Some("scrape-me-0001"), 200).await;
    check(&[here, token], None, 401).await;
    check(&[elsewhere, token], Some("scrape-me-0001"), 403).await;
}

#[tokio::test]
async fn every_answer_says_which_request_it_is_and_a_providers_answer_says_how() {
    let script = gemini().key(FakeKey::new("AIza-key-1").fault(KeyFault::Internal));
    let gateway = TestGateway::new()
        .upstream(script.key(FakeKey::new("AIza-key-2")))
        .keys(["AIza-key-1", "{ key: AIza-key-2, label: billing }"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.header("x-keymux-provider"), "google");
    assert_eq!(answer.header("x-keymux-attempts"), "2");
    assert_eq!(answer.header("x-keymux-key"), "billing");
    let mut ids = vec![answer.header("x-keymux-request-id").to_owned()];
    let id = gateway.only_record().await.id.to_string();
    assert_eq!(ids[0], id);
    let missing = ask(&gateway, &generate_path(), &[]).await;
    let bad = gateway.post(&generate_path(), "{").await;
    assert_eq!((missing.status, bad.status), (401, 400));
    assert_eq!(missing.header("x-keymux-provider"), "");
    assert_eq!(bad.header("x-keymux-provider"), "google");
    for answer in [&missing, &bad] {
        ids.push(answer.header("x-keymux-request-id").to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| !id.is_empty()), "{ids:?}");
}

#[tokio::test]
async fn answers_that_no_provider_was_asked_for_say_which_request_they_are() {
    let gateway = TestGateway::new().start().await;
    for path in ["/v1/chat/completions", "/v1/messages", "/v1beta/../models"] {
        let answer = gateway.post(path, "{}").await;
        assert!((400..500).contains(&answer.status), "{path}");
        assert_ne!(answer.header("x-keymux-request-id"), "", "{path}");
    }
}
