//! Keys that fail before a session is open are passed over; what ends one that is open is told, and blamed on whom it is about.

use domain::{Class, RequestRecord};
use fake_upstream::{FakeKey, KeyFault, Rule, gemini};
use serde_json::json;

use super::{LIVE_MODEL, Session, setup, with_two_keys};
use crate::support::{TestGateway, eventually};

fn outcomes(record: &RequestRecord) -> Vec<(Class, &str)> {
    let attempts = record.attempts.iter();
    attempts
        .map(|attempt| (attempt.outcome.class, &*attempt.outcome.reason))
        .collect()
}

/// With such a first key the session opens with the second one, and the first one's attempt ended like that.
async fn passes_over(first: FakeKey, rules: Vec<Rule>, class: Class) {
    let gateway = with_two_keys(first, rules).await;
    let mut session = Session::begin(&gateway).await;
    assert_eq!(session.ask("hello").await, "You said: hello");
    session.close().await;
    let record = gateway.only_record().await;
    let outcomes = outcomes(&record);
    assert_eq!(outcomes.len(), 2, "{outcomes:?}");
    assert_eq!((outcomes[0].0, outcomes[1].0), (class, Class::Ok));
    assert_eq!(gateway.upstream.count_for_key("AIza-second"), 1);
}

fn first() -> FakeKey {
    FakeKey::new("AIza-first")
}

#[tokio::test]
async fn a_key_that_is_refused_gives_way_to_the_next() {
    for (fault, class) in [
        (KeyFault::Invalid, Class::KeyInvalid),
        (KeyFault::Leaked, Class::KeyInvalid),
        (KeyFault::PrepayDepleted, Class::Billing),
        (KeyFault::BareQuota, Class::RateLimited),
        (KeyFault::Overloaded, Class::Overloaded),
    ] {
        passes_over(first().fault(fault), Vec::new(), class).await;
    }
}

#[tokio::test]
async fn a_key_that_is_throttled_for_the_model_gives_way_to_the_next() {
    passes_over(first().rpm(LIVE_MODEL, 0), Vec::new(), Class::RateLimited).await;
}

#[tokio::test]
async fn a_connection_that_fails_before_the_setup_is_complete_is_opened_again() {
    let rule = || Rule::new().key("AIza-first");
    for rule in [rule().reset(), rule().close(), rule().stall_after_chunks(0)] {
        let gateway = with_two_keys(first(), [rule]).await;
        let mut session = Session::open(&gateway).await;
        session.say(&setup(json!({}))).await;
        assert_eq!(session.hear_of("setupComplete").await, json!({}));
        session.close().await;
    }
}

#[tokio::test]
async fn a_socket_that_is_refused_over_http_is_a_refusal_like_any_other() {
    let rule = Rule::new().key("AIza-first");
    let refused = rule.fixture("gemini/errors/400_api_key_invalid.json");
    passes_over(first(), vec![refused], Class::KeyInvalid).await;
}

#[tokio::test]
async fn callers_are_told_to_come_back_when_every_key_is_out() {
    let script = gemini().key(FakeKey::new("AIza-key-1").fault(KeyFault::PrepayDepleted));
    let gateway = TestGateway::new().upstream(script).start().await;
    let mut session = Session::open(&gateway).await;
    session.say(&setup(json!({}))).await;
    let (code, reason) = session.closed().await;
    assert_eq!(code, 1013);
    assert!(!reason.contains("prepayment"), "{reason}");
    let record = gateway.only_record().await;
    assert_eq!((record.status, record.error), (503, Some(Class::Billing)));
}

#[tokio::test]
async fn a_model_that_no_key_has_is_told_in_the_providers_words() {
    let gateway = TestGateway::new().start().await;
    let mut session = Session::open(&gateway).await;
    session
        .say(&json!({"setup": {"model": "models/nobodys"}}))
        .await;
    let (code, reason) = session.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.contains("models/nobodys is not found"), "{reason}");
    let record = gateway.only_record().await;
    assert_eq!(record.status, 404);
    assert_eq!(record.error, Some(Class::ModelUnavailable));
}

#[tokio::test]
async fn a_key_that_fails_in_mid_session_is_blamed_and_not_told_of() {
    let rule = Rule::new().error_after_chunks(2, "gemini/errors/402_prepay_depleted.json");
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .start()
        .await;
    let mut session = Session::begin(&gateway).await;
    session.say(&super::turn("hello")).await;
    let (code, reason) = session.closed().await;
    assert_eq!(code, 1011);
    assert!(!reason.contains("prepayment"), "{reason}");
    let record = gateway.only_record().await;
    assert_eq!(record.error, Some(Class::Billing));
    assert_eq!(
        outcomes(&record),
        [(Class::Billing, "closed_1011_prepay_depleted")]
    );
    assert_ne!(gateway.health(0), "active");
}

#[tokio::test]
async fn a_provider_that_breaks_off_is_told_as_what_it_is() {
    let rule = Rule::new().reset_after_chunks(2);
    let gateway = TestGateway::new()
        .upstream(gemini().rule(rule))
        .start()
        .await;
    let mut session = Session::begin(&gateway).await;
    session.say(&super::turn("hello")).await;
    assert_eq!(session.closed().await.0, 1011);
    assert_eq!(gateway.only_record().await.error, Some(Class::Truncated));
    eventually("the session is over", async || {
        let metrics = gateway.get("/metrics").await.text();
        let line = "keymux_live_closes_total{class=\"truncated\",provider=\"google\"} 1";
        metrics.contains(line).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_first_callers_too_are_told_to_come_back_when_every_key_is_throttled() {
    let script = (1..=3).fold(gemini(), |script, number| {
        let key = FakeKey::new(&format!("AIza-key-{number}"));
        script.key(key.rpm(LIVE_MODEL, 0))
    });
    let gateway = TestGateway::new()
        .upstream(script)
        .keys((1..=3).map(|number| format!("AIza-key-{number}")))
        .start()
        .await;
    for _ in 0..4 {
        let mut session = Session::open(&gateway).await;
        session.say(&setup(json!({}))).await;
        let (code, reason) = session.closed().await;
        assert_eq!(code, 1013, "{reason}");
        assert!(reason.starts_with("every key of google is"), "{reason}");
    }
}
