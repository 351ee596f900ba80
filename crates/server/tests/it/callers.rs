//! Who may call and what each of them may learn: credentials in all their forms, refusals in the caller's dialect,
//! keys that callers bring, and nothing secret across the gateway in either direction.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};
use serde_json::{Value, json};

use crate::support::{Answer, CLIENT_KEY, MODEL, TestGateway, generate, prompt, request};

const OTHER_KEY: &str = "sk/test+caller=0002";
const WRONG_KEY: &str = "sk-test-nobody-0009";
const BROUGHT: &str = "AIza-brought-by-caller";

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
async fn models_are_listed_in_the_dialect_of_the_credential() {
    let script = gemini().models(&["gemini-3.8-flash", "gemini-embedding-2"]);
    let gateway = TestGateway::new()
        .upstream(script)
        .listing_models()
        .start()
        .await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    for headers in [[("authorization", &*bearer)], [("x-api-key", CLIENT_KEY)]] {
        let answer = gateway
            .send(request("GET", "/v1/models", &headers, ""))
            .await;
        let list = answer.json();
        assert_eq!(list["object"], "list", "{headers:?}");
        let ids: Vec<&str> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap())
            .collect();
        assert_eq!(
            ids,
            ["google/gemini-3.8-flash", "google/gemini-embedding-2"]
        );
        assert_eq!(list["data"][0]["object"], "model");
        assert!(list["data"][0]["created"].is_u64() && list["data"][0]["owned_by"].is_string());
    }
    for (name, value, query) in [
        ("x-goog-api-key", CLIENT_KEY, ""),
        ("x-server-key", CLIENT_KEY, ""),
        ("x-other", "1", "?key=sk-test-caller-0001"),
    ] {
        let path = format!("/v1/models{query}");
        let answer = gateway
            .send(request("GET", &path, &[(name, value)], ""))
            .await;
        assert_eq!(
            answer.json()["models"][0]["name"],
            "models/gemini-3.8-flash"
        );
    }
}

