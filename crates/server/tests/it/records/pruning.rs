//! How much is kept: by age and by size, while requests go on; and what else goes when its time is over.

use std::sync::Mutex;
use std::time::Duration;

use domain::{Action, Ban, ClientDay, ClientId, Event, Nanodollars, RequestId, Secret, UnixMs};
use serde_json::{Value, json};
use store::{RecordBodies, StoredBody};

use super::past::{beside, charted, now, record, row_of, rows_in};
use crate::support::{Operator, TestGateway, eventually};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn body_of(id: RequestId, bytes: usize) -> RecordBodies {
    let body = StoredBody {
        bytes: vec![7; bytes],
        encoding: "gzip".to_owned(),
        original_len: bytes as u64,
        truncated: false,
    };
    RecordBodies {
        id,
        request: Some(body),
        response: None,
    }
}

#[tokio::test]
async fn what_is_older_than_the_retention_goes_with_its_bodies_and_charts_stay() {
    let gateway = TestGateway::new()
        .setting("logs.retention", "1h")
        .setting("logs.prune_interval", "1s")
        .start()
        .await;
    let store = gateway.running.store();
    let database = beside(&gateway).await;
    let mut old = row_of(2_500, now() - Duration::from_secs(2 * 3600));
    let fresh = record(now() - Duration::from_secs(1800), 1);
    let bodies: Vec<RecordBodies> = [&old[0], &old[2_499], &fresh]
        .map(|record| body_of(record.id, 10))
        .into();
    store.write_bodies(&bodies).await.unwrap();
    old.push(fresh.clone());
    store.write_records(&old).await.unwrap();
    eventually("the old ones are gone", async || {
        (rows_in(&database, "requests").await == 1).then_some(())
    })
    .await;
    assert_eq!(store.record(fresh.id).await.unwrap(), Some(fresh));
    assert_eq!(rows_in(&database, "request_bodies").await, 1);
    let admin = Operator::admin(&gateway).await;
    assert!((charted(&admin, "30d").await - 2_501.0).abs() < 1e-9);
}

#[tokio::test]
async fn the_file_stays_bounded_while_requests_go_on_and_the_newest_stay() {
    const MOST: u64 = 2 << 20;
    let gateway = TestGateway::new().start().await;
    let store = gateway.running.store();
    let end = now() - Duration::from_secs(60);
    let mut written = row_of(12_000, end);
    store.write_records(&written).await.unwrap();
    let bodies: Vec<RecordBodies> = written
        .iter()
        .step_by(100)
        .map(|record| body_of(record.id, 10_000))
        .collect();
    store.write_bodies(&bodies).await.unwrap();
    assert!(store.size_bytes().await.unwrap() > MOST);
    let admin = Operator::admin(&gateway).await;
    // Both are followed while keymux runs.
    admin.set("logs.max_size", json!("2MiB")).await;
    admin.set("logs.prune_interval", json!("1s")).await;
    let asked = Mutex::new(Vec::new());
    eventually("the database is small", async || {
        let answer = gateway.generate().await;
        asked.lock().unwrap().push(answer);
        (store.size_bytes().await.unwrap() <= MOST).then_some(())
    })
    .await;
    let asked = asked.into_inner().unwrap();
    let database = beside(&gateway).await;
    let newest = store.recent_records(20_000, None).await.unwrap();
    assert!(newest.len() > 1_000, "{} are left", newest.len());
    written.reverse();
    let old: Vec<_> = newest
        .iter()
        .filter(|record| record.id.time() <= end)
        .cloned()
        .collect();
    assert_eq!(old[..], written[..old.len()]);
    let oldest = old.last().unwrap().id;
    let orphans = bodies.iter().filter(|body| body.id < oldest);
    for body in orphans {
        assert_eq!(store.bodies(body.id).await.unwrap().request, None);
    }
    let left = bodies.iter().filter(|body| body.id >= oldest).count();
    assert_eq!(rows_in(&database, "request_bodies").await as usize, left);
    for answer in &asked {
        assert_eq!(answer.status, 200);
        gateway.record_of(answer).await;
    }
    let sum = 12_000.0 + asked.len() as f64;
    assert!((charted(&admin, "30d").await - sum).abs() < 1e-9);
}

#[tokio::test]
async fn what_is_over_goes_and_what_holds_stays() {
    let gateway = TestGateway::new()
        .setting("logs.prune_interval", "1s")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let store = gateway.running.store();
    let database = beside(&gateway).await;
    let now = now();
    let user = store.user("admin").await.unwrap().unwrap();
    let (then, later) = (now - DAY, now + DAY);
    for (token, end) in [("over", now - Duration::from_secs(1)), ("holds", later)] {
        let token = Secret::new(token);
        assert!(
            store
                .create_session(&token, &user, then, end)
                .await
                .unwrap()
        );
    }
    let change = store.change().await.unwrap();
    for (address, until) in [
        ("203.0.113.1", Some(then)),
        ("203.0.113.2", Some(later)),
        ("203.0.113.3", None),
    ] {
        change.ban(&ban(address, then, until)).await.unwrap();
    }
    change.publish().await.unwrap();
    let soon = now + Duration::from_secs(2);
    let soon = jiff::Timestamp::from_millisecond(soon.0)
        .unwrap()
        .to_string();
    let made = admin
        .post("/api/bans", json!({"ip": "203.0.113.4", "until": soon}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let event = event("of old");
    store
        .log(std::slice::from_ref(&event), now - DAY * 401)
        .await
        .unwrap();
    store.log(&[event], now - DAY * 399).await.unwrap();
    let today = (now.0 / DAY.as_millis() as i64) as i32;
    let days = [today - 401, today - 399, today].map(|day| ClientDay {
        client: ClientId(901),
        day,
        requests: 1,
        tokens: 1,
        cost: Nanodollars(1),
    });
    store.save_client_days(&days).await.unwrap();
    eventually("what is over is gone", async || {
        let bans = store.load_bans().await.unwrap();
        let banned: Vec<&str> = bans.iter().map(|ban| ban.address.as_str()).collect();
        let of_old = "activity WHERE details = 'of old'";
        let is_left = banned == ["203.0.113.2", "203.0.113.3"]
            && rows_in(&database, "sessions").await == 2
            && rows_in(&database, of_old).await == 1
            && rows_in(&database, "client_days WHERE client_id = 901").await == 2;
        is_left.then_some(())
    })
    .await;
    let bans = admin.read("/api/bans").await;
    let listed: Vec<&Value> = bans["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ban| &ban["ip"])
        .collect();
    assert_eq!(listed, ["203.0.113.2", "203.0.113.3"]);
}

fn ban(address: &str, created_at: UnixMs, until: Option<UnixMs>) -> Ban {
    Ban {
        address: address.to_owned(),
        reason: "scraping".to_owned(),
        created_by: None,
        requests: None,
        created_at,
        until,
    }
}

fn event(details: &str) -> Event {
    Event {
        actor: "keymux".to_owned(),
        owner: None,
        action: Action::Update,
        resource: "settings",
        resource_id: None,
        provider: None,
        details: details.to_owned(),
    }
}
