//! Users: made, changed and deleted by administrators, of whom one is always left.

use serde_json::{Value, json};

use crate::support::{MEMBERS_PASSWORD, Operator, TestGateway, log_in};

fn new_user(name: &str) -> Value {
    json!({"username": name, "password": MEMBERS_PASSWORD})
}

#[tokio::test]
async fn a_user_is_made_changed_and_deleted() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let made = admin
        .post("/api/users", new_user("mei@example.com"))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&made["role"], &made["enabled"]),
        (&json!("member"), &json!(true))
    );
    let path = format!("/api/users/{}", made["id"]);
    let wanted = json!({"username": "mei", "role": "admin", "enabled": false});
    let changed = admin.patch(&path, wanted).await.expect(200).json();
    assert_eq!(changed["username"], "mei");
    assert_eq!(
        (&changed["role"], &changed["enabled"]),
        (&json!("admin"), &json!(false))
    );
    assert_eq!(changed["created_at"], made["created_at"]);
    let rows = admin.rows("/api/users").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1], changed);
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.refused(404, "not_found");
    admin
        .patch(&path, json!({}))
        .await
        .refused(404, "not_found");
    assert_eq!(admin.rows("/api/users").await.len(), 1);
}

#[tokio::test]
async fn a_name_is_taken_once_and_is_well_formed() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_user("mei", "member").await;
    for taken in ["mei", "admin"] {
        let answer = admin.post("/api/users", new_user(taken)).await;
        assert_eq!(answer.refused(409, "duplicate"), "username");
    }
    let path = format!("/api/users/{mei}");
    let answer = admin.patch(&path, json!({"username": "admin"})).await;
    assert_eq!(answer.refused(409, "duplicate"), "username");
    admin
        .patch(&path, json!({"username": "mei"}))
        .await
        .expect(200);
    for name in ["", " ", "a b", "ä", "x\n", "a/b", &"x".repeat(65), "nul\0"] {
        let answer = admin.post("/api/users", new_user(name)).await;
        assert_eq!(answer.refused(422, "invalid"), "username", "{name:?}");
        let answer = admin.patch(&path, json!({"username": name})).await;
        assert_eq!(answer.refused(422, "invalid"), "username", "{name:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for (body, field) in [
        (json!({"username": "bo", "password": "short"}), "password"),
        (json!({"username": "bo"}), "password"),
        (
            json!({"username": 7, "password": MEMBERS_PASSWORD}),
            "username",
        ),
        (
            json!({"username": "bo", "password": MEMBERS_PASSWORD, "role": "root"}),
            "role",
        ),
        (
            json!({"username": "bo", "password": MEMBERS_PASSWORD, "id": 1}),
            "id",
        ),
    ] {
        let answer = admin.post("/api/users", body).await;
        assert_eq!(answer.refused(422, "invalid"), field);
    }
    assert_eq!(admin.rows("/api/users").await.len(), 1);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let id = admin.make_user("mei", "admin").await;
    admin
        .patch(&format!("/api/users/{id}"), json!({"enabled": false}))
        .await
        .expect(200);
    admin
        .patch("/api/users/1", json!({"enabled": false}))
        .await
        .refused(409, "last_admin");
    admin
        .patch("/api/users/1", json!({"role": "member"}))
        .await
        .refused(409, "last_admin");
    admin
        .delete("/api/users/1")
        .await
        .refused(409, "last_admin");
    admin.get("/api/users").await.expect(200);
}

#[tokio::test]
async fn who_owns_something_is_deleted_only_with_it() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let id = admin.make_user("mei", "member").await;
    let mei = Operator::log_in(gateway.address, "mei", MEMBERS_PASSWORD).await;
    mei.add_key("AIza-of-mei").await;
    mei.post("/api/allowed_keys", json!({"name": "own"}))
        .await
        .expect(201);
    let path = format!("/api/users/{id}");
    admin.delete(&path).await.refused(409, "in_use");
    let answer = admin.delete(&format!("{path}?delete_owned=perhaps")).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(admin.rows("/api/keys?owner=mei").await.len(), 1);
    admin
        .delete(&format!("{path}?delete_owned=true"))
        .await
        .expect(204);
    mei.get("/api/me").await.refused(401, "unauthorized");
    assert_eq!(admin.rows("/api/keys?q=AIza-of-mei").await.len(), 0);
    assert_eq!(admin.rows("/api/allowed_keys?q=own").await.len(), 0);
    assert_eq!(gateway.running.keys("google").len(), 1);
    let answer = log_in(gateway.address, "mei", MEMBERS_PASSWORD, &[]).await;
    answer.refused(401, "wrong_credentials");
}
