//! `GET /api/stats/capacity`: what is left of the day, as far as anybody can know.

use fake_upstream::{FakeKey, gemini};
use serde_json::{Value, json};

use crate::support::{MODEL, Operator, TestGateway, eventually};

#[tokio::test]
async fn a_project_that_is_used_up_tells_what_the_others_have_left() {
    let limited = |key: &str| FakeKey::new(key).rpd(MODEL, 3);
    let upstream = gemini()
        .key(limited("AIza-key-1"))
        .key(limited("AIza-key-2").project("two"));
    let gateway = TestGateway::new()
        .upstream(upstream)
        .keys(["AIza-key-1"])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let capacity = async || admin.read("/api/stats/capacity").await;
    assert_eq!(capacity().await["items"], json!([]));

    assert_eq!(gateway.generate().await.status, 200);
    let unknown = capacity().await["items"][0].clone();
    let of_day = |item: &Value| [item["requests_today"].clone(), item["left_today"].clone()];
    assert_eq!(of_day(&unknown), [json!(1), Value::Null]);

    let second = json!({"provider": "google", "key": "AIza-key-2", "project": "two"});
    admin.post("/api/keys", second).await.expect(201);
    let disabled = json!({"enabled": false});
    admin.patch("/api/keys/2", disabled).await.expect(200);
    for expected in [200, 200, 503] {
        assert_eq!(gateway.generate().await.status, expected);
    }
    admin
        .patch("/api/keys/2", json!({"enabled": true}))
        .await
        .expect(200);
    let known = eventually("the requests are counted", async || {
        let item = capacity().await["items"][0].clone();
        (item["requests_last_hour"] == 3).then_some(item)
    })
    .await;
    assert_eq!(known["id"], format!("google/{MODEL}"));
    assert_eq!(
        (&known["projects"], &known["projects_used_up"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(known["daily_limit"], 3);
    assert_eq!(of_day(&known), [json!(3), json!(3)]);
    assert_eq!(known["usable_keys"], 1);
}
