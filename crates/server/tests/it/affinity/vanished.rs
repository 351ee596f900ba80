//! What is gone: deleted, forgotten by the provider, or in a project that has no key here any more. What is only out of
//! reach is not.

use fake_upstream::Rule;
use serde_json::{Value, json};

use super::{Caller, path, twenty};
use crate::support::{Operator, TestGateway};

#[tokio::test]
async fn what_is_gone_is_forgotten() {
    let gateway = twenty().await;
    let caller = Caller::new(&gateway);
    let (deleted, vanished) = (caller.upload().await, caller.upload().await);
    let answer = caller.ask("DELETE", &path(&deleted), &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    gateway.upstream.clear_seen();
    assert_eq!(caller.get(&path(&deleted)).await.status, 404);
    assert_eq!(gateway.upstream.seen().len(), 0);

    // The provider forgets it by itself: the first to ask hears so in its words, later ones in ours.
    let rule = Rule::new()
        .fixture("gemini/errors/404_entity.json")
        .times(1);
    gateway.upstream.add_rule(rule);
    let told = caller.get(&path(&vanished)).await;
    assert_eq!(told.status, 404, "{}", told.text());
    gateway.upstream.clear_seen();
    assert_eq!(caller.get(&path(&vanished)).await.status, 404);
    assert_eq!(gateway.upstream.seen().len(), 0);
    let admin = Operator::admin(&gateway).await;
    assert_eq!(admin.rows("/api/resources").await.len(), 0);
}

#[tokio::test]
async fn a_404_that_is_about_a_method_forgets_nothing() {
    let gateway = twenty().await;
    let caller = Caller::new(&gateway);
    let file = caller.upload().await;
    let stable = path(&file).replace("/v1beta/", "/v1/");
    let entity = r#"{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND"}}"#;
    let method = r#"{"error":{"code":404,"message":"Method not found.","status":"NOT_FOUND"}}"#;
    for (verb, path_of_it, body) in [
        ("POST", format!("{}:unknownVerb", path(&file)), entity),
        ("GET", format!("{}:download?alt=media", path(&file)), entity),
        ("GET", stable, entity),
        ("GET", path(&file), method),
        ("PATCH", path(&file), method),
        (
            "DELETE",
            path(&file),
            "<title>Error 404 (Not Found)!!1</title>",
        ),
    ] {
        let rule = Rule::new().respond(404, body).times(1);
        gateway.upstream.add_rule(rule);
        let sent = if verb == "POST" {
            json!({})
        } else {
            Value::Null
        };
        let told = caller.ask(verb, &path_of_it, &sent).await;
        assert_eq!(told.status, 404, "{verb} {path_of_it}: {}", told.text());
        let still = caller.get(&path(&file)).await;
        assert_eq!(still.status, 200, "{verb} {path_of_it}: {}", still.text());
    }
}

#[tokio::test]
async fn a_project_without_keys_has_nothing_any_more() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let caller = Caller::new(&gateway);
    let switch = async |id: i64, enabled: bool| {
        let path = format!("/api/keys/{id}");
        admin
            .patch(&path, json!({"enabled": enabled}))
            .await
            .expect(200);
    };
    let first = admin.rows("/api/keys").await[0]["id"].as_i64().unwrap();
    let second = admin.add_key("AIza-key-that-goes").await;
    switch(first, false).await;
    let file = caller.upload().await;
    let name = file["name"].as_str().unwrap();
    switch(first, true).await;
    let check = async |status: u16, told: &str| {
        for answer in [
            caller.get(&path(&file)).await,
            caller.ask_about(&[&file]).await,
        ] {
            assert_eq!(answer.status, status, "{}", answer.text());
            let message = answer.error()["message"].as_str().unwrap().to_owned();
            assert!(
                message.contains(told) && message.contains(name),
                "{message}"
            );
        }
    };

    switch(second, false).await;
    check(503, "are disabled").await;
    switch(second, true).await;
    assert_eq!(caller.get(&path(&file)).await.status, 200);

    let rule = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    gateway.upstream.add_rule(rule.times(1));
    let refused = caller.ask_about(&[&file]).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    let message = refused.error()["message"].as_str().unwrap().to_owned();
    assert!(message.contains(name), "{message}");
    assert!(
        message.contains("project") && message.contains("are cooling"),
        "{message}"
    );
    assert!(refused.headers.contains_key("retry-after"));

    let key = format!("/api/keys/{second}");
    admin.delete(&key).await.expect(204);
    let gone = caller.ask_about(&[&file]).await;
    assert_eq!(gone.status, 404, "{}", gone.text());
    let message = gone.error()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains(name) && message.contains("has no key here"),
        "{message}"
    );
    assert_eq!(admin.rows("/api/resources").await.len(), 0);
    check(404, "is not known here").await;
}
