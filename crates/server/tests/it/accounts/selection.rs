//! The selected key: what moves it, what does not, what is written about it, and what others see of it.

use fake_upstream::Rule;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{KEYS, Member, SHARED, refuse, shown};
use crate::support::{Operator, TestGateway, eventually, on_postgres};

const FIRST: &str = "AIza-mei-1";
const SECOND: &str = "AIza-mei-2";
const LEAKED: &str = "403_key_leaked.json";

/// A user with two keys, of which the first is selected. Gives their ids.
async fn with_two_keys<'a>(gateway: &'a TestGateway, name: &str) -> (Member<'a>, [i64; 2]) {
    let member = Member::new(gateway, name).await;
    let first = member.add(&format!("AIza-{name}-1")).await;
    let second = member.add(&format!("AIza-{name}-2")).await;
    (member, [first, second])
}

/// Waits until the selection is there.
async fn is_selected(member: &Member<'_>, id: i64) {
    eventually("the key is selected", async || {
        (member.selected().await == Some(id)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_selection_moves_to_the_key_that_answered_and_both_lines_say_why() {
    let gateway = TestGateway::new().start().await;
    let (mei, [first, second]) = with_two_keys(&gateway, "mei").await;
    refuse(&gateway, FIRST, LEAKED);
    assert_eq!(mei.generate().await.status, 200);
    is_selected(&mei, second).await;
    let lines = mei.lines().await;
    let line = |action: &str| lines.iter().find(|line| line["action"] == action).unwrap();
    let (unselect, select) = (line("UNSELECT"), line("SELECT"));
    for (line, id) in [(unselect, first), (select, second)] {
        assert_eq!(line["actor"], "keymux");
        assert_eq!(line["resource"], "keys");
        assert_eq!(line["resource_id"], id.to_string());
        assert_eq!(line["provider"], "google");
        let details = line["details"].as_str().unwrap();
        assert!(details.contains("key_leaked"), "{details}");
        assert!(!details.contains("AIza-mei-"), "{details}");
    }
    assert!(select["id"].as_i64() > unselect["id"].as_i64());
}

/// What the provider answers the first key, once.
fn fixture(name: &str) -> Rule {
    Rule::new().fixture(&format!("gemini/errors/{name}"))
}

/// What becomes of the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Moves,
    Stays,
}

/// What a failure of the selected key does to the selection, when the owner's second key answers.
async fn check(failure: Rule, then: Then) {
    let told = format!("{failure:?}");
    let gateway = TestGateway::new().start().await;
    let (mei, [first, second]) = with_two_keys(&gateway, "mei").await;
    gateway.upstream.add_rule(failure.key(FIRST).times(1));
    assert_eq!(mei.generate().await.status, 200, "{told}");
    assert_eq!(shown(&gateway), [FIRST, SECOND], "{told}");
    if then == Then::Moves {
        is_selected(&mei, second).await;
        return;
    }
    // What happens later is seen later: had it moved before, the first key would not be the one that it leaves now.
    assert_eq!(mei.selected().await, Some(first));
    refuse(&gateway, FIRST, LEAKED);
    eventually(&format!("asked again {told}"), async || {
        mei.generate().await;
        let asked = gateway.upstream.count_for_key(FIRST);
        (asked == 2).then_some(())
    })
    .await;
    let lines = mei.lines_of("UNSELECT").await;
    assert_eq!(lines.len(), 1, "{told}: {lines:?}");
    let details = lines[0]["details"].as_str().unwrap();
    assert!(details.contains("key_leaked"), "{told}: {details}");
}

#[tokio::test]
async fn what_takes_a_key_or_its_model_out_of_use_moves_the_selection() {
    for name in [
        "400_api_key_invalid.json",
        "402_prepay_depleted.json",
        "403_consumer_suspended.json",
        "429_per_minute_requests.json",
        "404_model_new_users.json",
        "403_caller_no_permission.json",
    ] {
        check(fixture(name), Then::Moves).await;
    }
}

#[tokio::test]
async fn what_is_not_the_keys_fault_leaves_the_selection_where_it_is() {
    // A refusal without a reason is counted, and takes a key out of use only when it comes again and again.
    let counted = Rule::new().respond(403, "no");
    for failure in [
        fixture("500_internal.json"),
        fixture("503_overloaded.json"),
        counted,
    ] {
        check(failure, Then::Stays).await;
    }
}

#[tokio::test]
async fn requests_at_once_move_the_selection_once() {
    let gateway = TestGateway::new().start().await;
    let (mei, [_, second]) = with_two_keys(&gateway, "mei").await;
    mei.add("AIza-mei-3").await;
    refuse(&gateway, FIRST, LEAKED);
    let answers = join_all((0..30).map(|_| mei.generate())).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    is_selected(&mei, second).await;
    let second = second.to_string();
    // A last move comes after all that was noticed before.
    refuse(&gateway, SECOND, LEAKED);
    assert_eq!(mei.generate().await.status, 200);
    let lines = eventually("the second key is left", async || {
        let lines = mei.lines_of("UNSELECT").await;
        (lines[0]["resource_id"] == second).then_some(lines)
    })
    .await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(mei.lines_of("SELECT").await.len(), 2);
}

#[tokio::test]
async fn the_shared_pool_does_not_become_selected() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let only = mei.add(FIRST).await;
    refuse(&gateway, FIRST, LEAKED);
    assert_eq!(mei.generate().await.status, 200);
    mei.lines_of("FAILOVER_EXHAUSTED").await;
    assert_eq!(mei.selected().await, Some(only));
    let unselected = mei.get("/api/v1/activity-logs?action=UNSELECT").await;
    assert_eq!(unselected["items"], json!([]));
}

#[tokio::test]
async fn exhaustion_is_told_once_a_minute_for_an_owner() {
    let gateway = TestGateway::new().start().await;
    let (mei, [first, second]) = with_two_keys(&gateway, "mei").await;
    let (ana, _) = with_two_keys(&gateway, "ana").await;
    for key in [FIRST, SECOND, "AIza-ana-1", "AIza-ana-2"] {
        refuse(&gateway, key, "500_internal.json");
    }
    for member in [&mei, &mei, &mei, &ana] {
        assert_eq!(member.generate().await.status, 200);
    }
    assert_eq!(shown(&gateway)[..3], [FIRST, SECOND, SHARED]);
    // Notices are followed in order: when the last one is written, the others are done.
    ana.lines_of("FAILOVER_EXHAUSTED").await;
    let lines = mei.lines_of("FAILOVER_EXHAUSTED").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!(
        (&line["actor"], &line["provider"]),
        (&json!("keymux"), &json!("google"))
    );
    assert_eq!(line["resource_id"], Value::Null);
    let details = line["details"].as_str().unwrap();
    for id in [first, second] {
        assert!(details.contains(&format!("key {id} ")), "{details}");
    }
    assert_eq!(mei.selected().await, Some(first));
}

#[tokio::test]
async fn a_restart_keeps_the_selection() {
    let gateway = TestGateway::new().start().await;
    let (mei, [_, second]) = with_two_keys(&gateway, "mei").await;
    mei.select(second).await;
    let client = mei.client.clone();
    let gateway = gateway.restart().await;
    let mei = Member {
        gateway: &gateway,
        client,
    };
    assert_eq!(mei.selected().await, Some(second));
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), [SECOND]);
}

