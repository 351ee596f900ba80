//! Who may ask what: a walk over `/openapi.json` as nobody, as a member, and as a browser without the CSRF token.

use std::collections::BTreeSet;

use super::document::{Operation, document, operations};
use crate::support::{Answer, Operator, TestGateway, request};

/// What needs no session.
const OPEN: [&str; 1] = ["POST /api/login"];
/// Whoever may ask this watches for as long as they like; `records/members.rs` does.
const ENDLESS: &str = "GET /api/events";
/// What members may ask; everything else is the administrators'.
const MEMBERS: [&str; 39] = [
    "GET /api/resources",
    "GET /api/live_sessions",
    "DELETE /api/live_sessions/{id}",
    "POST /api/login",
    "POST /api/logout",
    "GET /api/me",
    "POST /api/me/password",
    "GET /api/key_checks",
    "GET /api/keys",
    "GET /api/keys/{id}/checks",
    "POST /api/keys",
    "GET /api/keys/standings",
    "GET /api/keys/{id}/standing",
    "PATCH /api/keys/{id}",
    "DELETE /api/keys/{id}",
    "POST /api/keys/{id}/reset",
    "POST /api/keys/{id}/test",
    "POST /api/keys/bulk_add",
    "POST /api/keys/bulk_delete",
    "POST /api/keys/bulk_reset",
    "POST /api/keys/bulk_test",
    "POST /api/keys/bulk_update",
    "GET /api/allowed_keys",
    "POST /api/allowed_keys",
    "GET /api/allowed_keys/{id}",
    "PUT /api/allowed_keys/{id}",
    "DELETE /api/allowed_keys/{id}",
    "GET /api/models",
    "POST /api/models/reset",
    "GET /api/providers",
    "GET /api/activity_logs",
    "GET /api/request_logs",
    "GET /api/request_logs/{id}",
    "GET /api/stats/capacity",
    "GET /api/stats/timeseries",
    "GET /api/status",
    "GET /api/jobs",
    "GET /api/jobs/{id}",
    "DELETE /api/jobs/{id}",
];

async fn ask(gateway: &TestGateway, operation: &Operation, headers: &[(&str, &str)]) -> Answer {
    let path = operation.somewhere();
    let body = if operation.told["requestBody"].is_object() {
        "{}"
    } else {
        ""
    };
    gateway
        .send(request(&operation.method, &path, headers, body))
        .await
}

#[tokio::test]
async fn nobody_gets_in_without_a_session() {
    let gateway = TestGateway::new().start().await;
    let stranger = "Bearer kms_0123456789012345678901234567890123456789";
    let client_key = format!("Bearer {}", crate::support::CLIENT_KEY);
    for operation in operations(&document(&gateway).await) {
        let shown = [
            vec![],
            vec![("authorization", stranger)],
            vec![("authorization", client_key.as_str())],
            vec![(
                "authorization",
                "Basic YWRtaW46Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
            )],
            vec![("cookie", "keymux_session=kms_0"), ("x-csrf-token", "0")],
            vec![("x-forwarded-for", "127.0.0.1")],
        ];
        for headers in shown {
            let answer = ask(&gateway, &operation, &headers).await;
            if OPEN.contains(&operation.name().as_str()) {
                assert_eq!(answer.status, 422, "{}", operation.name());
            } else if operation.is_account() {
                // A client key without an owner is known, and has no account.
                let is_client = headers.iter().any(|(_, value)| *value == client_key);
                let answer = answer.expect(if is_client { 403 } else { 401 });
                let detail = &answer.json()["detail"];
                assert!(detail.is_string(), "{}: {detail}", operation.name());
            } else {
                answer.refused(401, "unauthorized");
            }
        }
    }
}

#[tokio::test]
async fn members_may_ask_what_is_listed_and_nothing_else() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    admin.make_member("mei").await;
    let mut listed: BTreeSet<&str> = MEMBERS.into();
    for operation in operations(&document(&gateway).await) {
        if operation.name() == ENDLESS {
            continue;
        }
        // One of them ends its session.
        let mei = Operator {
            token: session_of(&gateway, "mei").await,
            ..admin.clone()
        };
        let bearer = format!("Bearer {}", mei.token);
        let answer = ask(&gateway, &operation, &[("authorization", &bearer)]).await;
        let name = operation.name();
        if operation.is_account() {
            // A session is no client key.
            answer.expect(401);
        } else if listed.remove(name.as_str()) {
            assert!(
                ![401, 403].contains(&answer.status),
                "{name}: {}",
                answer.text()
            );
        } else {
            answer.refused(403, "forbidden");
        }
    }
    assert!(listed.is_empty(), "{listed:?} are not in the document");
}

/// A new session, without the work that a password is.
async fn session_of(gateway: &TestGateway, name: &str) -> String {
    let store = gateway.running.store();
    let user = store.user(name).await.unwrap().unwrap();
    let token = format!("kms_{:040x}", fastrand::u128(..));
    let (from, to) = (domain::UnixMs(0), domain::UnixMs(i64::MAX));
    let session = domain::Secret::new(token.as_str());
    assert!(
        store
            .create_session(&session, &user, from, to)
            .await
            .unwrap()
    );
    token
}

#[tokio::test]
async fn a_browser_changes_nothing_without_the_csrf_token() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let other = Operator::admin(&gateway).await;
    let csrf = |answer: Answer| answer.json()["csrf_token"].as_str().unwrap().to_owned();
    let (own, others) = (
        csrf(admin.get("/api/me").await),
        csrf(other.get("/api/me").await),
    );
    assert_ne!(own, others);
    let cookie = format!("theme=dark; keymux_session={}; x=y", admin.token);
    let is_kept = |operation: &&Operation| {
        let is_other = operation.name() == ENDLESS || operation.is_account();
        operation.path != "/api/logout" && !is_other
    };
    let all = operations(&document(&gateway).await);
    for operation in all.iter().filter(is_kept) {
        let name = operation.name();
        if OPEN.contains(&name.as_str()) {
            continue;
        }
        for wrong in [
            None,
            Some(""),
            Some("0"),
            Some(others.as_str()),
            Some(&own[1..]),
        ] {
            let mut headers = vec![("cookie", cookie.as_str())];
            headers.extend(wrong.map(|token| ("x-csrf-token", token)));
            let answer = ask(&gateway, operation, &headers).await;
            if operation.changes() {
                answer.refused(403, "forbidden");
            } else {
                assert_ne!(answer.status, 403, "{name}");
            }
        }
        let headers = [("cookie", cookie.as_str()), ("x-csrf-token", &own)];
        let answer = ask(&gateway, operation, &headers).await;
        assert!(
            ![401, 403].contains(&answer.status),
            "{name}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_bearer_needs_no_csrf_token_and_goes_before_the_cookie() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let bearer = format!("bearer  {}", admin.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("cookie", "keymux_session=none"),
    ];
    let body = r#"{"ip": "203.0.113.9"}"#;
    let answer = gateway
        .send(request("POST", "/api/bans", &headers, body))
        .await;
    answer.expect(201);
}

#[tokio::test]
async fn answers_are_not_kept_by_anybody_on_the_way() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for path in ["/api/me", "/api/keys", "/api/nothing"] {
        assert_eq!(
            admin.get(path).await.header("cache-control"),
            "no-store",
            "{path}"
        );
    }
}
