//! `GET /api/status`: how keymux stands, in each of the states that it can be in.

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::past::beside;
use crate::support::{Connection, Operator, TestGateway, eventually, request, stream};

fn keys(status: &Value) -> Value {
    let keys = &status["keys"];
    json!([
        keys["total"],
        keys["active"],
        keys["cooling"],
        keys["invalid"],
        keys["disabled"]
    ])
}

#[tokio::test]
async fn a_gateway_that_answers_is_healthy_and_counts() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let idle = admin.read("/api/status").await;
    assert_eq!(idle["status"], "healthy");
    assert_eq!(idle["requests"]["success_rate_24h"], Value::Null);
    assert_eq!(
        idle["requests"]["latency_ms"],
        json!({"p50": null, "p95": null, "p99": null})
    );
    for _ in 0..3 {
        gateway.generate().await;
    }
    assert_eq!(
        gateway.get("/v1beta/models/unknown-model").await.status,
        404
    );
    let status = eventually("all are counted", async || {
        let status = admin.read("/api/status").await;
        let requests = &status["requests"];
        (requests["last_24h"] == 4 && requests["last_minute"] == 4).then_some(status)
    })
    .await;
    let requests = &status["requests"];
    assert_eq!(requests["last_hour"], 4);
    assert_eq!(requests["success_rate_24h"], 0.75, "{requests}");
    assert!(requests["tokens_24h"].as_u64().unwrap() > 0);
    let latency = |name: &str| requests["latency_ms"][name].as_f64().unwrap();
    assert!(0.0 < latency("p50") && latency("p50") <= latency("p99"));
    assert_eq!(keys(&status), json!([1, 1, 0, 0, 0]));
    assert_eq!(status["providers"]["google"], status["keys"]);
    assert_eq!(
        (&status["database"], &status["queued_records"]),
        (&json!("up"), &json!(0))
    );
    assert_eq!(status["auth"], "required");
}

#[tokio::test]
async fn without_a_usable_key_it_is_degraded() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(gateway.generate().await.status, 200);
    // A key that has worked and is "not valid" now is set aside until a second look.
    let refused = FakeKey::new("AIza-key-1").fault(KeyFault::Invalid);
    gateway.upstream.set_key(refused);
    assert_eq!(gateway.generate().await.status, 503);
    let status = admin.read("/api/status").await;
    assert_eq!(
        (&status["status"], keys(&status)),
        (&json!("degraded"), json!([1, 0, 1, 0, 0]))
    );

    let file = gateway.data.path().join("keymux.yaml");
    let yaml = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, yaml.replace("keys:\n    - AIza-key-1", "keys: []")).unwrap();
    gateway.running.reload().await.unwrap();
    let status = admin.read("/api/status").await;
    assert_eq!(
        (&status["status"], keys(&status)),
        (&json!("degraded"), json!([1, 0, 0, 0, 1]))
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_told_here_and_by_ready() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let other = beside(&gateway).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    // Nothing but the record is to be written of a refused request.
    let wrong = [("x-goog-api-key", "sk-wrong")];
    let refused = gateway
        .send(request("GET", "/v1beta/models", &wrong, ""))
        .await;
    assert_eq!(refused.status, 401);
    let ready = async || gateway.get("/ready").await.json()["database"].clone();
    eventually("it is told", async || {
        (ready().await == "down").then_some(())
    })
    .await;
    let status = admin.read("/api/status").await;
    assert_eq!(
        (&status["status"], &status["database"]),
        (&json!("degraded"), &json!("down"))
    );
    // It stays told until the record is written, also past some saves that find nothing to save.
    for _ in 0..40 {
        assert_eq!(ready().await, "down");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    other.execute_unprepared("ROLLBACK").await.unwrap();
    eventually("it is up again", async || {
        (ready().await == "up").then_some(())
    })
    .await;
    gateway.record_of(&refused).await;
    assert_eq!(admin.read("/api/status").await["status"], "healthy");
}

#[tokio::test]
async fn a_gateway_that_stops_says_so() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().stall_after_chunks(1)))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut caller = Connection::open(gateway.address).await;
    let answer = caller.begin(stream()).await;
    let look = async {
        eventually("it drains", async || {
            let status = admin.read("/api/status").await;
            (status["status"] == "draining").then_some(())
        })
        .await;
        drop((answer, caller));
    };
    tokio::join!(gateway.stop(), look);
}