#[tokio::test]
async fn another_instance_follows_the_selection() {
    let gateway = TestGateway::new().start().await;
    let (mei, [_, second]) = with_two_keys(&gateway, "mei").await;
    check_other_instance(&gateway, &mei, second).await;
}

#[tokio::test]
async fn another_instance_on_postgresql_follows_the_selection() {
    on_postgres(async |url| {
        let gateway = TestGateway::new()
            .setting("database.url", url)
            .start()
            .await;
        let (mei, [_, second]) = with_two_keys(&gateway, "mei").await;
        check_other_instance(&gateway, &mei, second).await;
        gateway.stop().await;
    })
    .await;
}

async fn check_other_instance(gateway: &TestGateway, mei: &Member<'_>, second: i64) {
    let other = gateway.beside().await;
    let there = mei.at(&other);
    assert_eq!(there.generate().await.status, 200);
    assert_eq!(other.upstream.count_for_key(FIRST), 1);
    refuse(gateway, FIRST, LEAKED);
    assert_eq!(mei.generate().await.status, 200);
    is_selected(mei, second).await;
    is_selected(&there, second).await;
    assert_eq!(there.generate().await.status, 200);
    assert_eq!(shown(&other), [FIRST, SECOND]);
    other.stop().await;
}

#[tokio::test]
async fn deleting_the_selected_key_selects_the_next_in_order_of_creation() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let (mei, [first, second]) = with_two_keys(&gateway, "mei").await;
    let off = mei.add("AIza-mei-3").await;
    let last = mei.add("AIza-mei-4").await;
    let path = |id: i64| format!("{KEYS}/{id}");
    let switch_off = json!({"enabled": false});
    mei.call("PATCH", &path(off), &switch_off).await;
    mei.select(second).await;
    assert_eq!(
        mei.call("DELETE", &path(second), &Value::Null).await.status,
        204
    );
    assert_eq!(mei.selected().await, Some(last));
    let line = &mei.lines_of("SELECT").await[0];
    assert_eq!(line["resource_id"], last.to_string());
    // Behind the last comes the first, also when an administrator deletes it.
    let admins = format!("/api/keys/{last}");
    admin.delete(&admins).await.expect(204);
    assert_eq!(mei.selected().await, Some(first));
    let bulk = json!({"ids": [first]});
    let done = admin.post("/api/keys/bulk_delete", bulk).await;
    assert_eq!(done.json()["done"], 1, "{}", done.text());
    assert_eq!(mei.selected().await, None);
    assert_eq!(mei.generate().await.status, 200);
    assert_eq!(shown(&gateway), [SHARED]);
}

