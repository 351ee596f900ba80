//! Provider keys one by one: added, looked at, changed and deleted, by administrators and by members.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Operator, TestGateway, generate};

const KEY: &str = "AIza-added-by-hand-0001";

fn new_key(key: &str) -> Value {
    json!({"provider": "google", "key": key})
}

#[tokio::test]
async fn a_key_is_added_changed_and_deleted() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let body = json!({"provider": "google", "key": KEY, "label": " billing ", "project": "team-a",
        "weight": 2, "priority": -3});
    let made = admin.post("/api/keys", body).await.expect(201).json();
    for (field, value) in [
        ("provider", json!("google")),
        ("label", json!("billing")),
        ("project", json!("team-a")),
        ("weight", json!(2)),
        ("priority", json!(-3)),
        ("enabled", json!(true)),
        ("status", json!("active")),
        ("source", json!("admin")),
        ("owner", Value::Null),
        ("masked_key", json!("AIza…0001")),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let path = format!("/api/keys/{}", made["id"]);
    let detail = admin.get(&path).await.expect(200).json();
    assert_eq!(detail["key"], KEY);
    assert_eq!(detail["id"], made["id"]);
    let wanted = json!({"label": null, "weight": 7, "enabled": false});
    let changed = admin.patch(&path, wanted).await.expect(200).json();
    assert_eq!(
        (&changed["label"], &changed["weight"]),
        (&Value::Null, &json!(7))
    );
    assert_eq!(
        (&changed["project"], &changed["status"]),
        (&json!("team-a"), &json!("disabled"))
    );
    admin.delete(&path).await.expect(204);
    for answer in [admin.get(&path).await, admin.delete(&path).await] {
        answer.refused(404, "not_found");
    }
    admin
        .patch(&path, json!({"weight": 1}))
        .await
        .refused(404, "not_found");
    for deed in ["reset", "test"] {
        let answer = admin.send("POST", &format!("{path}/{deed}"), None).await;
        answer.refused(404, "not_found");
    }
}

#[tokio::test]
async fn the_same_key_is_taken_once() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    admin.add_key(KEY).await;
    for again in [KEY, &format!("  {KEY}\n"), "AIza-key-1"] {
        let answer = admin.post("/api/keys", new_key(again)).await;
        assert_eq!(answer.refused(409, "duplicate"), "key");
    }
    assert_eq!(gateway.running.keys("google").len(), 2);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let id = admin.add_key(KEY).await;
    let path = format!("/api/keys/{id}");
    for (field, value) in [
        ("label", json!("x".repeat(101))),
        ("label", json!("a\u{7}b")),
        ("project", json!("x".repeat(101))),
        ("weight", json!(0)),
        ("weight", json!(101)),
        ("weight", json!(-1)),
        ("weight", json!(1.5)),
        ("weight", json!("1")),
        ("priority", json!(1001)),
        ("priority", json!(40_000)),
        ("enabled", json!("yes")),
        ("keys", json!(1)),
    ] {
        let answer = admin.patch(&path, json!({field: value})).await;
        assert_eq!(answer.refused(422, "invalid"), field);
    }
    for (body, field) in [
        (new_key("short"), "key"),
        (new_key("with blank inside"), "key"),
        (new_key(&"x".repeat(513)), "key"),
        (new_key("schlüssel-0001"), "key"),
        (json!({"provider": "gogle", "key": KEY}), "provider"),
        (
            json!({"provider": "google", "key": "AIza-another", "owner": "nobody"}),
            "owner",
        ),
        (json!({"provider": "google"}), "key"),
        (json!([]), "."),
    ] {
        let answer = admin.post("/api/keys", body).await;
        assert_eq!(answer.refused(422, "invalid"), field, "{}", answer.text());
    }
    assert_eq!(gateway.running.keys("google").len(), 2);
}

