//! Bulk calls that take long: they go on as jobs, tell how far they are, and can be cancelled.

use std::time::Duration;

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};
use serde_json::{Value, json};

use crate::support::{Operator, TestGateway, eventually};

async fn add(admin: &Operator, count: usize) {
    let keys: Vec<String> = (0..count)
        .map(|n| format!("AIza-of-a-job-{n:05}"))
        .collect();
    let body = json!({"provider": "google", "keys": keys});
    admin.post("/api/keys/bulk_add", body).await.expect(200);
}

/// The path of the job that a bulk call has become.
async fn begin(admin: &Operator, deed: &str, body: Value) -> String {
    let job = admin
        .post(&format!("/api/keys/{deed}"), body)
        .await
        .expect(202)
        .json();
    assert_eq!(job["kind"], deed);
    assert!(
        ["queued", "running"].contains(&job["state"].as_str().unwrap()),
        "{job}"
    );
    format!("/api/jobs/{}", job["id"])
}

async fn ended(admin: &Operator, job: &str) -> Value {
    eventually("the job ends", async || {
        let job = admin.get(job).await.expect(200).json();
        assert!(job["done"].as_u64() <= job["total"].as_u64(), "{job}");
        job["ended_at"].is_string().then_some(job)
    })
    .await
}

#[tokio::test]
async fn many_keys_are_changed_by_a_job() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    add(&admin, 1_200).await;
    let change = json!({"filter": {}, "set": {"label": "by a job"}});
    let path = begin(&admin, "bulk_update", change).await;
    let job = ended(&admin, &path).await;
    assert_eq!(
        (&job["state"], &job["done"], &job["total"]),
        (&json!("done"), &json!(1_201), &json!(1_201))
    );
    assert_eq!(job["result"], json!({"done": 1_200, "skipped": 1}));
    let page = admin.get("/api/keys?label=by+a+job&limit=1").await.json();
    assert_eq!(page["total"], 1_200);
    let path = begin(
        &admin,
        "bulk_delete",
        json!({"filter": {"source": "admin"}}),
    )
    .await;
    assert_eq!(
        ended(&admin, &path).await["result"],
        json!({"done": 1_200, "skipped": 0})
    );
    assert_eq!(gateway.running.keys("google").len(), 1);
    let jobs = admin.rows("/api/jobs").await;
    let kinds: Vec<_> = jobs
        .iter()
        .map(|job| job["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["bulk_delete", "bulk_update"]);
    let lines = admin
        .rows("/api/activity_logs?resource=keys&action=DELETE")
        .await;
    assert_eq!(lines.len(), 5, "one line for each step: {lines:?}");
}

#[tokio::test]
async fn what_a_cancelled_job_has_done_stays_done() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    add(&admin, 4_000).await;
    let path = begin(&admin, "bulk_delete", json!({"filter": {}})).await;
    eventually("the job has begun", async || {
        let job = admin.get(&path).await.json();
        (job["done"].as_u64() > Some(0)).then_some(())
    })
    .await;
    admin.delete(&path).await.expect(204);
    let job = ended(&admin, &path).await;
    assert_eq!(job["state"], "cancelled", "{job}");
    let done = job["result"]["done"].as_u64().unwrap() as usize;
    assert!(0 < done && done < 4_000, "{job}");
    assert_eq!(gateway.running.keys("google").len(), 4_001 - done);
    let page = admin.get("/api/keys?limit=1").await.json();
    assert_eq!(page["total"], 4_001 - done);
    let lines = admin
        .rows("/api/activity_logs?resource=jobs&action=CANCEL")
        .await;
    assert_eq!(lines.len(), 1);
    admin.delete(&path).await.expect(204);
    let lines = admin
        .rows("/api/activity_logs?resource=jobs&action=CANCEL")
        .await;
    assert_eq!(lines.len(), 1, "it had ended");
}

#[tokio::test]
async fn a_test_of_many_keys_is_a_job_and_takes_bad_ones_out() {
    let bad = "AIza-of-a-job-00003";
    let upstream = gemini().key(FakeKey::new(bad).fault(KeyFault::Leaked));
    let gateway = TestGateway::new().upstream(upstream).start().await;
    let admin = Operator::admin(&gateway).await;
    add(&admin, 30).await;
    // Keys that are not listed are refused once one is.
    for n in (0..30).filter(|&n| n != 3) {
        gateway
            .upstream
            .set_key(FakeKey::new(&format!("AIza-of-a-job-{n:05}")));
    }
    gateway.upstream.set_key(FakeKey::new("AIza-key-1"));
    let path = begin(&admin, "bulk_test", json!({"filter": {}})).await;
    let job = ended(&admin, &path).await;
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(31)));
    assert_eq!(job["result"], json!({"works": 30, "failed": 1}));
    let invalid = admin.rows("/api/keys?status=invalid").await;
    assert_eq!(invalid.len(), 1);
    assert_eq!(
        (&invalid[0]["id"], &invalid[0]["reason"]),
        (&json!(5), &json!("invalid"))
    );
}

#[tokio::test]
async fn a_test_that_waits_for_the_provider_is_cancelled_at_once() {
    let slow = Rule::new()
        .path_contains("models")
        .delay_head(Duration::from_secs(5));
    let gateway = TestGateway::new()
        .upstream(gemini().rule(slow))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    add(&admin, 100).await;
    let path = begin(&admin, "bulk_test", json!({"filter": {}})).await;
    admin.delete(&path).await.expect(204);
    let job = ended(&admin, &path).await;
    assert_eq!(
        (&job["state"], &job["done"]),
        (&json!("cancelled"), &json!(0))
    );
    gateway.upstream.remove_rules();
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn members_see_and_cancel_their_own_jobs_only() {
    let slow = Rule::new()
        .path_contains("models")
        .delay_head(Duration::from_secs(5));
    let gateway = TestGateway::new()
        .upstream(gemini().rule(slow))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    let bo = admin.make_member("bo").await;
    mei.add_key("AIza-of-mei-0001").await;
    let own = begin(&mei, "bulk_test", json!({"filter": {}})).await;
    let admins = begin(&admin, "bulk_test", json!({"filter": {}})).await;
    assert_eq!(mei.get(&own).await.expect(200).json()["total"], 1);
    for (who, job) in [(&bo, &own), (&mei, &admins)] {
        who.get(job).await.refused(404, "not_found");
        who.delete(job).await.refused(404, "not_found");
    }
    assert_eq!(bo.rows("/api/jobs").await.len(), 0);
    assert_eq!(mei.rows("/api/jobs").await.len(), 1);
    assert_eq!(admin.rows("/api/jobs").await.len(), 2);
    mei.delete(&own).await.expect(204);
    admin.delete(&admins).await.expect(204);
}
