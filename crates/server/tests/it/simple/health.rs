//! `/api/v1/health`.

use fake_upstream::{Rule, gemini};
use serde_json::Value;

use super::check_detail;
use crate::support::{Answer, TestGateway, request};

const HEALTH: &str = "/api/v1/health";

async fn ask(gateway: &TestGateway, method: &str, path: &str) -> Answer {
    gateway.send(request(method, path, &[], "")).await
}

#[tokio::test]
async fn it_tells_how_the_gateway_and_its_machine_are_to_everybody() {
    let gateway = TestGateway::new().start().await;
    for path in [HEALTH, "/api/v1/health/", "/api/v1/health?x=1"] {
        let answer = ask(&gateway, "GET", path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!(
            (&body["status"], &body["gemini_api"]),
            (&"healthy".into(), &"available".into())
        );
        assert!(body["uptime"].is_u64(), "{body}");
        let stats = body["system_stats"].as_object().unwrap();
        let names: Vec<_> = stats.keys().map(String::as_str).collect();
        assert_eq!(names, ["cpu_percent", "memory_percent", "disk_usage"]);
        let is_percent = |value: &Value| (0.0..=100.0).contains(&value.as_f64().unwrap());
        assert!(stats.values().all(is_percent), "{body}");
    }
    let head = ask(&gateway, "HEAD", HEALTH).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn without_a_usable_key_it_says_so() {
    let rule = Rule::new().fixture("gemini/errors/400_api_key_invalid.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 503);
    let answer = ask(&gateway, "GET", HEALTH).await;
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(
        (&body["status"], &body["gemini_api"]),
        (&"degraded".into(), &"unavailable".into())
    );
}

#[tokio::test]
async fn other_methods_are_told_which_ones_are_right() {
    let gateway = TestGateway::new().start().await;
    let answer = ask(&gateway, "POST", HEALTH).await;
    check_detail(&answer, 405, "GET");
    assert_eq!(answer.header("allow"), "GET, HEAD");
}
