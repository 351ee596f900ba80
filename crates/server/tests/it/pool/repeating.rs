//! How often and how long a request is tried, and what its record tells of it.

use std::time::Duration;

use domain::{Class, KeyId};
use fake_upstream::{EmptyKind, FakeKey, KeyFault, Rule, gemini};

use super::{generate_many, keys, uses};
use crate::support::TestGateway;

fn error(name: &str) -> Rule {
    Rule::new().fixture(&format!("gemini/errors/{name}"))
}

/// Every key answers as the rule says: so many attempts, then this status.
async fn check(rule: Rule, attempts: usize, status: u16) {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule.clone()))
        .keys(keys(10))
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(
        (answer.status, gateway.upstream.count()),
        (status, attempts),
        "{rule:?}"
    );
    assert_eq!(answer.header("x-keymux-attempts"), attempts.to_string());
    let mut tried: Vec<Option<KeyId>> = gateway
        .only_record()
        .await
        .attempts
        .iter()
        .map(|a| a.key)
        .collect();
    tried.dedup();
    assert_eq!(tried.len(), attempts, "no key is tried twice");
}

#[tokio::test]
async fn each_class_of_failure_has_its_limit() {
    check(error("500_internal.json"), 3, 500).await;
    check(error("504_deadline.json"), 2, 504).await;
    check(error("403_caller_no_permission.json"), 5, 404).await;
    check(error("429_bare.json"), 5, 429).await;
    check(Rule::new().reset(), 3, 503).await;
    check(Rule::new().empty(EmptyKind::NoCandidates), 3, 200).await;
    check(error("400_invalid_argument.json"), 1, 400).await;
}

/// Waits half a second, one and two between its tries.
#[tokio::test]
async fn an_overloaded_model_is_tried_four_times() {
    check(error("503_overloaded.json"), 4, 503).await;
}

#[tokio::test]
async fn a_model_that_is_overloaded_for_everyone_is_not_tried_with_other_keys() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(error("503_overloaded.json")))
        .keys(keys(10))
        .setting("retry.deadline", "1s")
        .start()
        .await;
    // Five overloads in thirty seconds with no answer between.
    generate_many(&gateway, 5, 1).await;
    gateway.upstream.clear_seen();
    assert_eq!(gateway.generate().await.status, 503);
    assert_eq!(gateway.upstream.count(), 1);
}

#[tokio::test]
async fn while_a_model_is_overloaded_keys_that_are_limited_are_left_for_others() {
    let gateway = TestGateway::new()
        .upstream(
            gemini()
                .rule(error("503_overloaded.json").times(5))
                .rule(error("429_bare.json").times(2)),
        )
        .keys(keys(10))
        .setting("retry.deadline", "1s")
        .start()
        .await;
    while gateway.upstream.count() < 5 {
        gateway.generate().await.expect(503);
    }
    let answer = gateway.generate().await;
    assert_eq!(
        (answer.status, answer.header("x-keymux-attempts")),
        (200, "3")
    );
}