#[tokio::test]
async fn ids_that_cannot_be_are_not_found() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for id in [
        "0",
        "-1",
        "x",
        "1.0",
        "9223372036854775808",
        "%00",
        "1%2F2",
        "%ff",
    ] {
        admin
            .get(&format!("/api/keys/{id}"))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn what_the_configuration_states_is_only_switched() {
    let gateway = TestGateway::new()
        .keys(["AIza-key-1", "AIza-key-2"])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let path = "/api/keys/1";
    admin
        .patch(path, json!({"weight": 5}))
        .await
        .refused(409, "fixed");
    admin.delete(path).await.refused(409, "fixed");
    admin
        .patch(path, json!({"enabled": false}))
        .await
        .expect(200);
    for _ in 0..4 {
        gateway.send(generate()).await.expect(200);
    }
    assert_eq!(gateway.upstream.count_for_key("AIza-key-1"), 0);
    let gateway = gateway.restart().await;
    let admin = Operator::admin(&gateway).await;
    let rows = admin.rows("/api/keys?status=disabled").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
}

#[tokio::test]
async fn members_see_and_change_their_own_only() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    let bo = admin.make_member("bo").await;
    let own = mei.add_key(KEY).await;
    let pools = admin.add_key("AIza-of-the-pool-01").await;
    let given = json!({"provider": "google", "key": "AIza-given-to-mei-1", "owner": "mei"});
    admin.post("/api/keys", given).await.expect(201);
    let rows = mei.rows("/api/keys").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["owner"] == "mei"), "{rows:?}");
    assert_eq!(bo.rows("/api/keys").await.len(), 0);
    for others in ["bo", "admin", "nobody"] {
        let asked = mei.get(&format!("/api/keys?owner={others}")).await;
        assert_eq!(asked.refused(422, "invalid"), "owner");
        let body = json!({"provider": "google", "key": "AIza-for-others", "owner": others});
        let status = mei.post("/api/keys", body).await.status;
        assert!([403, 422].contains(&status), "{others}: {status}");
    }
    assert_eq!(mei.rows(&format!("/api/keys?q={pools}")).await.len(), 0);
    for id in [own, pools] {
        let path = format!("/api/keys/{id}");
        bo.patch(&path, json!({"enabled": false}))
            .await
            .refused(404, "not_found");
        bo.delete(&path).await.refused(404, "not_found");
        for deed in ["reset", "test"] {
            let answer = bo.send("POST", &format!("{path}/{deed}"), None).await;
            answer.refused(404, "not_found");
        }
        mei.get(&path).await.refused(403, "forbidden");
    }
    mei.patch(&format!("/api/keys/{own}"), json!({"enabled": false}))
        .await
        .expect(200);
    mei.delete(&format!("/api/keys/{own}")).await.expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_one_key_at_the_same_time_end_as_the_store_has_it() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let id = admin.add_key(KEY).await;
    let path = format!("/api/keys/{id}");
    for round in 0..40 {
        let change = |weight: usize| admin.patch(&path, json!({"weight": weight}));
        let weights = (1..=8).map(|n| (round * 8 + n) % 100 + 1);
        let changes: Vec<_> = weights.map(change).collect();
        join_all(changes).await;
        let stored = gateway.running.store().load_keys().await.unwrap();
        let (stored, _) = stored.into_iter().find(|(key, _)| key.id.0 == id).unwrap();
        let used = gateway.key(1).cell.key.weight;
        assert_eq!(used, stored.weight, "round {round}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_told_apart_from_what_is_wrong() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let bearer = format!("Bearer {}", admin.token);
    for (kind, body, status, code) in [
        ("application/json", "", 400, "bad_json"),
        ("application/json", "{", 400, "bad_json"),
        (
            "application/json",
            r#"{"provider": "google", "key": "AIza-0001"} {}"#,
            400,
            "bad_json",
        ),
        ("application/json; charset=utf-8", "[]", 422, "invalid"),
        ("application/json", "null", 422, "invalid"),
        ("text/plain", "{}", 415, "not_json"),
        (
            "application/x-www-form-urlencoded",
            "key=x",
            415,
            "not_json",
        ),
        ("application/jsonl", "{}", 415, "not_json"),
    ] {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let request = crate::support::request("POST", "/api/keys", &headers, body);
        gateway.send(request).await.refused(status, code);
    }
    let deep = "[".repeat(200_000);
    let request = crate::support::request(
        "PUT",
        "/api/settings",
        &[("authorization", &bearer)],
        format!("{{\"retry.max_attempts\": {deep}"),
    );
    gateway.send(request).await.refused(400, "bad_json");
}

#[tokio::test]
async fn names_of_projects_that_are_keymux_s_own_are_refused() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for name in ["key:1", "user:2/mine"] {
        let key = json!({"provider": "google", "key": "AIza-some-key", "project": name});
        let answer = admin.post("/api/keys", key).await;
        assert_eq!(answer.refused(422, "invalid"), "project", "{name}");
    }
}

#[tokio::test]
async fn how_a_key_stands_is_shown_without_its_secret_and_to_members_too() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(gateway.generate().await.status, 200);
    let standing = admin.get("/api/keys/1/standing").await.expect(200);
    assert!(!standing.text().contains("AIza-key-1"));
    let standing = standing.json();
    assert_eq!(standing["status"], "active");
    let model = &standing["models"][0];
    assert_eq!(
        (&model["requests_today"], &model["cooling_until"]),
        (&json!(1), &json!(null))
    );
    // Nothing was revealed, so nothing is written down.
    assert!(
        admin
            .rows("/api/activity_logs?action=REVEAL")
            .await
            .is_empty()
    );

    let member = admin.make_member("mei").await;
    let own = member.add_key("AIza-of-mei-0001").await;
    let path = format!("/api/keys/{own}/standing");
    assert_eq!(member.read(&path).await["owner"], "mei");
    member
        .get("/api/keys/1/standing")
        .await
        .refused(404, "not_found");
}
