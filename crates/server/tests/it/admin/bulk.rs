//! Many keys at once: pasted by the thousand, chosen by id or by filter.

use serde_json::{Value, json};

use crate::support::{Operator, TestGateway, eventually};

const MANY: usize = 10_000;

#[tokio::test]
async fn ten_thousand_pasted_keys_are_in_use_when_the_call_is_answered() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    admin
        .patch("/api/keys/1", json!({"enabled": false}))
        .await
        .expect(200);
    let mut lines: Vec<String> = (0..MANY).map(|n| format!("AIza-pasted-{n:06}")).collect();
    lines[4] = "AIza-pasted-000003 # again".to_owned();
    lines[6] = "short".to_owned();
    lines[8] = "  \"AIza-pasted-000008\", AIza-pasted-000003 ; kurz\u{e4}hnlich".to_owned();
    lines[9_999] = "AIza-key-1".to_owned();
    let body = json!({"provider": "google", "text": lines.join("\r\n"), "project": "team-a"});
    let done = admin
        .post("/api/keys/bulk_add", body)
        .await
        .expect(200)
        .json();
    assert_eq!(done["added"], MANY - 3);
    assert_eq!(done["duplicates"], 3);
    assert_eq!(done["duplicate_lines"], json!([5, 9, 10_000]));
    let reason = |line: usize, reason: &str| json!({"line": line, "reason": reason});
    assert_eq!(
        done["invalid"],
        json!([
            reason(7, "too short for a key"),
            reason(9, "has characters that no key has")
        ])
    );
    assert_eq!(done["ids"].as_array().unwrap().len(), MANY - 3);
    assert_eq!(gateway.generate().await.status, 200);
    let used = gateway.upstream.seen();
    assert!(!used.is_empty());
    assert_eq!(gateway.upstream.count_for_key("AIza-key-1"), 0);
    let page = admin.get("/api/keys?project=team-a&limit=1").await.json();
    assert_eq!(page["total"], MANY - 3);
    let lines = admin.rows("/api/activity_logs?action=IMPORT").await;
    assert_eq!(
        lines[0]["details"],
        "9997 added, 3 known already, 2 malformed"
    );
}

#[tokio::test]
async fn keys_to_add_are_a_list_or_a_text() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let add = async |more: Value| {
        let mut body = json!({"provider": "google"});
        let fields = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        admin.post("/api/keys/bulk_add", body).await
    };
    let listed = add(json!({"keys": ["AIza-listed-0001", "x", "AIza-listed-0001"]})).await;
    let listed = listed.expect(200).json();
    assert_eq!(
        (&listed["added"], &listed["duplicate_lines"]),
        (&json!(1), &json!([3]))
    );
    assert_eq!(listed["invalid"][0]["line"], 2);
    let nothing = add(json!({"text": "# nothing\n\n"}))
        .await
        .expect(200)
        .json();
    assert_eq!(nothing["added"], 0);
    for (more, field) in [
        (json!({}), "keys"),
        (json!({"keys": [], "text": ""}), "keys"),
        (json!({"keys": [1]}), "keys[0]"),
        (json!({"text": "", "label": "x".repeat(101)}), "label"),
        (json!({"text": "", "owner": "nobody"}), "owner"),
        (json!({"text": "", "provider": "xay"}), "provider"),
        (json!({"text": "", "wieght": 1}), "wieght"),
    ] {
        assert_eq!(add(more).await.refused(422, "invalid"), field);
    }
    assert_eq!(gateway.running.keys("google").len(), 2);
}

#[tokio::test]
async fn members_paste_for_themselves() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = admin.make_member("mei").await;
    admin.make_member("bo").await;
    let body =
        |owner: Value| json!({"provider": "google", "keys": ["AIza-of-mei-1"], "owner": owner});
    mei.post("/api/keys/bulk_add", body(json!("bo")))
        .await
        .refused(403, "forbidden");
    mei.post("/api/keys/bulk_add", body(Value::Null))
        .await
        .expect(200);
    assert_eq!(admin.rows("/api/keys?owner=mei").await.len(), 1);
    let lines = mei.rows("/api/activity_logs?action=IMPORT").await;
    assert_eq!(lines.len(), 1);
}

