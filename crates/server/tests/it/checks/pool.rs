//! What checks change in the pool: they take bad keys out and bring good ones back, and never touch a quota.

use fake_upstream::{FakeKey, KeyFault, Rule, Script, gemini};
use serde_json::json;

use super::{LISTED, checked, checks, says, span};
use crate::support::{Builder, MODEL, Operator, TestGateway, eventually};

const KEY: &str = "AIza-key-1";

fn faulty(fault: KeyFault) -> Script {
    gemini().key(FakeKey::new(KEY).fault(fault))
}

fn gateway(script: Script) -> Builder {
    TestGateway::new()
        .upstream(script)
        .keys([KEY])
        .checking_keys()
}

/// The activity log has one line of that, soon.
async fn told_once(admin: &Operator, action: &str) {
    eventually("the log tells of it", async || {
        let lines = admin
            .rows(&format!("/api/activity_logs?action={action}"))
            .await;
        (lines.len() == 1).then_some(())
    })
    .await;
}

async fn becomes(gateway: &TestGateway, health: &str) {
    eventually(&format!("the key is {health}"), async || {
        gateway.health(0).starts_with(health).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_dead_key_is_taken_out_before_a_caller_meets_it() {
    let gateway = gateway(faulty(KeyFault::Leaked)).start().await;
    let admin = Operator::admin(&gateway).await;
    let row = says(&admin, 1, "api_key_leaked").await;
    assert_eq!(
        (&row["class"], &row["status"]),
        (&json!("key_invalid"), &json!(403))
    );
    assert_eq!(gateway.health(0), "retired Invalid");
    assert!(span(&row).as_secs() > 9 * 86_400 - 1, "after_403: {row}");
    let before = gateway.upstream.count();
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(gateway.upstream.count(), before);
    told_once(&admin, "RETIRE").await;
}

#[tokio::test]
async fn a_retired_key_that_is_mended_comes_back() {
    let gateway = gateway(faulty(KeyFault::Suspended))
        .setting("health_checks.after_403", "1s")
        .start()
        .await;
    becomes(&gateway, "retired").await;
    gateway.upstream.fix_key(KEY);
    becomes(&gateway, "active").await;
    assert_eq!(gateway.generate().await.status, 200);
    let admin = Operator::admin(&gateway).await;
    told_once(&admin, "RECOVER").await;
}

#[tokio::test]
async fn a_key_that_traffic_found_failing_is_checked_after_the_recheck_interval() {
    let gateway = gateway(gemini())
        .setting("pool.recheck_interval", "1s")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    checked(&admin, "", 1).await;
    let disabled = "gemini/errors/403_service_disabled.json";
    let rule = Rule::new().method("generateContent").fixture(disabled);
    gateway.upstream.add_rule(rule.times(1));
    assert_eq!(gateway.generate().await.status, 503);
    becomes(&gateway, "active").await;
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn a_success_clears_no_quota_and_no_debt() {
    for (fixture, is_key) in [
        ("429_tokens_per_minute", false),
        ("402_prepay_depleted", true),
    ] {
        let gateway = gateway(gemini())
            .setting("health_checks.after_ok", "1s")
            .setting("pool.recheck_interval", "1s")
            .start()
            .await;
        let name = format!("gemini/errors/{fixture}.json");
        let rule = Rule::new().method("generateContent").fixture(&name);
        gateway.upstream.add_rule(rule);
        assert_eq!(gateway.generate().await.status, 503);
        gateway.upstream.clear_seen();
        eventually("the key is checked", async || {
            (checks(&gateway.upstream) >= 2).then_some(())
        })
        .await;
        let admin = Operator::admin(&gateway).await;
        says(&admin, 1, "ok").await;
        if is_key {
            assert!(gateway.health(0).starts_with("cooling"), "{fixture}");
        } else {
            assert!(gateway.pair_cooling(0) > 0, "{fixture}");
        }
        assert_eq!(gateway.generate().await.status, 503, "{fixture}");
    }
}

#[tokio::test]
async fn not_valid_is_asked_about_again_a_minute_later_when_the_key_has_worked() {
    let gateway = gateway(gemini())
        .setting("health_checks.after_ok", "1s")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    says(&admin, 1, "ok").await;
    let invalid = "gemini/errors/400_api_key_invalid.json";
    let rule = Rule::new().method("countTokens").fixture(invalid);
    gateway.upstream.add_rule(rule);
    let row = says(&admin, 1, "api_key_invalid").await;
    becomes(&gateway, "cooling").await;
    let seconds = span(&row).as_secs();
    assert!((58..=66).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn not_valid_of_traffic_is_asked_about_a_minute_later() {
    let gateway = gateway(gemini()).start().await;
    let admin = Operator::admin(&gateway).await;
    checked(&admin, "", 1).await;
    let invalid = "gemini/errors/400_api_key_invalid.json";
    let rule = Rule::new().method("generateContent").fixture(invalid);
    gateway.upstream.add_rule(rule);
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(gateway.health(0), "cooling 60s");
    eventually("the next check is in a minute", async || {
        let rows = admin.rows("/api/key_checks?key_id=1").await;
        let until: jiff::Timestamp = rows[0]["next_at"].as_str()?.parse().ok()?;
        let left = until.duration_since(jiff::Timestamp::now()).as_secs();
        (50..=66).contains(&left).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_is_down_costs_no_key() {
    let gateway = gateway(faulty(KeyFault::Overloaded)).start().await;
    let admin = Operator::admin(&gateway).await;
    let row = says(&admin, 1, "overloaded").await;
    assert!(span(&row).as_secs() <= 601, "{row}");
    assert_eq!(gateway.health(0), "active");
    assert_eq!(gateway.pair(0, LISTED), None);
}

#[tokio::test]
async fn a_model_that_one_project_lacks_is_off_for_it_alone() {
    let lacks = Rule::new()
        .key(KEY)
        .path_contains("models/gemini")
        .fixture("gemini/errors/404_model.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(lacks))
        .keys([KEY, "AIza-key-2"])
        .checking_keys()
        .setting("health_checks.after_4xx", "1s")
        .start()
        .await;
    eventually("the pair is off", async || {
        let pair = gateway.pair(0, LISTED)?;
        pair.cooling.map(drop)
    })
    .await;
    assert_eq!(
        (gateway.health(0), gateway.health(1)),
        ("active".into(), "active".into())
    );
    assert_eq!(gateway.pair(1, LISTED), None);
    assert_eq!(gateway.pair(0, MODEL), None);
}