#[tokio::test]
async fn max_attempts_bounds_all_classes_together() {
    let script = gemini()
        .rule(error("500_internal.json").times(1))
        .rule(error("429_bare.json").times(1))
        .rule(error("504_deadline.json").times(1));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys(keys(10))
        .setting("retry.max_attempts", "3")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!((answer.status, gateway.upstream.count()), (504, 3));
    assert_eq!(answer.error()["status"], "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn keys_that_turn_out_dead_unpaid_or_spent_are_free() {
    let mut script = gemini();
    for (place, key) in keys(30).enumerate() {
        let dead = FakeKey::new(&key);
        script = match place % 3 {
            0 => script.key(dead.fault(KeyFault::Expired)),
            1 => script.key(dead.fault(KeyFault::PrepayDepleted)),
            _ => script.key(dead).rule(error("429_per_day.json").key(&key)),
        };
    }
    script = script.key(FakeKey::new("AIza-key-31"));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys(keys(31))
        .setting("pool.strategy", "fill_first")
        .setting("retry.max_attempts", "1")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(
        (answer.status, answer.header("x-keymux-attempts")),
        (200, "31")
    );
    assert_eq!(uses(&gateway, 31), [1; 31]);
}

#[tokio::test]
async fn the_deadline_ends_the_request() {
    let slow = error("429_bare.json").delay_head(Duration::from_millis(300));
    let gateway = TestGateway::new()
        .upstream(gemini().rule(slow))
        .keys(keys(20))
        .setting("retry.max_attempts", "20")
        .setting("retry.deadline", "1s")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    assert!(
        gateway.upstream.count() <= 4,
        "{}",
        gateway.upstream.count()
    );
    assert_eq!(gateway.only_record().await.error, Some(Class::Timeout));
}

#[tokio::test]
async fn keys_that_stall_are_left_when_the_deadline_has_come() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().stall_before_head()))
        .keys(keys(20))
        .setting("retry.deadline", "1s")
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!((answer.status, gateway.upstream.count()), (504, 1));
    assert_eq!(answer.error()["status"], "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_single_key_that_is_overloaded_once_is_tried_again() {
    for rule in [
        error("503_overloaded.json"),
        error("500_internal.json"),
        Rule::new().reset(),
    ] {
        let gateway = TestGateway::new()
            .upstream(gemini().says("hello").rule(rule.times(1)))
            .start()
            .await;
        let answer = gateway.generate().await;
        assert_eq!((answer.status, answer.said().as_str()), (200, "hello"));
        let record = gateway.only_record().await;
        assert_eq!(record.attempts[0].key, record.attempts[1].key);
        assert_eq!(
            record.attempts[1].chosen,
            "least_loaded of 1, again: no other key"
        );
    }
}

#[tokio::test]
async fn in_an_outage_retries_stay_within_the_budget() {
    const REQUESTS: usize = 600;
    let gateway = TestGateway::new()
        .upstream(gemini().rule(error("500_internal.json")))
        .keys(keys(40))
        .start()
        .await;
    let answers = generate_many(&gateway, 20, REQUESTS / 20).await;
    assert!(answers.iter().all(|answer| answer.status == 500));
    let retries = gateway.upstream.count() - REQUESTS;
    // The floor of ten a second over ten seconds, or a fifth of the requests.
    assert!((100..=REQUESTS / 5).contains(&retries), "{retries} retries");
}

#[tokio::test]
async fn the_last_error_comes_without_secrets() {
    let body = r#"{"error": {"code": 500, "message": "key AIza-key-1 of projects/482913374650 failed", "status": "INTERNAL"}}"#;
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().respond_with(500, &[("x-odd", "AIza-key-1")], body)))
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.error()["message"],
        "key [redacted] of projects/[redacted] failed"
    );
    assert_eq!(answer.header("x-odd"), "");
}

#[tokio::test]
async fn the_record_tells_each_attempt() {
    let script = gemini()
        .rule(error("429_per_minute_requests.json").key("AIza-key-1"))
        .rule(Rule::new().reset().key("AIza-key-2"));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys([
            "AIza-key-1",
            "AIza-key-2",
            "{ key: AIza-key-3, label: the third }",
        ])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let answer = gateway.generate().await;
    let told =
        ["x-keymux-attempts", "x-keymux-provider", "x-keymux-key"].map(|name| answer.header(name));
    assert_eq!(told, ["3", "google", "the third"]);
    let record = gateway.only_record().await;
    assert_eq!(answer.header("x-keymux-request-id"), record.id.to_string());
    let attempts = record.attempts.iter().map(|attempt| {
        let outcome = &attempt.outcome;
        (
            attempt.status,
            outcome.class,
            &*outcome.reason,
            &*attempt.chosen,
            &*attempt.egress,
        )
    });
    let expected = [
        (
            Some(429),
            Class::RateLimited,
            "quota_per_minute",
            "fill_first of 3",
            "direct",
        ),
        (
            None,
            Class::Network,
            "connection_lost",
            "fill_first of 2",
            "direct",
        ),
        (Some(200), Class::Ok, "ok", "fill_first of 2", "direct"),
    ];
    assert_eq!(attempts.collect::<Vec<_>>(), expected);
    let keys: Vec<KeyId> = record
        .attempts
        .iter()
        .filter_map(|attempt| attempt.key)
        .collect();
    assert_eq!(keys, [0, 1, 2].map(|place| gateway.key(place).id));
    assert_eq!(
        (record.key, record.status, record.error),
        (Some(keys[2]), 200, None)
    );
    assert!(record.attempts.iter().all(|attempt| attempt.latency_us > 0));
    assert!(record.latency_us >= record.first_byte_us.unwrap());
}
