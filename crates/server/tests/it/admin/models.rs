//! Keys and models together: how each key stands for each model, and how cooling is forgotten by hand.

use fake_upstream::{FakeKey, Rule, gemini};
use serde_json::{Value, json};

use crate::support::{MODEL, Operator, TestGateway};

const OTHER: &str = "gemini-2.5-pro";

/// Two keys of the pool that the provider limits for everything that they are asked.
async fn throttled() -> (TestGateway, Operator) {
    let limited = Rule::new().fixture("gemini/errors/429_per_minute_requests.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(limited))
        .keys(["AIza-key-1", "AIza-key-2"])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    for model in [MODEL, OTHER] {
        ask(&gateway, model).await;
    }
    (gateway, admin)
}

async fn ask(gateway: &TestGateway, model: &str) -> u16 {
    let path = format!("/v1beta/models/{model}:generateContent");
    let body = json!({"contents": [{"parts": [{"text": "hi"}]}]}).to_string();
    let key = [("x-goog-api-key", crate::support::CLIENT_KEY)];
    let request = crate::support::request("POST", &path, &key, body);
    gateway.send(request).await.status
}

/// The models that each key is cooling for, in the order of keys.
async fn cooling(user: &Operator) -> Vec<Vec<String>> {
    let rows = user.rows("/api/keys/standings").await;
    let models_of = |row: &Value| {
        let models = row["models"].as_array().unwrap().iter();
        let cooling = models.filter(|model| model["cooling_until"].is_string());
        let mut names: Vec<String> = cooling
            .map(|model| {
                assert_eq!(model["reason"], "rate_limited");
                model["model"].as_str().unwrap().to_owned()
            })
            .collect();
        names.sort();
        names
    };
    rows.iter().map(models_of).collect()
}

/// How many projects are cooling for a model.
async fn count(admin: &Operator, model: &str) -> Value {
    let rows = admin
        .rows(&format!("/api/models?provider=google&q={model}"))
        .await;
    let row = rows.iter().find(|row| row["model"] == model).unwrap();
    row["providers"][0]["cooling"].clone()
}

fn reset_of(model: &str, key: Option<&Value>) -> Value {
    json!({"provider": "google", "model": model, "key_id": key})
}

#[tokio::test]
async fn one_key_is_released_for_one_model() {
    let (_gateway, admin) = throttled().await;
    assert_eq!(cooling(&admin).await, [[OTHER, MODEL], [OTHER, MODEL]]);
    let keys = admin.rows("/api/keys").await;
    let first = &keys[0]["id"];
    let answer = admin.post("/api/models/reset", reset_of(MODEL, Some(first)));
    assert_eq!(answer.await.expect(200).json()["reset"], 1);
    let left = cooling(&admin).await;
    assert_eq!((&left[0][..], left[1].len()), (&[OTHER.to_owned()][..], 2));
    assert_eq!(count(&admin, MODEL).await, 1);
    let path = format!("/api/activity_logs?action=RESET&resource=keys&resource_id={first}");
    let line = admin.rows(&path).await.remove(0);
    assert!(line["details"].as_str().unwrap().ends_with(MODEL), "{line}");
}

#[tokio::test]
async fn all_keys_are_released_for_one_model() {
    let (gateway, admin) = throttled().await;
    let reset = admin.post("/api/models/reset", reset_of(MODEL, None));
    assert_eq!(reset.await.expect(200).json()["reset"], 2);
    assert_eq!(cooling(&admin).await, [[OTHER], [OTHER]]);
    let line = admin
        .rows("/api/activity_logs?resource=models")
        .await
        .remove(0);
    assert_eq!(line["resource_id"], MODEL);
    // They are asked again at once.
    let before = gateway.upstream.count();
    ask(&gateway, MODEL).await;
    assert!(gateway.upstream.count() > before);
}

#[tokio::test]
async fn what_was_released_stays_so_when_keymux_is_started_again() {
    let (gateway, admin) = throttled().await;
    let reset = admin.post("/api/models/reset", reset_of(MODEL, None));
    reset.await.expect(200);
    let gateway = gateway.restart().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(cooling(&admin).await, [[OTHER], [OTHER]]);
}

#[tokio::test]
async fn members_see_and_release_their_own() {
    let (gateway, admin) = throttled().await;
    let mei = admin.make_member("mei").await;
    gateway.upstream.set_key(FakeKey::new("AIza-of-mei-0001"));
    let own = json!(mei.add_key("AIza-of-mei-0001").await);
    let rows = mei.rows("/api/keys/standings").await;
    let ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [&own]);
    let reset = mei.post("/api/models/reset", reset_of(MODEL, None));
    assert_eq!(reset.await.expect(200).json()["reset"], 0);
    let keys = admin.rows("/api/keys").await;
    let others = keys.iter().find(|key| key["id"] != own).unwrap();
    let reset = mei.post("/api/models/reset", reset_of(MODEL, Some(&others["id"])));
    reset.await.refused(404, "not_found");
    assert_eq!(count(&admin, MODEL).await, 2);
}

#[tokio::test]
async fn an_unknown_provider_is_named() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let body = json!({"provider": "gogle", "model": MODEL});
    let answer = admin.post("/api/models/reset", body).await;
    assert_eq!(answer.refused(422, "invalid"), "provider");
    assert_eq!(admin.rows("/api/models?provider=gogle").await.len(), 0);
}
