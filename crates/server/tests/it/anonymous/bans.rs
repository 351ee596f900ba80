//! Bans that keymux makes: when, for how long, where they are shown, and what they outlive.

use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::{HERE, HOUR, MINUTE, SECOND, THERE, generate_from, limited};
use crate::records::{Watcher, beside};
use crate::support::{Connection, Operator, TestGateway, eventually, on_postgres};

/// The bans that are listed, once there are so many.
async fn listed(admin: &Operator, count: usize) -> Vec<Value> {
    eventually("bans are listed", async || {
        let rows = admin.rows("/api/bans").await;
        (rows.len() == count).then_some(rows)
    })
    .await
}

/// Waits until the store has so many bans.
async fn stored(gateway: &TestGateway, count: usize) {
    eventually("bans are stored", async || {
        let bans = gateway.running.store().load_bans().await.unwrap();
        (bans.len() == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn too_many_requests_in_an_hour_are_a_ban_that_everybody_in_charge_sees() {
    let gateway = limited(2, 5).start().await;
    let admin = Operator::admin(&gateway).await;
    let mut watcher = Watcher::open(&admin).await;
    let statuses = gateway.statuses(HERE, 7).await;
    assert_eq!(statuses, [200, 200, 429, 429, 429, 403, 403]);
    assert_eq!(gateway.ask_from(THERE).await.status, 200);
    let row = listed(&admin, 1).await.remove(0);
    let told = watcher.until("ban", |_| true).await;
    assert_eq!(told, row);
    stored(&gateway, 1).await;
    for (field, expected) in [
        ("ip", json!(HERE)),
        ("network", json!("203.0.113.9/32")),
        ("reason", json!("6 requests in an hour")),
        ("requests", json!(6)),
        ("created_by", json!("keymux")),
        ("until", Value::Null),
    ] {
        assert_eq!(row[field], expected, "{field}");
    }
    let lines = admin.rows("/api/activity_logs?action=BAN").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["actor"], &lines[0]["resource_id"]),
        (&json!("keymux"), &json!(HERE))
    );
    for (metric, expected) in [
        ("keymux_bans_total", 1),
        ("keymux_bans ", 1),
        ("keymux_ip_limited_total{reason=\"too_many\"}", 3),
        ("keymux_ip_limited_total{reason=\"banned\"}", 2),
    ] {
        assert_eq!(gateway.metric(metric).await, expected, "{metric}");
    }
}

#[tokio::test]
async fn a_ban_lifts_when_asked_and_the_count_begins_anew() {
    let gateway = limited(100, 3).start().await;
    let admin = Operator::admin(&gateway).await;
    let mut watcher = Watcher::open(&admin).await;
    for _ in 0..2 {
        assert_eq!(gateway.statuses(HERE, 5).await, [200, 200, 200, 403, 403]);
        admin.delete("/api/bans/203.0.113.9").await.expect(204);
        watcher.until("unban", |told| told["ip"] == HERE).await;
    }
    assert_eq!(gateway.ask_from(HERE).await.status, 200);
    assert_eq!(admin.rows("/api/bans").await.len(), 0);
    let again = admin.delete("/api/bans/203.0.113.9").await;
    again.refused(404, "not_found");
}

#[tokio::test]
async fn a_ban_ends_at_its_time_and_the_count_begins_anew() {
    let gateway = limited(100, 3)
        .setting("ip_limits.ban_for", "90m")
        .setting("logs.prune_interval", "1s")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(gateway.statuses(HERE, 4).await, [200, 200, 200, 403]);
    let row = listed(&admin, 1).await.remove(0);
    let instant = |field: &str| row[field].as_str().unwrap().parse::<jiff::Timestamp>();
    let lasts = instant("until").unwrap() - instant("created_at").unwrap();
    assert_eq!(lasts.total(jiff::Unit::Minute).unwrap().round() as i64, 90);
    gateway.running.skip(89 * MINUTE + 30 * SECOND);
    let banned = gateway.ask_from(HERE).await;
    let wait: u64 = banned.header("retry-after").parse().unwrap();
    assert_eq!(banned.status, 403);
    assert!((1..=30).contains(&wait), "{wait}");
    gateway.running.skip(30 * SECOND);
    assert_eq!(gateway.statuses(HERE, 4).await, [200, 200, 200, 403]);
    gateway.running.skip(2 * HOUR);
    assert_eq!(admin.rows("/api/bans").await.len(), 0);
    stored(&gateway, 0).await;
}

#[tokio::test]
async fn requests_of_more_than_an_hour_are_no_ban() {
    let gateway = limited(100, 3).start().await;
    for _ in 0..12 {
        assert_eq!(gateway.ask_from(HERE).await.status, 200);
        gateway.running.skip(20 * MINUTE);
    }
}

#[tokio::test]
async fn a_ban_outlives_a_restart_that_follows_at_once() {
    let gateway = limited(100, 1).start().await;
    assert_eq!(gateway.statuses(HERE, 2).await, [200, 403]);
    let gateway = gateway.restart().await;
    assert_eq!(gateway.ask_from(HERE).await.status, 403);
    assert_eq!(gateway.ask_from(THERE).await.status, 200);
    assert_eq!(gateway.metric("keymux_bans ").await, 1);
}

#[tokio::test]
async fn a_ban_outlives_a_crash_once_it_is_stored() {
    let gateway = limited(100, 1).start().await;
    assert_eq!(gateway.statuses(HERE, 2).await, [200, 403]);
    stored(&gateway, 1).await;
    let gateway = gateway.crash().await;
    assert_eq!(gateway.ask_from(HERE).await.status, 403);
}

#[tokio::test]
async fn a_ban_holds_while_the_database_cannot_be_written_and_is_stored_later() {
    let gateway = limited(100, 1).start().await;
    let admin = Operator::admin(&gateway).await;
    let other = beside(&gateway).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(gateway.statuses(HERE, 4).await, [200, 403, 403, 403]);
    assert_eq!(gateway.ask_from(THERE).await.status, 200);
    assert_eq!(admin.rows("/api/bans").await[0]["ip"], HERE);
    stored(&gateway, 0).await;
    other.execute_unprepared("ROLLBACK").await.unwrap();
    stored(&gateway, 1).await;
    assert_eq!(gateway.ask_from(HERE).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_race_are_banned_once_and_none_gets_in_afterwards() {
    const CALLERS: usize = 200;
    // Whoever is counted in just before the ban is refused all the same if the ban comes first: one a thread, at most.
    const LET_IN: std::ops::RangeInclusive<usize> = 48..=50;
    let gateway = limited(1_000, 50).start().await;
    let admin = Operator::admin(&gateway).await;
    let mut connections = Vec::new();
    for _ in 0..CALLERS {
        connections.push(Connection::open(gateway.address).await);
    }
    let asked = connections
        .iter_mut()
        .map(async |caller| caller.send(generate_from(HERE, &[])).await.status);
    let statuses = join_all(asked).await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    let let_in = count(200);
    assert!(LET_IN.contains(&let_in), "{statuses:?}");
    assert_eq!(count(403), CALLERS - let_in, "{statuses:?}");
    assert_eq!(gateway.upstream.count(), let_in);
    assert_eq!(gateway.ask_from(HERE).await.status, 403);
    stored(&gateway, 1).await;
    let lines = admin.rows("/api/activity_logs?action=BAN").await;
    assert_eq!(lines.len(), 1);
    assert_eq!(gateway.metric("keymux_bans_total").await, 1);
}

#[tokio::test]
async fn a_network_of_ipv6_is_listed_and_lifted_as_one() {
    let gateway = limited(100, 1).start().await;
    let admin = Operator::admin(&gateway).await;
    let (one, other) = ("2001:db8:0:1::17", "2001:db8:0:1:ffff::1");
    assert_eq!(gateway.ask_from(one).await.status, 200);
    assert_eq!(gateway.ask_from(other).await.status, 403);
    assert_eq!(gateway.ask_from(one).await.status, 403);
    assert_eq!(gateway.ask_from("2001:db8:0:2::17").await.status, 200);
    let row = listed(&admin, 1).await.remove(0);
    assert_eq!(
        (&row["ip"], &row["network"]),
        (&json!("2001:db8:0:1::"), &json!("2001:db8:0:1::/64"))
    );
    let path = "/api/bans/2001:db8:0:1::%2F64";
    admin.delete(path).await.expect(204);
    assert_eq!(gateway.ask_from(one).await.status, 200);
}

#[tokio::test]
async fn a_ban_by_hand_is_not_shortened_by_one_of_keymux() {
    let gateway = limited(100, 1)
        .setting("ip_limits.ban_for", "1h")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let other = beside(&gateway).await;
    // keymux bans first, and cannot store it before the operator has banned for good.
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(gateway.statuses(HERE, 2).await, [200, 403]);
    let ban = json!({"ip": HERE, "reason": "scraping"});
    let (made, ()) = tokio::join!(admin.post("/api/bans", ban), async {
        other.execute_unprepared("ROLLBACK").await.unwrap();
    });
    made.expect(201);
    gateway.running.skip(2 * HOUR);
    assert_eq!(gateway.ask_from(HERE).await.status, 403);
    let row = listed(&admin, 1).await.remove(0);
    assert_eq!(
        (&row["reason"], &row["created_by"]),
        (&json!("scraping"), &json!("admin"))
    );
}

#[tokio::test]
async fn another_instance_follows_a_ban_and_its_end() {
    on_postgres(async |url| {
        let one = limited(100, 3).setting("database.url", url).start().await;
        let other = one.beside().await;
        assert_eq!(other.statuses(HERE, 3).await, [200, 200, 200]);
        assert_eq!(one.statuses(HERE, 4).await, [200, 200, 200, 403]);
        let is = async |gateway: &TestGateway, status: u16| {
            eventually("the other instance follows", async || {
                (gateway.ask_from(HERE).await.status == status).then_some(())
            })
            .await;
        };
        // With its own count alone it would let in what it bans one request later.
        is(&other, 403).await;
        let admin = Operator::admin(&other).await;
        assert_eq!(admin.rows("/api/bans").await.len(), 1);
        admin.delete("/api/bans/203.0.113.9").await.expect(204);
        is(&one, 200).await;
        assert_eq!(other.statuses(HERE, 2).await, [200, 200]);
        one.stop().await;
        other.stop().await;
    })
    .await;
}
