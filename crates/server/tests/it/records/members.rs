//! What members see: what their own client keys asked, and nothing else, wherever it is shown.

use std::time::Duration;

use domain::{Class, ClientId, RequestRecord, Usage};
use serde_json::{Value, json};

use super::past::{now, number_of, numbers, record};
use super::watcher::Watcher;
use crate::support::{CLIENT_KEY, ClientKey, Operator, TestGateway, eventually};

/// A member with a client key of their own.
struct Member {
    operator: Operator,
    client: i64,
    secret: String,
}

async fn member(admin: &Operator, name: &str) -> Member {
    let operator = admin.make_member(name).await;
    let ClientKey { id, secret } = admin.make_client_of(name).await;
    Member {
        operator,
        client: id,
        secret,
    }
}

/// Mei's requests are 1 to 3, Jon's are 4 and 5, nobody's is 6.
async fn write_six(gateway: &TestGateway, mei: i64, jon: i64) {
    let began = now() - Duration::from_secs(120);
    let of = |client: Option<i64>, number: u16| RequestRecord {
        client: client.map(ClientId),
        usage: Some(Usage {
            prompt: 1,
            output: 9,
            total: 10,
            ..Usage::default()
        }),
        ..record(began, number)
    };
    let mut six = [
        of(Some(mei), 1),
        of(Some(mei), 2),
        of(Some(mei), 3),
        of(Some(jon), 4),
        of(Some(jon), 5),
        of(None, 6),
    ];
    six[1].model = Some("gemini-other".into());
    (six[2].provider, six[2].status) = (Some("xai".into()), 503);
    six[2].error = Some(Class::Overloaded);
    gateway.running.store().write_records(&six).await.unwrap();
}

#[tokio::test]
async fn lists_details_and_files_hold_their_own_requests_only() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let (mei, jon) = (member(&admin, "mei").await, member(&admin, "jon").await);
    let idle = admin.make_member("idle").await;
    write_six(&gateway, mei.client, jon.client).await;
    let list = async |who: &Operator, query: &str| {
        numbers(&who.read(&format!("/api/request_logs?{query}")).await)
    };
    assert_eq!(list(&admin, "").await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(list(&mei.operator, "").await, [3, 2, 1]);
    assert_eq!(list(&jon.operator, "").await, [5, 4]);
    assert!(list(&idle, "").await.is_empty());
    let of_jon = format!("client={}", jon.client);
    assert!(list(&mei.operator, &of_jon).await.is_empty());
    assert_eq!(list(&jon.operator, &of_jon).await, [5, 4]);
    assert_eq!(list(&mei.operator, "status=5xx").await, [3]);
    assert_eq!(list(&mei.operator, "q=past").await, [3, 1]);
    assert_eq!(list(&mei.operator, "limit=2").await, [3, 2]);
    let page = admin.read("/api/request_logs").await;
    for row in page["items"].as_array().unwrap() {
        let path = format!("/api/request_logs/{}", row["id"].as_str().unwrap());
        let number = number_of(&row["id"]);
        let expected = if number <= 3 { 200 } else { 404 };
        assert_eq!(mei.operator.get(&path).await.status, expected, "{number}");
        assert_eq!(idle.get(&path).await.status, 404, "{number}");
        assert_eq!(admin.get(&path).await.status, 200, "{number}");
    }
    let file = mei
        .operator
        .get("/api/request_logs?format=jsonl")
        .await
        .text();
    let rows: Vec<Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 3, "{file}");
    assert!(rows.iter().all(|row| row["client"] == "mei-app"), "{file}");
    assert_eq!(idle.get("/api/request_logs?format=jsonl").await.text(), "");
}

