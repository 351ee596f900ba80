//! `GET /api/events`: what is told, to whom, until when; and that nobody waits for one who watches.

use std::time::{Duration, Instant};

use fake_upstream::{FakeKey, KeyFault, Rule, gemini};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::watcher::Watcher;
use crate::support::{Operator, TestGateway, eventually, request};

/// Many enough that nobody can follow who does not read.
const MANY: usize = 1_500;

#[tokio::test]
async fn figures_come_every_second_and_requests_as_they_end() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mut watcher = Watcher::open(&admin).await;
    let began = Instant::now();
    let (name, stats) = watcher.next().await.unwrap();
    assert_eq!(
        (name.as_str(), &stats["requests_last_minute"]),
        ("stats", &json!(0))
    );
    let answer = gateway.generate().await;
    let request = watcher.until("request", |_| true).await;
    assert_eq!(request["id"], answer.header("x-keymux-request-id"));
    let record = gateway.record_of(&answer).await;
    let listed = admin.read("/api/request_logs").await;
    assert_eq!(listed["items"][0], request, "{record:?}");
    for _ in 0..2 {
        watcher.until("stats", |_| true).await;
    }
    let passed = began.elapsed();
    assert!(
        (Duration::from_millis(1_500)..Duration::from_secs(6)).contains(&passed),
        "{passed:?}"
    );
    let stats = watcher
        .until("stats", |stats| stats["requests_last_minute"] == 1)
        .await;
    assert_eq!(
        (&stats["failed_last_minute"], &stats["in_flight"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(stats["keys"]["active"], 1);
}

#[tokio::test]
async fn keys_are_told_when_they_stand_differently() {
    let worn = FakeKey::new("AIza-key-2").fault(KeyFault::Leaked);
    let gateway = TestGateway::new()
        .upstream(
            gemini()
                .key(FakeKey::new("AIza-key-1"))
                .key(worn)
                .key(FakeKey::new("AIza-key-3")),
        )
        .keys(["AIza-key-1", "AIza-key-2", "AIza-key-3"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut watcher = Watcher::open(&admin).await;
    assert_eq!(gateway.generate().await.status, 200);
    // The first key has worked, and is "not valid" now; the second one is known to be leaked.
    gateway
        .upstream
        .set_key(FakeKey::new("AIza-key-1").fault(KeyFault::Invalid));
    assert_eq!(gateway.generate().await.status, 200);
    let (first, second) = (gateway.key(0).id.0, gateway.key(1).id.0);
    let told = watcher
        .until("key", |key| {
            key["id"] == first && key["status"] == "cooling"
        })
        .await;
    assert_eq!(told["reason"], "key_invalid");
    let mut again = Watcher::open(&admin).await;
    let told = watcher.until("key", |key| key["id"] == second).await;
    assert_eq!(
        (&told["status"], &told["reason"]),
        (&json!("invalid"), &json!("invalid"))
    );
    assert!(told["invalid_since"].is_string());
    let path = format!("/api/keys/{second}/reset");
    assert_eq!(admin.post(&path, json!({})).await.status, 200);
    for watcher in [&mut watcher, &mut again] {
        let is_back = |key: &Value| key["id"] == second && key["status"] == "active";
        let told = watcher.until("key", is_back).await;
        assert_eq!(told["invalid_since"], Value::Null);
    }
}

#[tokio::test]
async fn a_watcher_too_slow_for_all_is_told_how_many_it_has_lost() {
    let suspended = Rule::new().fixture("gemini/errors/403_consumer_suspended.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(suspended.times(1)))
        .keys((0..MANY).map(|number| format!("{{ key: AIza-key-{number:04}, project: one }}")))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut watcher = Watcher::open(&admin).await;
    watcher.until("stats", |_| true).await;
    // The project is suspended: all of its keys stand differently at one moment, more than are held for anybody.
    assert_eq!(gateway.generate().await.status, 503);
    let mut told = 0;
    let lost = loop {
        match watcher.next().await.unwrap() {
            (name, lost) if name == "lost" => break lost["events"].as_u64().unwrap(),
            (name, _) => told += u64::from(name == "key"),
        }
    };
    assert!(lost > 0, "{told}");
    while told + lost < MANY as u64 {
        watcher.until("key", |_| true).await;
        told += 1;
    }
    // It goes on.
    gateway.generate().await;
    watcher.until("request", |_| true).await;
}

#[tokio::test]
async fn a_watcher_who_does_not_read_holds_up_nobody() {
    let gateway = TestGateway::new()
        .setting("ip_limits.per_minute", "1000")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let silent = Watcher::open(&admin).await;
    let mut reader = Watcher::open(&admin).await;
    let wrong = [("x-goog-api-key", "sk-wrong")];
    for _ in 0..20 {
        let ask = || gateway.send(request("GET", "/v1beta/models", &wrong, ""));
        let answers = join_all((0..20).map(|_| ask())).await;
        assert!(answers.iter().all(|answer| answer.status == 401));
    }
    for _ in 0..400 {
        reader.until("request", |_| true).await;
    }
    drop(silent);
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn a_watch_ends_with_its_session() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let other = Operator::admin(&gateway).await;
    let (mut stays, ends) = (Watcher::open(&other).await, Watcher::open(&admin).await);
    let out = admin.post("/api/logout", json!({})).await;
    assert_eq!(out.status, 204);
    ends.end().await;
    stays.until("stats", |_| true).await;
    assert_eq!(admin.get("/api/events").await.status, 401);
}

#[tokio::test]
async fn a_watch_ends_when_keymux_stops_and_does_not_hold_it_up() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mut watchers = Vec::new();
    for _ in 0..3 {
        watchers.push(Watcher::open(&admin).await);
    }
    // One that has left, and one that has not read anything yet.
    drop(watchers.pop());
    let began = Instant::now();
    let watch = async {
        for watcher in watchers {
            watcher.end().await;
        }
    };
    tokio::join!(gateway.stop(), watch);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn requests_that_are_cut_short_are_told_too() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().stall_after_chunks(1)))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut watcher = Watcher::open(&admin).await;
    let mut caller = crate::support::Connection::open(gateway.address).await;
    let answer = caller.begin(crate::support::stream()).await;
    let busy = watcher
        .until("stats", |stats| stats["in_flight"] == 1)
        .await;
    assert_eq!(busy["requests_last_minute"], 0);
    drop((answer, caller));
    let request = watcher.until("request", |_| true).await;
    assert_eq!(request["error"], "client_gone");
    eventually("the key is free", async || {
        (gateway.key(0).cell.in_flight() == 0).then_some(())
    })
    .await;
}
