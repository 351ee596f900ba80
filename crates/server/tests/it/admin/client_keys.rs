//! Client keys: the secret is shown once, and what is changed holds for the next call.

use serde_json::{Value, json};

use crate::support::{CLIENT_KEY, Operator, TestGateway};

/// Makes a client key; gives its path and its secret.
async fn make(operator: &Operator, body: Value) -> (String, String) {
    let made = operator.make_client(body).await;
    (made.path(), made.secret)
}

#[tokio::test]
async fn a_client_key_is_made_changed_and_deleted() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let (path, key) = make(&admin, json!({"name": " chat app "})).await;
    assert!(key.starts_with("sk-") && key.len() >= 40, "{key}");
    assert_eq!(gateway.generate_as(&key).await.status, 200);
    let shown = admin.get(&path).await.expect(200);
    assert!(!shown.text().contains(&key));
    let shown = shown.json();
    assert_eq!(
        (&shown["name"], &shown["source"]),
        (&json!("chat app"), &json!("admin"))
    );
    assert_eq!(shown["usage"]["rpd"]["used"], 1);
    let put = json!({"name": "chat", "allowed_models": ["other-*"], "rpm": 5, "budget_usd": 2.5,
        "budget_period": "day"});
    let changed = admin.put(&path, put).await.expect(200).json();
    assert_eq!(
        (&changed["rpm"], &changed["budget_period"]),
        (&json!(5), &json!("day"))
    );
    assert_eq!(gateway.generate_as(&key).await.status, 403);
    admin
        .put(&path, json!({"name": "chat", "enabled": false}))
        .await
        .expect(200);
    assert_eq!(gateway.generate_as(&key).await.status, 401);
    let back = admin
        .put(&path, json!({"name": "chat"}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&back["rpm"], &back["allowed_models"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(gateway.generate_as(&key).await.status, 200);
    admin.delete(&path).await.expect(204);
    assert_eq!(gateway.generate_as(&key).await.status, 401);
    admin.get(&path).await.refused(404, "not_found");
    admin.delete(&path).await.refused(404, "not_found");
    admin
        .put(&path, json!({"name": "chat"}))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn limits_hold_from_the_next_call_on() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let (path, key) = make(&admin, json!({"name": "app", "rpm": 1})).await;
    assert_eq!(gateway.generate_as(&key).await.status, 200);
    let refused = gateway.generate_as(&key).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    admin
        .put(&path, json!({"name": "app", "rpm": 9}))
        .await
        .expect(200);
    assert_eq!(gateway.generate_as(&key).await.status, 200);
    let past = json!({"name": "app", "expires_at": "2001-01-01T00:00:00Z"});
    admin.put(&path, past).await.expect(200);
    assert_eq!(gateway.generate_as(&key).await.status, 401);
    let gateway = gateway.restart().await;
    assert_eq!(gateway.generate_as(&key).await.status, 401);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!("x".repeat(101))),
        ("name", json!("a\nb")),
        ("expires_at", json!("tomorrow")),
        ("owner", json!("nobody")),
        ("rpm", json!(0)),
        ("rpd", json!(-1)),
        ("tpm", json!(1.5)),
        ("tpd", json!(0)),
        ("max_concurrent", json!(0)),
        ("max_concurrent", json!(4_294_967_296_u64)),
        ("budget_usd", json!(0)),
        ("budget_usd", json!(-1)),
        ("budget_usd", json!(1e300)),
        ("budget_period", json!("week")),
        ("allowed_providers", json!(["gogle"])),
        ("allowed_ips", json!(["10.0.0.0/33"])),
        ("allowed_ips", json!(["localhost"])),
        ("allowed_models", json!([""])),
        ("allowed_endpoints", json!("models.*")),
        ("key", json!("sk-of-my-own")),
        ("id", json!(1)),
    ] {
        let mut body = json!({"name": "app"});
        body[field] = value.clone();
        let answer = admin.post("/api/allowed_keys", body).await;
        let blamed = answer.refused(422, "invalid");
        assert!(
            blamed.starts_with(field),
            "{field} {value}: {}",
            answer.text()
        );
    }
    let many: Vec<String> = (0..1_001).map(|n| format!("model-{n}")).collect();
    let body = json!({"name": "app", "allowed_models": many});
    let answer = admin.post("/api/allowed_keys", body).await;
    assert_eq!(answer.refused(422, "invalid"), "allowed_models");
    assert_eq!(admin.rows("/api/allowed_keys").await.len(), 1);
}

#[tokio::test]
async fn what_the_configuration_states_is_not_changed_here() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let rows = admin.rows("/api/allowed_keys").await;
    assert_eq!(rows[0]["source"], "config");
    let path = format!("/api/allowed_keys/{}", rows[0]["id"]);
    admin
        .put(&path, json!({"name": "x"}))
        .await
        .refused(409, "fixed");
    admin.delete(&path).await.refused(409, "fixed");
    assert_eq!(gateway.generate_as(CLIENT_KEY).await.status, 200);
}

#[tokio::test]
async fn members_have_client_keys_of_their_own() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    let bo = admin.make_member("bo").await;
    let (own, key) = make(&mei, json!({"name": "of mei"})).await;
    let (given, _) = make(&admin, json!({"name": "given", "owner": "mei"})).await;
    let (others, _) = make(&admin, json!({"name": "of nobody"})).await;
    assert_eq!(mei.get(&own).await.expect(200).json()["owner"], "mei");
    mei.get(&given).await.expect(200);
    assert_eq!(mei.rows("/api/allowed_keys").await.len(), 2);
    assert_eq!(bo.rows("/api/allowed_keys?owner=mei").await.len(), 0);
    assert_eq!(admin.rows("/api/allowed_keys?owner=mei").await.len(), 2);
    assert_eq!(admin.rows("/api/allowed_keys?enabled=false").await.len(), 0);
    for (who, path) in [(&bo, &own), (&mei, &others)] {
        who.get(path).await.refused(404, "not_found");
        who.put(path, json!({"name": "mine"}))
            .await
            .refused(404, "not_found");
        who.delete(path).await.refused(404, "not_found");
    }
    let to_bo = json!({"name": "of mei", "owner": "bo"});
    mei.put(&own, to_bo.clone()).await.refused(403, "forbidden");
    mei.post("/api/allowed_keys", to_bo)
        .await
        .refused(403, "forbidden");
    let kept = mei
        .put(&own, json!({"name": "renamed"}))
        .await
        .expect(200)
        .json();
    assert_eq!(kept["owner"], "mei");
    assert_eq!(gateway.generate_as(&key).await.status, 200);
    mei.delete(&own).await.expect(204);
}