/// Keys 2 to 7 are an administrator's, key 1 is the configuration's.
async fn with_keys() -> (TestGateway, Operator) {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let keys: Vec<String> = (2..=7).map(|n| format!("AIza-bulk-{n:04}")).collect();
    let body = json!({"provider": "google", "keys": keys, "label": "bulk"});
    admin.post("/api/keys/bulk_add", body).await.expect(200);
    (gateway, admin)
}

fn result(matched: usize, done: usize, skipped: usize) -> Value {
    json!({"matched": matched, "done": done, "skipped": skipped})
}

/// The same, with the keys that were switched on or off.
fn switched(mut result: Value, keys: &[i64]) -> Value {
    result["switched"] = json!(keys);
    result
}

#[tokio::test]
async fn keys_are_changed_by_id_and_by_filter() {
    let (gateway, admin) = with_keys().await;
    let by_id = json!({"ids": [2, 3, 3], "set": {"weight": 9, "label": null}});
    let done = admin
        .post("/api/keys/bulk_update", by_id)
        .await
        .expect(200)
        .json();
    assert_eq!(done, result(2, 2, 0));
    assert_eq!(admin.rows("/api/keys?label=bulk").await.len(), 4);
    let by_filter = json!({"filter": {"label": "bulk"}, "set": {"enabled": false}});
    let done = admin
        .post("/api/keys/bulk_update", by_filter)
        .await
        .expect(200)
        .json();
    assert_eq!(done, switched(result(4, 4, 0), &[4, 5, 6, 7]));
    assert_eq!(admin.rows("/api/keys?status=disabled").await.len(), 4);
    let done = admin
        .post(
            "/api/keys/bulk_delete",
            json!({"filter": {"status": "disabled"}}),
        )
        .await;
    assert_eq!(done.expect(200).json(), result(4, 4, 0));
    let done = admin
        .post("/api/keys/bulk_reset", json!({"filter": {}}))
        .await;
    assert_eq!(done.expect(200).json(), result(3, 3, 0));
    assert_eq!(gateway.running.keys("google").len(), 3);
}

#[tokio::test]
async fn what_the_configuration_states_is_passed_over() {
    let (gateway, admin) = with_keys().await;
    let relabel = json!({"filter": {}, "set": {"label": "x"}});
    let done = admin
        .post("/api/keys/bulk_update", relabel)
        .await
        .expect(200)
        .json();
    assert_eq!(done, result(7, 6, 1));
    let switch = json!({"filter": {}, "set": {"enabled": false}});
    let done = admin
        .post("/api/keys/bulk_update", switch)
        .await
        .expect(200)
        .json();
    assert_eq!(done, switched(result(7, 7, 0), &[1, 2, 3, 4, 5, 6, 7]));
    let done = admin
        .post("/api/keys/bulk_delete", json!({"filter": {}}))
        .await;
    assert_eq!(done.expect(200).json(), result(7, 6, 1));
    assert_eq!(gateway.running.keys("google").len(), 1);
}

