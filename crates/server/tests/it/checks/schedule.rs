//! Which checks are made, and which are not.

use std::time::Duration;

use fake_upstream::{Rule, gemini, openai};
use serde_json::json;

use super::{OK, answer, checked, checks, checks_of, count, says, span};
use crate::support::{MODEL, Operator, TestGateway, eventually};

#[tokio::test]
async fn every_key_is_checked_with_every_listed_model_by_calls_that_cost_nothing() {
    let gateway = TestGateway::new()
        .checking_keys()
        .keys(["AIza-key-1", "AIza-key-2", "AIza-key-3"])
        .provider(
            "health_check",
            "{ model: gemini-2.5-pro, models: [gemini-2.5-flash, gemini-2.5-pro] }",
        )
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let rows = checked(&admin, "", 6).await;
    assert_eq!(rows.len(), 6);
    for row in &rows {
        assert_eq!((&row["works"], &row["status"]), (&json!(true), &json!(200)));
    }
    assert_eq!(checks(&gateway.upstream), 6);
    assert_eq!(count(&gateway.upstream, ":generateContent"), 0);
}

#[tokio::test]
async fn a_model_that_callers_ask_for_is_checked_with_the_other_keys() {
    let gateway = TestGateway::new()
        .checking_keys()
        .keys(["AIza-key-1", "AIza-key-2", "AIza-key-3"])
        .provider("health_check", "{ model: null }")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(gateway.generate().await.status, 200);
    let answered = gateway.only_record().await.key.unwrap();
    let rows = checked(&admin, &format!("model={MODEL}"), 3).await;
    for row in &rows {
        let is_answered = row["key_id"] == answered.0;
        let expected = if is_answered { "traffic" } else { "ok" };
        assert_eq!(row["reason"], expected, "{row}");
    }
    let path = format!("{MODEL}:countTokens");
    let made = count(&gateway.upstream, &path);
    assert_eq!(made, 2, "an answer is as good as a check");
}

#[tokio::test]
async fn without_any_model_keys_are_checked_alone() {
    let fields = "keys: [sk-key-1]\nmodels_refresh: 0s";
    let gateway = TestGateway::new()
        .checking_keys()
        .with_provider("compatible", openai(), fields)
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let rows = checked(&admin, "provider=compatible", 1).await;
    let found = (&rows[0]["model"], &rows[0]["works"]);
    assert_eq!(found, (&json!(null), &json!(true)));
    assert_eq!(gateway.provider("compatible").count(), 1);
}

#[tokio::test]
async fn the_next_check_follows_from_what_was_found() {
    let of_key = |number: usize, status: u16, body: &str| {
        answer(status, body).key(&format!("AIza-key-{number}"))
    };
    let limited = r#"{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Please retry in 200s."}}"#;
    let script = gemini()
        .rule(of_key(
            2,
            403,
            r#"{"error": {"code": 403, "status": "PERMISSION_DENIED"}}"#,
        ))
        .rule(of_key(
            3,
            400,
            r#"{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}"#,
        ))
        .rule(of_key(
            4,
            503,
            r#"{"error": {"code": 503, "status": "UNAVAILABLE"}}"#,
        ))
        .rule(of_key(5, 429, limited))
        .rule(Rule::new().method("countTokens").key("AIza-key-6").reset());
    let gateway = TestGateway::new()
        .upstream(script)
        .checking_keys()
        .keys((1..=6).map(|number| format!("AIza-key-{number}")))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let mut rows = checked(&admin, "", 6).await;
    rows.sort_by_key(|row| row["key_id"].as_i64());
    let hour = 3600;
    for (row, longest) in rows
        .iter()
        .zip([12 * hour, 240 * hour, 24 * hour, 600, 221, 600])
    {
        let seconds = span(row).as_secs();
        let shortest = if longest == 221 {
            200
        } else {
            longest * 9 / 10 - 1
        };
        assert!(
            (shortest..=longest + 1).contains(&seconds),
            "{seconds}: {row}"
        );
    }
    assert_eq!(rows[5]["status"], json!(null));
    for place in [0, 2, 3, 4, 5] {
        assert_eq!(gateway.health(place), "active");
    }
}

