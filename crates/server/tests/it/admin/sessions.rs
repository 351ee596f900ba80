//! Sessions: how they begin, what shows them, and whatever ends them.

use sea_orm::{ConnectionTrait as _, Database};
use serde_json::json;

use crate::support::{
    ADMIN, Answer, MEMBERS_PASSWORD, Operator, PASSWORD, TestGateway, log_in, request,
};

fn cookie(answer: &Answer) -> &str {
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("keymux_session="), "{cookie:?}");
    cookie
}

#[tokio::test]
async fn a_login_gives_a_session_as_bearer_and_as_cookie() {
    let gateway = TestGateway::new().start().await;
    let answer = log_in(gateway.address, ADMIN, PASSWORD, &[])
        .await
        .expect(200);
    let given = answer.json();
    assert_eq!(given["token_type"], "bearer");
    assert_eq!(given["expires_in"], 30 * 24 * 3600);
    let token = given["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let shown = format!("keymux_session={token}");
    assert_eq!(
        cookie(&answer),
        format!("{shown}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000")
    );
    for header in [("authorization", &bearer), ("cookie", &shown)] {
        let me = request("GET", "/api/me", &[(header.0, header.1)], "");
        let me = gateway.send(me).await.expect(200).json();
        assert_eq!(
            (&me["username"], &me["role"]),
            (&json!(ADMIN), &json!("admin"))
        );
        assert_eq!(me["csrf_token"], given["csrf_token"]);
    }
    let text = answer.text();
    assert!(
        !text.contains(PASSWORD) && !text.contains("argon2"),
        "{text}"
    );
}

#[tokio::test]
async fn the_cookie_is_secure_only_where_the_browser_came_by_https() {
    for (trusted, proto, is_secure) in [
        ("[127.0.0.1/32]", "https", true),
        ("[127.0.0.1/32]", "http", false),
        ("[10.0.0.0/8]", "https", false),
    ] {
        let gateway = TestGateway::new()
            .setting("server.trusted_proxies", trusted)
            .start()
            .await;
        let headers = [
            ("x-forwarded-proto", proto),
            ("x-forwarded-for", "203.0.113.5"),
        ];
        let answer = log_in(gateway.address, ADMIN, PASSWORD, &headers).await;
        let cookie = cookie(&answer);
        assert_eq!(
            cookie.ends_with("; Secure"),
            is_secure,
            "{trusted} {proto}: {cookie}"
        );
        assert!(cookie.contains("; HttpOnly; SameSite=Strict; "), "{cookie}");
    }
}

#[tokio::test]
async fn a_logout_ends_this_session_and_no_other() {
    let gateway = TestGateway::new().start().await;
    let one = Operator::admin(&gateway).await;
    let other = Operator::admin(&gateway).await;
    assert_ne!(one.token, other.token);
    let answer = one.send("POST", "/api/logout", None).await.expect(204);
    assert!(cookie(&answer).starts_with("keymux_session=; "));
    assert!(cookie(&answer).contains("Max-Age=0"));
    one.get("/api/me").await.refused(401, "unauthorized");
    one.send("POST", "/api/logout", None)
        .await
        .refused(401, "unauthorized");
    other.get("/api/me").await.expect(200);
}

#[tokio::test]
async fn unknown_wrong_and_disabled_look_alike() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let id = admin.make_user("mei", "member").await;
    admin.make_user("bo", "member").await;
    let disabled = json!({"enabled": false});
    admin
        .patch(&format!("/api/users/{id}"), disabled)
        .await
        .expect(200);
    let mut seen = Vec::new();
    for (name, password) in [
        ("nobody", PASSWORD),
        ("bo", "not-the-password"),
        ("mei", MEMBERS_PASSWORD),
        ("mei", "not-the-password"),
        ("", ""),
        ("' OR 1=1 --", "x"),
        ("nul\0byte", "x"),
    ] {
        let answer = log_in(gateway.address, name, password, &[]).await;
        answer.refused(401, "wrong_credentials");
        assert_eq!(answer.header("set-cookie"), "", "{name}");
        seen.push(answer.text());
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_the_setting_says() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let set = admin.put("/api/settings", json!({"admin.session_ttl": "2m"}));
    set.await.expect(200);
    let given = log_in(gateway.address, ADMIN, PASSWORD, &[]).await.json();
    assert_eq!(given["expires_in"], 120);
    let short = Operator {
        token: given["access_token"].as_str().unwrap().to_owned(),
        ..admin.clone()
    };
    short.get("/api/me").await.expect(200);
    // Nobody waits for two minutes: the sessions are made older.
    let file = gateway.data.path().join("data/keymux.db");
    let database = Database::connect(format!("sqlite:{}", file.display()))
        .await
        .unwrap();
    let grow_older = "UPDATE sessions SET expires_at = expires_at - 110000";
    database.execute_unprepared(grow_older).await.unwrap();
    short.get("/api/me").await.expect(200);
    database.execute_unprepared(grow_older).await.unwrap();
    short.get("/api/me").await.refused(401, "unauthorized");
    admin.get("/api/me").await.expect(200);
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let gateway = gateway.restart().await;
    let admin = Operator {
        address: gateway.address,
        ..admin
    };
    admin.get("/api/me").await.expect(200);
}

#[tokio::test]
async fn who_is_disabled_demoted_or_deleted_is_so_at_once() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let id = admin.make_user("mei", "admin").await;
    let path = format!("/api/users/{id}");
    let mei = Operator::log_in(gateway.address, "mei", MEMBERS_PASSWORD).await;
    mei.get("/api/users").await.expect(200);
    admin
        .patch(&path, json!({"role": "member"}))
        .await
        .expect(200);
    mei.get("/api/users").await.refused(403, "forbidden");
    admin
        .patch(&path, json!({"enabled": false}))
        .await
        .expect(200);
    mei.get("/api/me").await.refused(401, "unauthorized");
    admin
        .patch(&path, json!({"enabled": true}))
        .await
        .expect(200);
    mei.get("/api/me").await.refused(401, "unauthorized");
    let mei = Operator::log_in(gateway.address, "mei", MEMBERS_PASSWORD).await;
    admin.delete(&path).await.expect(204);
    mei.get("/api/me").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_body_that_nobody_can_need_for_a_login_is_not_read() {
    let gateway = TestGateway::new().start().await;
    let password = "x".repeat(1 << 20);
    let answer = log_in(gateway.address, ADMIN, &password, &[]).await;
    answer.refused(413, "bad_body");
}
