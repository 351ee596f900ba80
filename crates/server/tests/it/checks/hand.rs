//! Checks by hand are checks like any other: the same calls, the same results, one limit for all of them.

use std::time::Duration;

use fake_upstream::{FakeUpstream, gemini};
use serde_json::{Value, json};

use super::{LISTED, OK, answer, checks, count};
use crate::support::{Operator, TestGateway, eventually};

async fn test(admin: &Operator, body: Value) -> Value {
    let tested = admin.post("/api/keys/1/test", body).await;
    tested.expect(200).json()
}

/// Keys are followed within a second of the start.
async fn are_known(admin: &Operator) {
    eventually("keys are known", async || {
        let rows = admin.rows("/api/keys/1/checks").await;
        (rows.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_test_is_made_with_the_listed_model_or_another_one() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    are_known(&admin).await;
    let bare = admin.send("POST", "/api/keys/1/test", None).await;
    let bare = bare.expect(200).json();
    assert_eq!(
        (&bare["model"], &bare["works"]),
        (&json!(LISTED), &json!(true))
    );
    assert_eq!(bare["status"], 200);
    let other = test(&admin, json!({"model": "gemini-2.5-pro"})).await;
    assert_eq!(other["model"], "gemini-2.5-pro");
    assert_eq!(count(&gateway.upstream, "gemini-2.5-pro:countTokens"), 1);
    let missing = test(&admin, json!({"model": "none"})).await;
    assert_eq!(
        (&missing["works"], &missing["class"]),
        (&json!(false), &json!("model_unavailable"))
    );
    assert_eq!(gateway.health(0), "active");
    for wrong in ["../x", "a\nb", &"x".repeat(257)] {
        let refused = admin
            .post("/api/keys/1/test", json!({"model": wrong}))
            .await;
        assert_eq!(refused.refused(422, "invalid"), "model");
    }
    let refused = admin.post("/api/keys/1/test", json!({"modell": "x"})).await;
    refused.refused(422, "invalid");
}

#[tokio::test]
async fn its_result_is_kept_where_those_of_the_background_are() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    are_known(&admin).await;
    test(&admin, json!({})).await;
    let rows = admin.rows("/api/keys/1/checks").await;
    assert_eq!(
        (&rows[0]["model"], &rows[0]["reason"]),
        (&json!(LISTED), &json!("ok"))
    );
    let gateway = gateway.restart().await;
    let admin = Operator::admin(&gateway).await;
    eventually("it is known again", async || {
        let after = admin.rows("/api/keys/1/checks").await;
        (after == rows).then_some(())
    })
    .await;
}

/// Checks that wait for the provider.
fn under_way(upstream: &FakeUpstream) -> usize {
    let seen = upstream.seen();
    seen.iter().filter(|seen| !seen.finished).count()
}

#[tokio::test]
async fn jobs_and_the_background_share_one_limit() {
    let slow = answer(200, OK).delay_head(Duration::from_millis(150));
    let gateway = TestGateway::new()
        .upstream(gemini().rule(slow))
        .keys((1..=12).map(|number| format!("AIza-key-{number:02}")))
        .checking_keys()
        .setting("health_checks.concurrency", "2")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    for _ in 0..2 {
        let job = admin
            .post("/api/keys/bulk_test", json!({"filter": {}}))
            .await;
        job.expect(202);
    }
    eventually("both jobs are done", async || {
        assert!(under_way(&gateway.upstream) <= 2);
        let jobs = admin.rows("/api/jobs").await;
        jobs.iter().all(|job| job["state"] == "done").then_some(())
    })
    .await;
    assert!(checks(&gateway.upstream) >= 24);
    let jobs = admin.rows("/api/jobs").await;
    for job in jobs {
        assert_eq!(job["result"], json!({"works": 12, "failed": 0}));
    }
}

#[tokio::test]
async fn a_bulk_test_takes_a_model() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let body = json!({"filter": {}, "model": "gemini-2.5-pro"});
    admin.post("/api/keys/bulk_test", body).await.expect(202);
    eventually("the model is asked for", async || {
        (count(&gateway.upstream, "gemini-2.5-pro:countTokens") == 1).then_some(())
    })
    .await;
    let wrong = json!({"filter": {}, "model": "a/../b"});
    let refused = admin.post("/api/keys/bulk_test", wrong).await;
    assert_eq!(refused.refused(422, "invalid"), "model");
}
