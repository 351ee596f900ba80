//! Whom the account API lets in, and in which shape it refuses.

use http::StatusCode;
use serde_json::{Value, json};

use super::{KEYS, LOG, Member, assert_detail};
use crate::support::{Answer, CLIENT_KEY, Operator, TestGateway, request};

/// Every endpoint, by method and path.
const ENDPOINTS: [(&str, &str); 8] = [
    ("GET", KEYS),
    ("POST", KEYS),
    ("DELETE", "/api/v1/provider-keys?provider_name=google"),
    ("POST", "/api/v1/provider-keys/import"),
    ("GET", "/api/v1/provider-keys/1"),
    ("PATCH", "/api/v1/provider-keys/1"),
    ("DELETE", "/api/v1/provider-keys/1"),
    ("GET", LOG),
];

async fn ask(gateway: &TestGateway, method: &str, path: &str, shown: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend_from_slice(shown);
    gateway.send(request(method, path, &headers, "{}")).await
}

/// That every endpoint refuses whoever shows this.
async fn check_refused(
    gateway: &TestGateway,
    shown: &[(&str, &str)],
    status: StatusCode,
    text: &str,
) {
    for (method, path) in ENDPOINTS {
        let refused = ask(gateway, method, path, shown).await;
        assert_detail(&refused, status, text);
    }
}

#[tokio::test]
async fn whoever_shows_no_client_key_is_refused_even_where_callers_need_none() {
    for auth in ["required", "open"] {
        let gateway = TestGateway::new()
            .setting("server.auth", auth)
            .start()
            .await;
        check_refused(&gateway, &[], StatusCode::UNAUTHORIZED, "client key").await;
        let wrong = [("x-api-key", "sk-test-nobody-0009")];
        check_refused(&gateway, &wrong, StatusCode::UNAUTHORIZED, "not known").await;
    }
}

#[tokio::test]
async fn a_session_is_no_client_key() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let bearer = format!("Bearer {}", admin.token);
    let session = [("authorization", bearer.as_str())];
    check_refused(&gateway, &session, StatusCode::UNAUTHORIZED, "not known").await;
}

#[tokio::test]
async fn a_client_key_without_an_owner_is_refused() {
    let gateway = TestGateway::new().start().await;
    let shown = [("x-goog-api-key", CLIENT_KEY)];
    check_refused(&gateway, &shown, StatusCode::FORBIDDEN, "has no owner").await;
}

#[tokio::test]
async fn a_client_key_holds_under_its_conditions() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    Member::new(&gateway, "mei").await;
    for (condition, status, text) in [
        (
            json!({"enabled": false}),
            StatusCode::UNAUTHORIZED,
            "disabled",
        ),
        (
            json!({"expires_at": "2020-01-01T00:00:00Z"}),
            StatusCode::UNAUTHORIZED,
            "expired",
        ),
        (
            json!({"allowed_ips": ["10.0.0.0/8"]}),
            StatusCode::FORBIDDEN,
            "may not be used from",
        ),
    ] {
        let mut client = json!({"name": condition.to_string(), "owner": "mei"});
        let fields = condition.as_object().unwrap().clone();
        client.as_object_mut().unwrap().extend(fields);
        let client = admin.make_client(client).await.secret;
        check_refused(&gateway, &[("x-api-key", &client)], status, text).await;
    }
}

#[tokio::test]
async fn the_keys_of_a_disabled_user_are_out_of_reach() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = Member::new(&gateway, "mei").await;
    let users = admin.read("/api/users").await;
    let users = users["items"].as_array().unwrap().clone();
    let user = users.iter().find(|user| user["username"] == "mei").unwrap();
    let path = format!("/api/users/{}", user["id"]);
    let off = json!({"enabled": false});
    admin.patch(&path, off).await.expect(200);
    let shown = [("x-api-key", mei.client.as_str())];
    check_refused(&gateway, &shown, StatusCode::UNAUTHORIZED, "is disabled").await;
    // Whoever may not log in any more may not call either.
    assert_eq!(mei.generate_with(None).await.status, 401);
}

