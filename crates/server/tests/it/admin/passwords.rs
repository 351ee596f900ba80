//! Passwords: changed by oneself or by an administrator, and who is logged out by that.

use serde_json::{Value, json};

use crate::support::{MEMBERS_PASSWORD, Operator, PASSWORD, TestGateway, log_in};

const NEW: &str = "another-password";

fn change(current: &str, new: &str) -> Value {
    json!({"current_password": current, "new_password": new})
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_keeps_this_one() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    let other = Operator::log_in(gateway.address, "mei", MEMBERS_PASSWORD).await;
    let path = "/api/me/password";
    mei.post(path, change(MEMBERS_PASSWORD, NEW))
        .await
        .expect(204);
    mei.get("/api/me").await.expect(200);
    other.get("/api/me").await.refused(401, "unauthorized");
    admin.get("/api/me").await.expect(200);
    let old = log_in(gateway.address, "mei", MEMBERS_PASSWORD, &[]).await;
    old.refused(401, "wrong_credentials");
    log_in(gateway.address, "mei", NEW, &[]).await.expect(200);
}

#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_it_and_to_a_fit_one() {
    let gateway = TestGateway::new().start().await;
    let mei = Operator::admin(&gateway).await.make_member("mei").await;
    for (current, new, field) in [
        ("not-the-password", NEW, "current_password"),
        (MEMBERS_PASSWORD, "seven77", "new_password"),
        (MEMBERS_PASSWORD, "", "new_password"),
        (MEMBERS_PASSWORD, &"x".repeat(1025), "new_password"),
    ] {
        let answer = mei.post("/api/me/password", change(current, new)).await;
        assert_eq!(answer.refused(422, "invalid"), field);
    }
    log_in(gateway.address, "mei", MEMBERS_PASSWORD, &[])
        .await
        .expect(200);
}

#[tokio::test]
async fn guesses_of_the_current_password_are_counted_as_logins_are() {
    let gateway = TestGateway::new().start().await;
    let mei = Operator::admin(&gateway).await.make_member("mei").await;
    for _ in 0..5 {
        let answer = mei
            .post("/api/me/password", change("a-wrong-guess", NEW))
            .await;
        answer.refused(422, "invalid");
    }
    let answer = mei
        .post("/api/me/password", change(MEMBERS_PASSWORD, NEW))
        .await;
    answer.refused(429, "too_many_requests");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 800);
    let answer = log_in(gateway.address, "mei", MEMBERS_PASSWORD, &[]).await;
    answer.refused(429, "too_many_requests");
}

#[tokio::test]
async fn what_the_configuration_fixes_is_not_changed_here() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let answer = admin.post("/api/me/password", change(PASSWORD, NEW)).await;
    answer.refused(409, "fixed");
    for body in [json!({"password": NEW}), json!({"username": "root"})] {
        admin
            .patch("/api/users/1", body)
            .await
            .refused(409, "fixed");
    }
    log_in(gateway.address, "admin", PASSWORD, &[])
        .await
        .expect(200);
}

#[tokio::test]
async fn a_password_that_an_administrator_sets_ends_all_sessions() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let id = admin.make_user("mei", "member").await;
    let mei = Operator::log_in(gateway.address, "mei", MEMBERS_PASSWORD).await;
    let path = format!("/api/users/{id}");
    admin
        .patch(&path, json!({"password": NEW}))
        .await
        .expect(200);
    mei.get("/api/me").await.refused(401, "unauthorized");
    log_in(gateway.address, "mei", NEW, &[]).await.expect(200);
}
