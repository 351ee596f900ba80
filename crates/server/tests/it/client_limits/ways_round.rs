//! Ways round a limit: parameters that change what is asked or what is told, tokens for the provider, other people's keys,
//! uploads and addresses. What reaches the provider was within the limits. Models and paths are in `models.rs`.

use fake_upstream::gemini;
use serde_json::json;

use super::{Desk, check_refused};
use crate::support::{
    ClientKey, Connection, MODEL, Machine, TestGateway, generate_path, prompt, request,
};

#[tokio::test]
async fn the_method_is_the_method() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({"allowed_models": [MODEL]})).await;
    let body = json!({"model": "gemini-2.5-pro", "input": "hi"}).to_string();
    let path = "/v1beta/interactions";
    for header in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
    ] {
        let call = client.send("GET", path, &[(header, "POST")], body.clone());
        check_refused(&desk, &desk.gateway.send(call).await, 400, header);
    }
    for query in [
        "$httpMethod=POST",
        "%24httpMethod=POST",
        "$httpHeaders=X-Goog-FieldMask:a",
    ] {
        let call = client.send("GET", &format!("{path}?{query}"), &[], body.clone());
        check_refused(&desk, &desk.gateway.send(call).await, 400, query);
    }
}

#[tokio::test]
async fn an_answer_without_its_usage_cannot_be_asked_for() {
    let desk = Desk::ordinary().await;
    let path = generate_path(MODEL);
    let free = desk.client(json!({"rpd": 100})).await;
    let mask = [("X-Goog-FieldMask", "candidates")];
    for limits in [
        json!({"tpm": 9}),
        json!({"tpd": 9}),
        json!({"budget_usd": 9.0}),
    ] {
        let client = desk.client(limits).await;
        for query in [
            "fields=candidates",
            "$fields=candidates",
            "a=b&%66ields=candidates",
        ] {
            let call = client.post(&format!("{path}?{query}"), prompt("hi"));
            check_refused(&desk, &desk.gateway.send(call).await, 403, query);
        }
        let call = client.send("POST", &path, &mask, prompt("hi"));
        check_refused(&desk, &desk.gateway.send(call).await, 403, "header");
    }
    for query in [
        "alt=proto",
        "$alt=proto",
        "alt=sse&alt=proto",
        "callback=f",
        "%24callback=f",
    ] {
        let call = free.post(&format!("{path}?{query}"), prompt("hi"));
        check_refused(&desk, &desk.gateway.send(call).await, 400, query);
    }
    let call = free.send(
        "POST",
        &format!("{path}?fields=candidates"),
        &mask,
        prompt("hi"),
    );
    assert_eq!(desk.gateway.send(call).await.status, 200);
    let counted = desk.client(json!({"tpm": 9})).await;
    let list = counted.send("GET", "/v1beta/models?fields=models.name", &[], "");
    assert_eq!(desk.gateway.send(list).await.status, 200);
}

#[tokio::test]
async fn a_token_for_the_provider_is_not_made_for_whoever_has_limits() {
    let desk = Desk::ordinary().await;
    for path in ["/v1alpha/auth_tokens", "/v1alpha/auth%5Ftokens/"] {
        let client = desk.client(json!({"rpm": 9})).await;
        let answer = desk.gateway.send(client.post(path, "{}")).await;
        check_refused(&desk, &answer, 403, path);
    }
    let trusted = desk
        .client(json!({"rpm": 9, "allowed_endpoints": ["auth_tokens"]}))
        .await;
    let answer = desk
        .gateway
        .send(trusted.post("/v1alpha/auth_tokens", "{}"))
        .await;
    assert_ne!(answer.status, 403, "{}", answer.text());
}

#[tokio::test]
async fn of_two_client_keys_one_counts_and_never_neither() {
    let desk = Desk::ordinary().await;
    let spent = desk.client(json!({"rpd": 1})).await;
    let other = desk.client(json!({"rpd": 9})).await;
    assert_eq!(desk.generate(&spent).await.status, 200);
    let path = generate_path(MODEL);
    let show = async |bearer: &str, header: &str, query: &str| {
        let bearer = format!("Bearer {bearer}");
        let headers = [("authorization", &*bearer), ("x-goog-api-key", header)];
        let path = format!("{path}?key={query}");
        desk.gateway
            .send(request("POST", &path, &headers, prompt("hi")))
            .await
            .status
    };
    assert_eq!(show(&spent.secret, &other.secret, &other.secret).await, 429);
    assert_eq!(show("sk-nobody", &spent.secret, &other.secret).await, 429);
    assert_eq!(show(&other.secret, &spent.secret, &spent.secret).await, 200);
    assert_eq!(show("sk-nobody", "sk-nobody", &other.secret).await, 200);
    assert_eq!(desk.used(&other, "rpd").await, 2);
    desk.limit(&other, json!({"enabled": false})).await;
    assert_eq!(show(&other.secret, &spent.secret, &spent.secret).await, 401);
}