#[tokio::test]
async fn openais_list_has_the_models_of_every_page() {
    let ids: Vec<String> = (0..1_200).map(|n| format!("gemini-{n:04}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let gateway = TestGateway::new()
        .upstream(gemini().models(&ids))
        .listing_models()
        .start()
        .await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let answer = gateway
        .send(request(
            "GET",
            "/v1/models",
            &[("authorization", &bearer)],
            "",
        ))
        .await;
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 1_200);
    assert_eq!(gateway.upstream.count(), 2);
}

/// `GET /v1/models/{id}` as OpenAI's clients ask it, of a provider that has one model.
async fn openai_model(gateway: &TestGateway, id: &str) -> Answer {
    let bearer = format!("Bearer {CLIENT_KEY}");
    let path = format!("/v1/models/{id}");
    gateway
        .send(request("GET", &path, &[("authorization", &bearer)], ""))
        .await
}

async fn with_one_model() -> TestGateway {
    let script = gemini().models(&["gemini-3.8-flash"]);
    let gateway = TestGateway::new().upstream(script).listing_models();
    gateway.start().await
}

#[tokio::test]
async fn one_model_is_shown_in_openais_dialect() {
    let gateway = with_one_model().await;
    for id in ["gemini-3.8-flash", "google/gemini-3.8-flash"] {
        let model = openai_model(&gateway, id).await.json();
        assert_eq!(model["id"], "google/gemini-3.8-flash", "{id}");
        assert_eq!(model["object"], "model");
    }
}

#[tokio::test]
async fn the_slash_in_a_models_id_may_be_percent_encoded() {
    let gateway = with_one_model().await;
    let model = openai_model(&gateway, "google%2Fgemini-3.8-flash")
        .await
        .json();
    assert_eq!(model["id"], "google/gemini-3.8-flash");
}

#[tokio::test]
async fn an_unknown_model_is_404_each_time_in_openais_dialect() {
    let gateway = with_one_model().await;
    for _ in 0..2 {
        let answer = openai_model(&gateway, "gemini-0").await;
        assert_eq!(answer.status, 404, "{}", answer.text());
        let error = answer.error();
        assert_eq!(error["code"], "model_not_found");
        assert!(error["message"].is_string() && error["type"].is_string());
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

async fn with_brought_key(gateway: &TestGateway) -> Answer {
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("X-Google-API-Key", BROUGHT),
    ];
    ask(gateway, &generate_path(), &headers).await
}

#[tokio::test]
async fn a_brought_key_is_used_before_the_pool() {
    let gateway = TestGateway::new().start().await;
    let answer = with_brought_key(&gateway).await;
    assert_eq!(answer.status, 200);
    assert_eq!(gateway.upstream.seen()[0].key.as_deref(), Some(BROUGHT));
    assert_eq!(gateway.upstream.count(), 1);
    assert_eq!(answer.header("x-keymux-attempts"), "1");
    assert_eq!(answer.header("x-keymux-key"), "");
    let record = gateway.only_record().await;
    assert!(record.key.is_none() && record.client.is_some());
    assert_eq!(record.attempts[0].chosen, *"brought by the caller");
}

#[tokio::test]
async fn a_brought_key_is_no_client_key() {
    let gateway = TestGateway::new().start().await;
    check(&gateway, &[("X-Google-API-Key", BROUGHT)], "", 401).await;
    check(&gateway, &[("X-Google-API-Key", CLIENT_KEY)], "", 401).await;
}

#[tokio::test]
async fn a_brought_key_that_fails_hurts_no_key_of_the_pool_and_falls_back_to_it() {
    for fault in [
        KeyFault::InvalidDebugInfo,
        KeyFault::Leaked,
        KeyFault::Suspended,
        KeyFault::PrepayDepleted,
        KeyFault::BareQuota,
        KeyFault::ModelNewUsers,
        KeyFault::Internal,
    ] {
        let script = gemini()
            .key(FakeKey::new(BROUGHT).fault(fault))
            .key(FakeKey::new("AIza-key-1"));
        let gateway = TestGateway::new().upstream(script).start().await;
        let answer = with_brought_key(&gateway).await;
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
        let seen = gateway.upstream.seen();
        let keys: Vec<_> = seen.iter().map(|seen| seen.key.as_deref()).collect();
        assert_eq!(keys, [Some(BROUGHT), Some("AIza-key-1")], "{fault:?}");
        assert_eq!(gateway.health(0), "active", "{fault:?}");
        assert_eq!(gateway.pair_cooling(0), 0, "{fault:?}");
        assert!(!answer.text().contains(BROUGHT), "{fault:?}");
        assert_eq!(answer.header("x-keymux-attempts"), "2");
        assert_ne!(answer.header("x-keymux-key"), "");
    }
}

#[tokio::test]
async fn a_callers_mistake_with_a_brought_key_is_not_tried_with_the_pool() {
    let gateway = TestGateway::new().start().await;
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("X-Google-API-Key", BROUGHT),
    ];
    let answer = gateway
        .send(request("POST", &generate_path(), &headers, "{\"no\": 1}"))
        .await;
    assert_eq!((answer.status, gateway.upstream.count()), (400, 1));
}

#[tokio::test]
async fn the_provider_learns_nothing_of_the_caller() {
    let gateway = TestGateway::new().start().await;
    let bearer = format!("Bearer {CLIENT_KEY}");
    let path = format!(
        "{}?a=1&key={CLIENT_KEY}&access_token={CLIENT_KEY}&b=%20",
        generate_path()
    );
    let answer = ask(
        &gateway,
        &path,
        &[
            ("authorization", &bearer),
            ("x-goog-api-key", CLIENT_KEY),
            ("x-server-key", CLIENT_KEY),
            ("x-api-key", CLIENT_KEY),
            ("cookie", "session=caller"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "caller.example"),
            ("x-real-ip", "203.0.113.7"),
            ("forwarded", "for=203.0.113.7"),
            ("via", "1.1 caller.example"),
            ("connection", "keep-alive, x-of-this-hop"),
            ("x-of-this-hop", "caller"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic caller"),
            ("te", "trailers"),
            ("upgrade", "caller/1"),
            ("x-goog-api-client", "google-genai-sdk/3.3.0"),
            ("x-server-timeout", "30"),
        ],
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gateway.upstream.seen().remove(0);
    let sent = format!("{} {:?}", seen.path_and_query, seen.headers);
    for secret in [CLIENT_KEY, "caller", "203.0.113.7", "keymux.test"] {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
    let mut names: Vec<&str> = seen.headers.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    let expected = [
        "content-length",
        "host",
        "x-goog-api-client",
        "x-goog-api-key",
        "x-server-timeout",
    ];
    assert_eq!(names, expected);
    assert_eq!(seen.header("x-goog-api-key"), Some("AIza-key-1"));
    assert!(seen.path_and_query.ends_with("?a=1&b=%20"), "{sent}");
}

#[tokio::test]
async fn a_credential_in_the_query_is_known_however_its_name_is_written() {
    let gateway = TestGateway::new().start().await;
    for name in ["%6Bey", "k%65y", "access%5Ftoken"] {
        let path = format!("{}?{name}={CLIENT_KEY}", generate_path());
        ask(&gateway, &path, &[("x-goog-api-key", CLIENT_KEY)]).await;
        let seen = gateway.upstream.seen().pop().unwrap();
        assert!(!seen.path_and_query.contains(CLIENT_KEY), "{seen:?}");
    }
}

#[tokio::test]
async fn headers_that_quote_the_key_or_set_cookies_are_dropped() {
    let headers = [
        ("set-cookie", "NID=1"),
        ("alt-svc", "h3=\":443\""),
        ("connection", "x-of-that-hop"),
        ("x-of-that-hop", "1"),
        ("x-debug", "used AIza-key-1 here"),
        ("location", "https://elsewhere/?key=AIza-key-1"),
        ("x-goog-api-key", "AIza-key-1"),
        ("x-keymux-key", "forged"),
        ("server-timing", "gfet4t7; dur=12"),
    ];
    let rule = Rule::new().respond_with(200, &headers, r#"{"models": []}"#);
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .start()
        .await;
    let answer = gateway.get("/v1beta/models").await;
    assert_eq!(answer.status, 200);
    let names: Vec<&str> = headers
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| answer.headers.contains_key(*name))
        .collect();
    assert_eq!(names, ["x-keymux-key", "server-timing"]);
    assert_ne!(answer.header("x-keymux-key"), "forged");
    assert!(!format!("{:?}", answer.headers).contains("AIza-key-1"));
}

/// A key in the form that errors quote.
const REAL_KEY: &str = "AIzaSyFAKE00000000000000000000000000000";

/// Nothing of the provider's key is in an answer, whatever the provider says.
async fn check_quoted(rule: Rule, request: http::Request<http_body_util::Full<bytes::Bytes>>) {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .keys([REAL_KEY])
        .start()
        .await;
    let path = request.uri().to_string();
    let answer = gateway.send(request).await;
    let (headers, text) = (format!("{:?}", answer.headers), answer.text());
    for secret in [REAL_KEY, &REAL_KEY[4..], "482913374650"] {
        assert!(!headers.contains(secret), "{path}: {headers}");
        assert!(!text.contains(secret), "{path}: {text}");
    }
}

#[tokio::test]
async fn errors_that_quote_the_key_reach_the_caller_without_it() {
    let fixtures = [
        "400_api_key_invalid_debuginfo.json",
        "403_consumer_suspended.json",
        "403_service_disabled.json",
        "403_api_key_service_blocked.json",
    ];
    for name in fixtures {
        let name = format!("gemini/errors/{name}");
        let rule = || Rule::new().fixture(&name);
        check_quoted(rule(), generate()).await;
        check_quoted(rule(), crate::support::stream()).await;
        check_quoted(
            Rule::new().error_after_chunks(0, &name),
            crate::support::stream(),
        )
        .await;
    }
    let quoting = format!(
        r#"{{"error": {{"code": 400, "status": "INVALID_ARGUMENT", "message": "see https://x/?key={REAL_KEY}&a=b for project 482913374650"}}}}"#
    );
    check_quoted(Rule::new().respond(400, quoting.clone()), generate()).await;
    check_quoted(Rule::new().respond(200, quoting), generate()).await;
}

#[tokio::test]
async fn errors_inside_a_stream_that_has_begun_reach_the_caller_without_the_key() {
    for path in ["streamGenerateContent?alt=sse", "streamGenerateContent"] {
        let path = format!("/v1beta/models/{MODEL}:{path}");
        let rule = Rule::new().error_after_chunks(1, "gemini/errors/403_consumer_suspended.json");
        check_quoted(rule, crate::support::post(&path, prompt("hi"))).await;
    }
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