#[tokio::test]
async fn keys_that_are_retired_and_come_back_are_told_of_whoever_owns_them() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let mei = Member::new(&gateway, "mei").await;
    let own = mei.add(FIRST).await;
    refuse(&gateway, FIRST, LEAKED);
    refuse(&gateway, SHARED, LEAKED);
    assert_eq!(mei.generate().await.status, 503);
    let pool = gateway.key(0).id.0;
    for (action, why) in [("RETIRE", "invalid"), ("RECOVER", "in use again")] {
        let path = format!("/api/activity_logs?action={action}");
        let lines = eventually(action, async || {
            let lines = admin.read(&path).await;
            let lines = lines["items"].as_array().unwrap().clone();
            (lines.len() >= 2).then_some(lines)
        })
        .await;
        let mut ids: Vec<&str> = lines
            .iter()
            .filter_map(|l| l["resource_id"].as_str())
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, [pool.to_string(), own.to_string()], "{action}");
        for line in &lines {
            assert_eq!(line["actor"], "keymux");
            assert!(line["details"].as_str().unwrap().contains(why), "{line}");
        }
        let visible = mei.lines_of(action).await;
        assert_eq!(visible.len(), 1, "{visible:?}");
        assert_eq!(visible[0]["resource_id"], own.to_string());
        for id in [pool, own] {
            let reset = format!("/api/keys/{id}/reset");
            admin.post(&reset, json!({})).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_key_that_was_retired_before_a_restart_is_not_retired_anew() {
    let gateway = TestGateway::new().start().await;
    let mei = Member::new(&gateway, "mei").await;
    let own = mei.add(FIRST).await;
    refuse(&gateway, FIRST, LEAKED);
    mei.generate().await;
    mei.lines_of("RETIRE").await;
    let client = mei.client.clone();
    let gateway = gateway.restart().await;
    let admin = Operator::admin(&gateway).await;
    let mei = Member {
        gateway: &gateway,
        client,
    };
    let reset = format!("/api/keys/{own}/reset");
    admin.post(&reset, json!({})).await.expect(200);
    assert_eq!(mei.lines_of("RECOVER").await.len(), 1);
    assert_eq!(mei.lines_of("RETIRE").await.len(), 1);
}