#[tokio::test]
async fn an_upload_counts_for_whoever_began_it() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({"rpd": 2})).await;
    let other = desk.client(json!({})).await;
    let start = [
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
    ];
    let begun = desk
        .gateway
        .send(client.send("POST", "/upload/v1beta/files", &start, "{}"))
        .await;
    let url = begun.header("x-goog-upload-url");
    let path = url.strip_prefix("http://keymux.test").unwrap().to_owned();
    let go_on = async |shown: Option<&ClientKey>| {
        let mut headers = vec![("x-goog-upload-command", "query")];
        headers.extend(shown.map(|client| ("x-goog-api-key", &*client.secret)));
        desk.gateway
            .send(request("POST", &path, &headers, ""))
            .await
            .status
    };
    assert_eq!(go_on(Some(&other)).await, 403);
    assert_eq!(go_on(None).await, 200);
    assert_eq!(go_on(None).await, 429);
    assert_eq!(go_on(Some(&client)).await, 429);
    assert_eq!(
        (
            desk.used(&client, "rpd").await,
            desk.used(&other, "rpd").await
        ),
        (2, 0)
    );
    desk.limit(&client, json!({"allowed_endpoints": ["models.*"]}))
        .await;
    assert_eq!(go_on(None).await, 403);
    desk.limit(&client, json!({"enabled": false})).await;
    assert_eq!(go_on(None).await, 401);
}

#[tokio::test]
async fn an_address_that_is_only_said_opens_nothing() {
    for (trusted, forwarded, status) in [
        ("[]", "10.1.2.3", 403),
        ("[127.0.0.0/8]", "10.1.2.3", 200),
        ("[127.0.0.0/8]", "10.1.2.3, 203.0.113.9", 403),
        ("[127.0.0.0/8]", "nonsense", 403),
    ] {
        let gateway = TestGateway::new().setting("server.trusted_proxies", trusted);
        let desk = Desk::open(gateway.start().await).await;
        let client = desk.client(json!({"allowed_ips": ["10.0.0.0/8"]})).await;
        let path = generate_path(MODEL);
        for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
            let call = client.send("POST", &path, &[(header, forwarded)], prompt("hi"));
            let expected = if header == "x-forwarded-for" {
                status
            } else {
                403
            };
            let answer = desk.gateway.send(call).await;
            assert_eq!(answer.status, expected, "{trusted} {header}: {forwarded}");
        }
    }
}

#[tokio::test]
async fn every_method_and_every_failure_is_a_request() {
    let desk = Desk::ordinary().await;
    let client = desk
        .client(json!({"rpd": 6, "allowed_models": ["gemini-*"]}))
        .await;
    let model = format!("/v1beta/models/{MODEL}");
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    for (method, path, headers, body) in [
        ("HEAD", &*model, &[][..], ""),
        ("OPTIONS", &*model, &[], ""),
        ("GET", &*model, &upgrade, ""),
        ("POST", "/v1beta/interactions", &[], "no JSON"),
        (
            "POST",
            "/v1beta/models/gemini-nobody:generateContent",
            &[],
            "{}",
        ),
        ("GET", "/v1beta/files/none", &[], ""),
    ] {
        let call = client.send(method, path, headers, body);
        assert_ne!(desk.gateway.send(call).await.status, 429, "{method} {path}");
    }
    assert_eq!(desk.used(&client, "rpd").await, 6);
    assert_eq!(desk.generate(&client).await.status, 429);
}

#[tokio::test]
async fn credentials_and_projects_of_the_callers_do_not_reach_the_provider() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({})).await;
    let path = format!(
        "{}?$key=bad&%24key=bad&oauth_token=bad&a=b",
        generate_path(MODEL)
    );
    let call = client.send(
        "POST",
        &path,
        &[("x-goog-user-project", "theirs")],
        prompt("hi"),
    );
    assert_eq!(desk.gateway.send(call).await.status, 200);
    let seen = &desk.gateway.upstream.seen()[0];
    assert!(
        seen.path_and_query.ends_with(":generateContent?a=b"),
        "{seen:?}"
    );
    assert!(
        seen.headers
            .iter()
            .all(|(name, _)| name != "x-goog-user-project")
    );
}

/// A client key of a strange name, which may use one model, asks for another whose name forges a line.
async fn check_log(format: &str) {
    let upstream = gemini().start().await;
    let clients = r#"clients: [{ name: "a\nINFO forged\e[31m\"}", key: sk-logged-0001, allowed_models: [x] }]"#;
    let machine = Machine::in_front_of(&upstream)
        .file("keymux.yaml", clients)
        .env("GEMINI_API_KEYS", "AIza-key-1")
        .env("KEYMUX__LOGS__FORMAT", format)
        .env("KEYMUX__LOGS__LEVEL", "debug");
    let mut program = machine.serve().await;
    let mut caller = Connection::open(program.address).await;
    let path = generate_path("x%0AINFO%20forged%1B[31m");
    let shown = [("x-goog-api-key", "sk-logged-0001")];
    let call = request("POST", &path, &shown, prompt("hi"));
    assert_eq!(caller.send(call).await.status, 403);
    drop(caller);
    program.stop().await;
    let log = program.stderr();
    assert!(log.contains("may not use the model x"), "{log}");
    let is_forged = |line: &str| line.starts_with("INFO forged") || line.contains('\u{1b}');
    assert!(!log.lines().any(is_forged), "{log}");
}

#[tokio::test]
async fn what_a_caller_writes_stays_on_one_line_of_the_log() {
    for format in ["pretty", "json"] {
        check_log(format).await;
    }
}

#[tokio::test]
async fn a_client_key_cannot_raise_its_own_limits() {
    let desk = Desk::ordinary().await;
    let client = desk.client(json!({"rpd": 1})).await;
    let anonymous = request("PUT", &client.path(), &[], "{}");
    assert_eq!(desk.gateway.send(anonymous).await.status, 401);
    let own_key = client.send("PUT", &client.path(), &[], "{}");
    assert_eq!(desk.gateway.send(own_key).await.status, 401);
    let unchanged = desk.admin.read(&client.path()).await;
    assert_eq!(unchanged["rpd"], 1);
}
