//! A model that keys are checked with and that does not exist is the configuration's mistake: it is told of, and hurts no
//! key.

use fake_upstream::{FakeKey, KeyFault, gemini};
use serde_json::json;

use super::checked;
use crate::support::{Operator, TestGateway, eventually};

const GONE: &str = "{ model: gemini-flsh-latest }";

async fn warnings(admin: &Operator) -> Vec<String> {
    let rows = admin.rows("/api/providers").await;
    let google = rows.iter().find(|row| row["name"] == "google").unwrap();
    let warnings = google["warnings"].as_array().unwrap();
    let text = warnings
        .iter()
        .map(|text| text.as_str().unwrap().to_owned());
    text.collect()
}

#[tokio::test]
async fn a_test_model_that_does_not_exist_warns_and_hurts_no_key() {
    let gateway = TestGateway::new()
        .checking_keys()
        .keys((1..=5).map(|number| format!("AIza-key-{number}")))
        .provider("health_check", GONE)
        .setting("health_checks.after_4xx", "1s")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    eventually("it is told of", async || {
        let told = warnings(&admin).await;
        told.first()?.contains("gemini-flsh-latest").then_some(())
    })
    .await;
    let rows = checked(&admin, "class=model_unavailable", 5).await;
    assert_eq!(rows[0]["status"], 404);
    for place in 0..5 {
        assert_eq!(gateway.health(place), "active");
        assert_eq!(gateway.pair(place, "gemini-flsh-latest"), None);
    }
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn keys_are_judged_all_the_same_where_the_test_model_is_missing() {
    let leaked = FakeKey::new("AIza-key-1").fault(KeyFault::Leaked);
    let script = gemini().key(leaked).key(FakeKey::new("AIza-key-2"));
    let gateway = TestGateway::new()
        .upstream(script)
        .checking_keys()
        .keys(["AIza-key-1", "AIza-key-2"])
        .provider("health_check", GONE)
        .setting("health_checks.after_403", "1s")
        .start()
        .await;
    let becomes = async |health: &str| {
        eventually(&format!("the key is {health}"), async || {
            (gateway.health(0) == health).then_some(())
        })
        .await;
    };
    becomes("retired Invalid").await;
    assert_eq!(gateway.health(1), "active");
    gateway.upstream.fix_key("AIza-key-1");
    becomes("active").await;
}

#[tokio::test]
async fn the_warning_ends_with_the_mistake() {
    let gateway = TestGateway::new()
        .checking_keys()
        .provider("health_check", GONE)
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    eventually("it is told of", async || {
        warnings(&admin).await.first().map(drop)
    })
    .await;
    // Another model is listed: the file is read again.
    let file = gateway.data.path().join("keymux.yaml");
    let yaml = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, yaml.replace("flsh", "flash")).unwrap();
    gateway.running.reload().await.unwrap();
    let rows = checked(&admin, "model=gemini-flash-latest", 1).await;
    assert_eq!(rows[0]["works"], true);
    assert_eq!(warnings(&admin).await, [""; 0]);
    assert_eq!(admin.rows("/api/key_checks").await.len(), 1);
    eventually(
        "what was found of the other model is forgotten",
        async || {
            let models = gateway.running.store().checked_models().await.unwrap();
            let expected = ("google".to_owned(), "gemini-flash-latest".to_owned());
            (models == [expected]).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn models_are_told_with_their_provider() {
    let gateway = TestGateway::new().checking_keys().start().await;
    let admin = Operator::admin(&gateway).await;
    checked(&admin, "", 1).await;
    let rows = admin.rows("/api/providers").await;
    let google = rows.iter().find(|row| row["name"] == "google").unwrap();
    let expected = json!([{
        "model": "gemini-flash-latest", "is_listed": true, "is_missing": false,
        "works": 1, "fails": 0, "unchecked": 0,
    }]);
    assert_eq!(google["checked_models"], expected);
}
