//! The admin API on PostgreSQL: the same answers as on SQLite, also to what PostgreSQL refuses to store.

use serde_json::{Value, json};

use crate::support::{ADMIN, Operator, PASSWORD, TestGateway, log_in, on_postgres};

async fn start(url: &str) -> (TestGateway, Operator) {
    let gateway = TestGateway::new()
        .setting("database.url", url)
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    (gateway, admin)
}

#[tokio::test]
async fn everything_is_made_changed_kept_and_deleted() {
    on_postgres(async |url| {
        let (gateway, admin) = start(url).await;
        let mei = admin.make_member("mei").await;
        let own = mei.add_key("AIza-of-mei-0001").await;
        let again = json!({"provider": "google", "key": "AIza-of-mei-0001"});
        mei.post("/api/keys", again).await.refused(409, "duplicate");
        let keys: Vec<String> = (0..1_500).map(|n| format!("AIza-pasted-{n:05}")).collect();
        let pasted = json!({"provider": "google", "keys": keys});
        let done = admin
            .post("/api/keys/bulk_add", pasted)
            .await
            .expect(200)
            .json();
        assert_eq!(done["added"], 1_500);
        let few = json!({"ids": done["ids"].as_array().unwrap()[..300]});
        admin.post("/api/keys/bulk_delete", few).await.expect(200);
        let made = admin
            .post("/api/allowed_keys", json!({"name": "app", "rpm": 5}))
            .await;
        let client = format!("/api/allowed_keys/{}", made.expect(201).json()["id"]);
        admin
            .put(&client, json!({"name": "chat", "rpm": 6}))
            .await
            .expect(200);
        let settings = json!({"retry.max_attempts": 7, "pool.strategy": "fill_first"});
        admin.put("/api/settings", settings).await.expect(200);
        let wrong = json!({"retry.max_attempts": 8, "pool.strategy": "best"});
        admin
            .put("/api/settings", wrong)
            .await
            .refused(422, "invalid");
        let price = json!({"input": 1.0, "output": 2.0, "long_prompt": null});
        admin
            .put("/api/prices/google?model=m", price)
            .await
            .expect(204);
        admin
            .post("/api/bans", json!({"ip": "2001:db8::1"}))
            .await
            .expect(201);
        admin.make_user("bo", "admin").await;
        let taken = json!({"username": "bo", "password": "another-password"});
        assert_eq!(
            admin
                .post("/api/users", taken)
                .await
                .refused(409, "duplicate"),
            "username"
        );
        admin.delete("/api/users/2").await.refused(409, "in_use");

        let gateway = gateway.crash().await;
        let admin = Operator {
            address: gateway.address,
            ..admin
        };
        let mei = Operator {
            address: gateway.address,
            ..mei
        };
        assert_eq!(mei.rows("/api/keys").await[0]["id"], own);
        assert_eq!(admin.get("/api/keys?limit=1").await.json()["total"], 1_202);
        assert_eq!(admin.get(&client).await.expect(200).json()["rpm"], 6);
        let all = admin.get("/api/settings").await.json();
        let items = all["items"].as_array().unwrap();
        let attempts = items
            .iter()
            .find(|item| item["name"] == "retry.max_attempts")
            .unwrap();
        assert_eq!(attempts["value"], 7);
        assert_eq!(admin.rows("/api/bans").await[0]["ip"], "2001:db8::");
        let rows = admin.rows("/api/prices").await;
        assert!(
            rows.iter()
                .any(|row| row["source"] == "operator" && row["model"] == "m")
        );
        admin
            .delete("/api/users/2?delete_owned=true")
            .await
            .expect(204);
        mei.get("/api/me").await.refused(401, "unauthorized");
        admin.delete(&client).await.expect(204);
        admin.delete("/api/prices/google?model=m").await.expect(204);
        admin.delete("/api/bans/2001:db8::5").await.expect(204);
        let whole = admin.rows("/api/activity_logs?limit=500").await;
        let paged = admin.rows("/api/activity_logs?limit=3").await;
        assert_eq!(paged, whole);
        assert_eq!(admin.rows("/api/activity_logs?action=BAN").await.len(), 1);
        gateway.stop().await;
    })
    .await;
}

#[tokio::test]
async fn texts_that_no_column_holds_are_the_callers_mistake() {
    on_postgres(async |url| {
        let (gateway, admin) = start(url).await;
        let answer = log_in(gateway.address, "nul\0", PASSWORD, &[]).await;
        answer.refused(401, "wrong_credentials");
        let answer = log_in(gateway.address, ADMIN, "nul\0", &[]).await;
        answer.refused(401, "wrong_credentials");
        for field in ["actor", "resource", "resource_id", "provider", "q"] {
            let path = format!("/api/activity_logs?{field}=a%00b");
            assert_eq!(admin.get(&path).await.refused(422, "invalid"), field);
        }
        for (method, path, body) in [
            (
                "POST",
                "/api/bans",
                json!({"ip": "203.0.113.9", "reason": "a\0b"}),
            ),
            (
                "POST",
                "/api/allowed_keys",
                json!({"name": "app", "allowed_models": ["a\0b"]}),
            ),
            ("POST", "/api/allowed_keys", json!({"name": "a\0b"})),
            (
                "POST",
                "/api/keys",
                json!({"provider": "google", "key": "AIza-0001", "label": "a\0b"}),
            ),
            (
                "POST",
                "/api/users",
                json!({"username": "a\0b", "password": "password"}),
            ),
            (
                "PUT",
                "/api/prices/google?model=a%00b",
                json!({"input": 1, "output": 1}),
            ),
        ] {
            let answer = admin.send(method, path, Some(body.clone())).await;
            assert_eq!(answer.status, 422, "{path} {body}: {}", answer.text());
        }
        for path in [
            "/api/bans/%00",
            "/api/prices/a%00b?model=x",
            "/api/prices/google?model=%00",
        ] {
            let status = admin.delete(path).await.status;
            assert!([404, 422].contains(&status), "{path}: {status}");
        }
        let far = json!({"name": "far", "expires_at": "9999-12-30T22:00:00Z"});
        let made = admin
            .post("/api/allowed_keys", far)
            .await
            .expect(201)
            .json();
        assert_eq!(made["expires_at"], "9999-12-30T22:00:00.000Z");
        let early = json!({"name": "early", "expires_at": "-009999-01-02T02:00:00Z"});
        let made: Value = admin
            .post("/api/allowed_keys", early)
            .await
            .expect(201)
            .json();
        assert!(
            made["expires_at"].as_str().unwrap().starts_with("-009999"),
            "{made}"
        );
        gateway.stop().await;
    })
    .await;
}