#[tokio::test]
async fn other_figures_hold_while_it_runs() {
    let gateway = TestGateway::new().checking_keys().start().await;
    let admin = Operator::admin(&gateway).await;
    checked(&admin, "", 1).await;
    admin.set("health_checks.after_ok", json!("1s")).await;
    eventually("the key is checked again and again", async || {
        (checks(&gateway.upstream) >= 3).then_some(())
    })
    .await;
    admin.set("health_checks.after_ok", json!("1h")).await;
    eventually("the next one is in an hour", async || {
        let row = says(&admin, 1, "ok").await;
        (span(&row) > Duration::from_secs(3000)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn checks_end_at_once_when_they_are_switched_off_and_go_on_when_they_are_on() {
    let slow = answer(200, OK).delay_head(Duration::from_secs(600));
    let gateway = TestGateway::new()
        .upstream(gemini().rule(slow))
        .checking_keys()
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    eventually("a check waits for the provider", async || {
        (checks(&gateway.upstream) == 1).then_some(())
    })
    .await;
    admin.set("health_checks.enabled", json!(false)).await;
    eventually("the provider is left", async || {
        gateway.upstream.seen()[0].disconnected.then_some(())
    })
    .await;
    gateway.upstream.remove_rules();
    admin.set("health_checks.enabled", json!(true)).await;
    let rows = checked(&admin, "", 1).await;
    assert_eq!(rows[0]["works"], true);
}

#[tokio::test]
async fn a_restart_checks_nothing_anew() {
    let gateway = TestGateway::new()
        .checking_keys()
        .keys(["AIza-key-1", "AIza-key-2"])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let before = checked(&admin, "", 2).await;
    let gateway = gateway.restart().await;
    gateway.upstream.clear_seen();
    let admin = Operator::admin(&gateway).await;
    // What comes after it has been looked at what is due.
    let added = admin.add_key("AIza-new-key-1").await;
    says(&admin, added, "ok").await;
    assert_eq!(checks(&gateway.upstream), 1);
    let after = checked(&admin, "", 3).await;
    let known = |row: &&serde_json::Value| row["key_id"] != added;
    let after: Vec<_> = after.iter().filter(known).cloned().collect();
    assert_eq!(after, before);
}

#[tokio::test]
async fn keys_that_are_switched_off_are_not_checked() {
    let gateway = TestGateway::new()
        .checking_keys()
        .setting("health_checks.after_ok", "1s")
        .keys(["AIza-key-1", "AIza-key-2"])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    checked(&admin, "", 2).await;
    let off = json!({"enabled": false});
    admin.patch("/api/keys/1", off).await.expect(200);
    let row = eventually("the list knows", async || {
        let rows = admin.rows("/api/key_checks?key_id=1").await;
        rows[0]["next_at"].is_null().then(|| rows[0].clone())
    })
    .await;
    assert_eq!(row["works"], true, "what is known stays");
    gateway.upstream.clear_seen();
    eventually("the other key is checked", async || {
        (checks_of(&gateway.upstream, "AIza-key-2") >= 2).then_some(())
    })
    .await;
    assert_eq!(checks_of(&gateway.upstream, "AIza-key-1"), 0);
}

#[tokio::test]
async fn a_project_has_so_many_checks_a_day_and_no_more() {
    let gateway = TestGateway::new()
        .checking_keys()
        .setting("health_checks.max_per_project_per_day", "2")
        .keys([
            "{ key: AIza-key-1, project: team }",
            "{ key: AIza-key-2, project: team }",
            "{ key: AIza-key-3, project: team }",
            "{ key: AIza-key-4, project: team }",
        ])
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    checked(&admin, "", 2).await;
    // Of another project, and due after all that is put off.
    let added = admin.add_key("AIza-new-key-1").await;
    says(&admin, added, "ok").await;
    assert_eq!(checks(&gateway.upstream), 3);
}