#[tokio::test]
async fn which_keys_is_never_guessed() {
    let (gateway, admin) = with_keys().await;
    for deed in ["bulk_delete", "bulk_reset", "bulk_test", "bulk_update"] {
        let path = format!("/api/keys/{deed}");
        for (selection, field) in [
            (json!({}), "ids"),
            (json!({"ids": null, "filter": null}), "ids"),
            (json!({"ids": [2], "filter": {}}), "ids"),
            (json!({"ids": ["2"]}), "ids[0]"),
            (json!({"filter": {"lable": "bulk"}}), "filter.lable"),
            (json!({"filter": {"status": "dead"}}), "filter.status"),
            (json!({"filter": {"owner": "nobody"}}), "owner"),
            (json!({"filters": {"label": "bulk"}}), "filters"),
            (json!({"ids": [2], "all": true}), "all"),
        ] {
            let mut body = selection.clone();
            if deed == "bulk_update" {
                body["set"] = json!({"weight": 2});
            }
            let answer = admin.post(&path, body).await;
            assert_eq!(answer.refused(422, "invalid"), field, "{deed} {selection}");
        }
    }
    let unknown = json!({"ids": [2, 999_999]});
    admin
        .post("/api/keys/bulk_delete", unknown)
        .await
        .refused(404, "not_found");
    let wrong = json!({"ids": [2], "set": {"weight": 0}});
    let answer = admin.post("/api/keys/bulk_update", wrong).await;
    assert!(answer.refused(422, "invalid").ends_with("weight"));
    assert_eq!(gateway.running.keys("google").len(), 7);
}

#[tokio::test]
async fn a_members_bulk_call_reaches_their_own_keys_only() {
    let (gateway, admin) = with_keys().await;
    let mei = admin.make_member("mei").await;
    let own = mei.add_key("AIza-of-mei-0001").await;
    let ids = json!({"ids": [2, own]});
    mei.post("/api/keys/bulk_delete", ids)
        .await
        .refused(404, "not_found");
    let done = mei
        .post("/api/keys/bulk_delete", json!({"filter": {}}))
        .await;
    assert_eq!(done.expect(200).json(), result(1, 1, 0));
    assert_eq!(gateway.running.keys("google").len(), 7);
}

#[tokio::test]
async fn a_dry_run_says_what_would_become_of_each_and_adds_nothing() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let text = "AIza-new-000001\nAIza-key-1\nshort\nAIza-new-000001";
    let body = |dry_run: bool| json!({"provider": "google", "text": text, "dry_run": dry_run});
    let add = async |dry_run| {
        let answer = admin.post("/api/keys/bulk_add", body(dry_run)).await;
        answer.expect(200).json()
    };
    let mut told = add(true).await;
    assert_eq!(told["ids"], json!([]));
    assert_eq!(admin.read("/api/keys").await["total"], 1);
    assert!(
        admin
            .rows("/api/activity_logs?action=IMPORT")
            .await
            .is_empty()
    );
    let done = add(false).await;
    told["ids"] = done["ids"].clone();
    assert_eq!(told, done);
    assert_eq!(
        (&done["added"], &done["duplicates"]),
        (&json!(1), &json!(2))
    );
}

#[tokio::test]
async fn a_bulk_change_names_the_keys_that_it_switched() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let keys: Vec<String> = (0..600).map(|n| format!("AIza-many-{n:06}")).collect();
    let body = json!({"provider": "google", "keys": keys, "label": "many"});
    let added = admin.post("/api/keys/bulk_add", body).await.expect(200);
    let ids = added.json()["ids"].clone();
    let off = json!({"ids": [ids[0], ids[1]], "set": {"enabled": false}});
    let few = admin.post("/api/keys/bulk_update", off).await.expect(200);
    assert_eq!(few.json()["switched"], json!([ids[0], ids[1]]));
    let label = json!({"ids": [ids[0]], "set": {"label": "many"}});
    let none = admin.post("/api/keys/bulk_update", label).await.expect(200);
    assert_eq!(none.json().get("switched"), None);

    let all = json!({"filter": {"label": "many"}, "set": {"enabled": false}});
    let job = admin.post("/api/keys/bulk_update", all).await.expect(202);
    let path = format!("/api/jobs/{}", job.json()["id"]);
    let job = eventually("the job is over", async || {
        let job = admin.read(&path).await;
        (job["state"] == "done").then_some(job)
    })
    .await;
    let mut switched: Vec<i64> = serde_json::from_value(job["result"]["switched"].clone()).unwrap();
    switched.sort_unstable();
    let rest: Vec<i64> = serde_json::from_value(json!(ids.as_array().unwrap()[2..])).unwrap();
    assert_eq!(switched, rest);
}