#[tokio::test]
async fn figures_are_of_their_own_requests_only() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let (mei, jon) = (member(&admin, "mei").await, member(&admin, "jon").await);
    let idle = admin.make_member("idle").await;
    write_six(&gateway, mei.client, jon.client).await;
    for (who, requests, tokens) in [(&admin, 6, 60), (&mei.operator, 3, 30), (&idle, 0, 0)] {
        let status = who.read("/api/status").await;
        assert_eq!(status["requests"]["last_24h"], requests);
        assert_eq!(status["requests"]["last_hour"], requests);
        assert_eq!(status["requests"]["tokens_24h"], tokens);
        assert_eq!(status["status"], "healthy", "{status}");
    }
    let check = async |who: &Operator, group_by: &str, expected: &[(&str, f64)]| {
        let path = format!("/api/stats/timeseries?range=15m&group_by={group_by}");
        let path = path.replace("&group_by=&", "&");
        let series = who.read(path.trim_end_matches("&group_by=")).await;
        let lines = series["lines"].as_array().unwrap().iter();
        let sums: Vec<(String, f64)> = lines
            .map(|line| {
                let points = line["points"].as_array().unwrap().iter();
                let sum = points.map(|point| point["value"].as_f64().unwrap()).sum();
                (line["group"].as_str().unwrap().to_owned(), sum)
            })
            .collect();
        let expected: Vec<(String, f64)> = expected
            .iter()
            .map(|(name, sum)| ((*name).to_owned(), *sum))
            .collect();
        assert_eq!(sums, expected, "{group_by}");
    };
    check(&mei.operator, "", &[("", 3.0)]).await;
    check(&idle, "", &[("", 0.0)]).await;
    let name = format!("mei-app ({})", mei.client);
    check(&mei.operator, "client", &[(&name, 3.0)]).await;
    check(&mei.operator, "provider", &[("google", 2.0), ("xai", 1.0)]).await;
    let models = [
        ("google/gemini-other", 1.0),
        ("google/gemini-past", 1.0),
        ("xai/gemini-past", 1.0),
    ];
    check(&mei.operator, "model", &models).await;
    check(&idle, "model", &[]).await;
    let of_jon = |group_by: &str| format!("{group_by}&client={}", jon.client);
    check(&mei.operator, &of_jon(""), &[("", 0.0)]).await;
    check(&mei.operator, &of_jon("client"), &[]).await;
    check(&mei.operator, &of_jon("model"), &[]).await;
    check(&jon.operator, &of_jon(""), &[("", 2.0)]).await;
    for group_by in ["outcome", "key"] {
        let path = format!("/api/stats/timeseries?group_by={group_by}");
        assert_eq!(
            mei.operator.get(&path).await.refused(422, "invalid"),
            "group_by"
        );
    }
}

#[tokio::test]
async fn events_are_of_their_own_requests_and_keys_only() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let (mei, jon) = (member(&admin, "mei").await, member(&admin, "jon").await);
    let mut watcher = Watcher::open(&mei.operator).await;
    let mut all = Watcher::open(&admin).await;
    for secret in [
        CLIENT_KEY,
        &jon.secret,
        &mei.secret,
        &jon.secret,
        &mei.secret,
    ] {
        gateway.generate_as(secret).await.expect(200);
    }
    // The shared key has answered for the first time; that is not Mei's to see.
    all.until("key", |_| true).await;
    let (mut seen, mut stats) = (Vec::new(), Value::Null);
    while stats["requests_last_minute"] != 2 {
        let (name, event) = watcher.next().await.unwrap();
        match name.as_str() {
            "request" => seen.push(event["client"].clone()),
            "stats" => stats = event,
            _ => panic!("{name} {event}"),
        }
    }
    assert_eq!(seen, ["mei-app", "mei-app"]);
    assert_eq!(stats["keys"]["total"], 0, "{stats}");
    // All five are the administrator's to see.
    eventually("they are counted", async || {
        let standing = admin.read("/api/status").await;
        (standing["requests"]["last_minute"] == 5).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_is_no_administrator_any_more_watches_as_a_member_from_then_on() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    let users = admin.read("/api/users").await;
    let found = users["items"].as_array().unwrap().iter();
    let id = found
        .clone()
        .find(|user| user["username"] == "mei")
        .unwrap()["id"]
        .clone();
    let path = format!("/api/users/{id}");
    let promoted = admin.patch(&path, json!({"role": "admin"})).await;
    assert_eq!(promoted.status, 200, "{}", promoted.text());
    let mut watcher = Watcher::open(&mei).await;
    watcher
        .until("stats", |stats| stats["keys"]["total"] == 1)
        .await;
    let demoted = admin.patch(&path, json!({"role": "member"})).await;
    assert_eq!(demoted.status, 200, "{}", demoted.text());
    watcher
        .until("stats", |stats| stats["keys"]["total"] == 0)
        .await;
}
