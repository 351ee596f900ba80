//! How keymux stands, for those who poll a path or read a file: `/_gateway/health` and `logs.status_file`.

use fake_upstream::{FakeKey, KeyFault, gemini};
use serde_json::json;

use crate::support::{MODEL, Operator, TestGateway, eventually, request};

#[tokio::test]
async fn the_gateways_health_has_exactly_its_fields() {
    let keys = ["AIza-key-1", "AIza-key-2"];
    let gateway = TestGateway::new()
        .keys(keys)
        .setting("health_checks.enabled", "false")
        .setting("egress.min_healthy", "7")
        .start()
        .await;
    let ask = async || {
        let asked = request("GET", "/_gateway/health", &[], "");
        gateway.send(asked).await.expect(200).json()
    };
    let expected = json!({
        "status": "healthy",
        "gemini_keys_available": 2,
        "health_checks_enabled": false,
        "whitelisted_proxies_count": 0,
        "recently_failed_proxies_tracked": 0,
        "min_whitelist_target": 7,
    });
    assert_eq!(ask().await, expected);
    let admin = Operator::admin(&gateway).await;
    for key in 1..=2 {
        let path = format!("/api/keys/{key}");
        let off = admin.patch(&path, json!({"enabled": false})).await;
        off.expect(200);
    }
    let health = ask().await;
    assert_eq!(
        (&health["status"], &health["gemini_keys_available"]),
        (&json!("degraded"), &json!(0))
    );
}

/// Two keys of which one is dead, and a report every second.
async fn reporting(path: &str) -> TestGateway {
    let dead = FakeKey::new("AIza-key-2").fault(KeyFault::Leaked);
    let script = gemini().key(FakeKey::new("AIza-key-1")).key(dead);
    TestGateway::new()
        .upstream(script)
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("logs.status_file", path)
        .setting("logs.status_interval", "1s")
        .start()
        .await
}

#[tokio::test]
async fn the_status_file_tells_of_each_model() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("status.log");
    let gateway = reporting(&path.display().to_string()).await;
    for _ in 0..4 {
        assert_eq!(gateway.generate().await.status, 200);
    }
    gateway.get("/v1beta/models/unknown:countTokens").await;
    let lines = [
        format!("google/{MODEL}\n  usable keys: 1\n  unusable keys: 1 (invalid 1)\n"),
        "  requests in the last 30 minutes: 4 (4 succeeded, 0 failed)\n".to_owned(),
    ]
    .concat();
    eventually("a report tells of it", async || {
        let text = std::fs::read_to_string(&path).ok()?;
        (text.contains(&lines) && text.matches("=== ").count() >= 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_status_file_that_cannot_be_written_disturbs_nobody() {
    let folder = tempfile::TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    let gateway = reporting(&missing.join("status.log").display().to_string()).await;
    let began = std::time::Instant::now();
    while began.elapsed() < std::time::Duration::from_millis(1_500) {
        assert_eq!(gateway.generate().await.status, 200);
    }
    std::fs::create_dir(&missing).unwrap();
    eventually("it is written", async || {
        let text = std::fs::read_to_string(missing.join("status.log")).ok()?;
        text.contains(MODEL).then_some(())
    })
    .await;
    gateway.stop().await;
}