#[tokio::test]
async fn a_client_key_with_limits_manages_keys_only_when_it_names_them() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    Member::new(&gateway, "mei").await;
    let limited = json!({"name": "app", "owner": "mei", "rpm": 60});
    let limited = admin.make_client(limited).await.secret;
    let shown = [("x-api-key", limited.as_str())];
    check_refused(&gateway, &shown, StatusCode::FORBIDDEN, "has limits").await;
    let named = ["account", "generateContent"];
    let named = json!({"name": "own", "owner": "mei", "rpm": 60, "allowed_endpoints": named});
    let named = admin.make_client(named).await.secret;
    let answer = ask(&gateway, "GET", KEYS, &[("x-api-key", &named)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_client_key_is_taken_wherever_callers_show_it() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let bearer = format!("Bearer {}", mei.client);
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("x-goog-api-key", &mei.client),
        ("X-Server-Key", &mei.client),
        ("X-API-Key", &mei.client),
    ] {
        let answer = ask(&gateway, "GET", KEYS, &[(name, value)]).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    for path in [KEYS, LOG] {
        for query in ["key=", "limit=5&key=", "%6Bey="] {
            let path = format!("{path}?{query}{}", mei.client);
            let answer = ask(&gateway, "GET", &path, &[]).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn slashes_at_the_end_are_accepted() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let key = json!({"provider_name": "google", "api_key": "AIza-mei-1"});
    let added = mei.call("POST", &format!("{KEYS}/"), &key).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let id = added.json()["id"].clone();
    for path in [
        format!("{KEYS}/?provider=google"),
        format!("{KEYS}/{id}/"),
        format!("{LOG}//"),
    ] {
        mei.get(&path).await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_same_shape() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let missing = mei.call("GET", "/api/v1/nothing", &Value::Null).await;
    assert_detail(&missing, StatusCode::NOT_FOUND, "nothing at this path");
    let wrong = mei.call("PUT", KEYS, &json!({})).await;
    assert_detail(&wrong, StatusCode::METHOD_NOT_ALLOWED, "that method");
    let broken = ask(&gateway, "POST", KEYS, &[("x-api-key", &mei.client)]).await;
    assert_detail(&broken, StatusCode::UNPROCESSABLE_ENTITY, "provider_name");
    let headers = [("x-api-key", mei.client.as_str())];
    let no_json = gateway.send(request("POST", KEYS, &headers, "{")).await;
    assert_detail(&no_json, StatusCode::BAD_REQUEST, "no JSON");
    let headers = [
        ("x-api-key", mei.client.as_str()),
        ("content-type", "text/plain"),
    ];
    let no_json = gateway.send(request("POST", KEYS, &headers, "{}")).await;
    assert_detail(
        &no_json,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "application/json",
    );
}

#[tokio::test]
async fn other_origins_are_let_in_where_the_settings_do() {
    const ORIGIN: &str = "https://app.example";
    let gateway = TestGateway::new()
        .setting("server.cors_origins", "[\"https://app.example\"]")
        .start()
        .await;
    let mei = Member::new(&gateway, "mei").await;
    for (origin, allowed) in [(ORIGIN, ORIGIN), ("https://else.example", "")] {
        let shown = [("x-api-key", mei.client.as_str()), ("origin", origin)];
        let answer = ask(&gateway, "GET", KEYS, &shown).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
    }
    let preflight = [
        ("origin", ORIGIN),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "x-api-key"),
    ];
    let answer = ask(&gateway, "OPTIONS", "/api/v1/provider-keys/1", &preflight).await;
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .header("access-control-allow-methods")
            .contains("PATCH")
    );
}

#[tokio::test]
async fn every_endpoint_is_described() {
    let gateway = TestGateway::new().start().await;
    let document = gateway.get("/openapi.json").await.json();
    for (method, path) in ENDPOINTS {
        let path = path.split('?').next().unwrap().replace("/1", "/{id}");
        let operation = &document["paths"][&path][method.to_lowercase()];
        assert_eq!(operation["tags"], json!(["account"]), "{method} {path}");
        let refusal = &operation["responses"]["401"]["content"]["application/json"]["schema"];
        assert_eq!(refusal["$ref"], "#/components/schemas/DetailBody", "{path}");
        let schemes = operation["security"].as_array().unwrap();
        assert_eq!(schemes.len(), 3, "{method} {path}");
        for scheme in schemes
            .iter()
            .flat_map(|one| one.as_object().unwrap().keys())
        {
            let known = &document["components"]["securitySchemes"][scheme];
            assert!(known.is_object(), "{scheme}");
        }
    }
}
