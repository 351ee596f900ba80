//! `/gemini-proxy` when the provider does not answer: each failure with its code and status.

use domain::Class;
use fake_upstream::{EmptyKind, Rule, gemini};
use serde_json::json;

use super::{PROXY, check_failed, proxy};
use crate::support::{Answer, CLIENT_KEY, TestGateway, request};

/// A gateway with one key, to whose every request the provider does this.
async fn gateway(rule: Rule) -> TestGateway {
    TestGateway::new()
        .upstream(gemini().rule(rule))
        .setting("pool.request_timeout", "1s")
        .setting("retry.max_attempts", "2")
        .start()
        .await
}

async fn ask(rule: Rule) -> (TestGateway, Answer) {
    let gateway = gateway(rule).await;
    let answer = proxy(&gateway, json!({"prompt": "hi"})).await;
    (gateway, answer)
}

async fn check(rule: Rule, code: &str, status: u16, class: Class) -> String {
    let (gateway, answer) = ask(rule).await;
    let message = check_failed(&answer, code, status);
    let record = gateway.record_of(&answer).await;
    assert_eq!((record.status, record.error), (status, Some(class)));
    message
}

fn error(name: &str) -> Rule {
    Rule::new().fixture(&format!("gemini/errors/{name}"))
}

#[tokio::test]
async fn a_pool_that_is_out_of_quota_is_a_quota_error_with_a_time_to_come_back() {
    for name in [
        "429_per_minute_requests.json",
        "429_per_day.json",
        "429_bare.json",
    ] {
        let (gateway, answer) = ask(error(name)).await;
        check_failed(&answer, "QUOTA_ERROR", 429);
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!(wait > 0);
        // The pool knows by now: nobody is asked.
        gateway.upstream.clear_seen();
        let again = proxy(&gateway, json!({"prompt": "hi"})).await;
        check_failed(&again, "QUOTA_ERROR", 429);
        assert!(!again.header("retry-after").is_empty());
        assert_eq!(gateway.upstream.count(), 0);
    }
}

#[tokio::test]
async fn a_pool_without_a_usable_key_is_an_upstream_error_that_tells_nothing_of_keys() {
    for (name, class) in [
        ("400_api_key_invalid.json", Class::KeyInvalid),
        ("403_consumer_suspended.json", Class::AcctSuspended),
        ("402_prepay_depleted.json", Class::Billing),
    ] {
        let (gateway, answer) = ask(error(name)).await;
        let message = check_failed(&answer, "UPSTREAM_ERROR", 502);
        assert!(!message.contains("API key"), "{message}");
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.attempts[0].outcome.class, class);
        assert_eq!(record.status, 502);
    }
}

#[tokio::test]
async fn failures_of_the_provider_are_upstream_errors() {
    for (rule, class) in [
        (error("500_internal.json"), Class::ServerError),
        (error("502_html.html"), Class::ServerError),
        (error("503_overloaded.json"), Class::Overloaded),
        (error("400_location.json"), Class::Region),
        (Rule::new().close(), Class::Network),
        (Rule::new().garbage(), Class::ServerError),
        (
            Rule::new().empty(EmptyKind::StopNoParts),
            Class::EmptyAnswer,
        ),
    ] {
        check(rule, "UPSTREAM_ERROR", 502, class).await;
    }
}

#[tokio::test]
async fn no_answer_in_time_is_a_timeout() {
    check(
        Rule::new().stall_before_head(),
        "TIMEOUT_ERROR",
        504,
        Class::Timeout,
    )
    .await;
    check(
        error("504_deadline.json"),
        "TIMEOUT_ERROR",
        504,
        Class::Timeout,
    )
    .await;
}

#[tokio::test]
async fn what_is_held_back_is_told_with_its_reason() {
    let prompt = check(
        Rule::new().blocked_prompt(),
        "SAFETY_BLOCKED",
        422,
        Class::Blocked,
    )
    .await;
    assert!(prompt.contains("PROHIBITED_CONTENT"), "{prompt}");
    let answer = check(
        Rule::new().blocked_safety(),
        "SAFETY_BLOCKED",
        422,
        Class::Blocked,
    )
    .await;
    assert!(answer.contains("SAFETY"), "{answer}");
}

#[tokio::test]
async fn a_model_that_there_is_not_is_not_found() {
    let class = Class::ModelUnavailable;
    check(error("404_model.json"), "MODEL_NOT_FOUND", 404, class).await;
    check(
        error("403_caller_no_permission.json"),
        "MODEL_NOT_FOUND",
        404,
        class,
    )
    .await;
}

#[tokio::test]
async fn what_the_provider_finds_wrong_is_told_in_its_words() {
    let rule = error("400_token_limit.json");
    let message = check(rule, "VALIDATION_ERROR", 400, Class::BadRequest).await;
    assert!(message.contains("token"), "{message}");
}

#[tokio::test]
async fn only_what_waiting_mends_says_when_to_come_back() {
    let rule = error("404_model.json");
    let (_gateway, answer) = ask(rule).await;
    check_failed(&answer, "MODEL_NOT_FOUND", 404);
    assert_eq!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn an_answer_that_only_thought_until_its_end_has_no_text() {
    let rule = Rule::new().fixture("gemini/max_tokens_only_thoughts.json");
    let (_gateway, answer) = ask(rule).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["data"]["response"], "");
}

#[tokio::test]
async fn thoughts_are_no_part_of_the_text() {
    let part = |text: &str, thought: bool| json!({"text": text, "thought": thought});
    let parts = [part("hmm", true), part("one ", false), part("two", false)];
    let candidate = json!({"content": {"parts": parts}, "finishReason": "STOP"});
    let body = json!({"candidates": [candidate]}).to_string();
    let (_gateway, answer) = ask(Rule::new().respond(200, body)).await;
    assert_eq!(answer.json()["data"]["response"], "one two");
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_has_no_end_is_an_upstream_error() {
    // Past what is read whole before anything is passed on, so that it is not tried again.
    let script = gemini()
        .answer_bytes(300_000)
        .rule(Rule::new().cut_after_chunks(0));
    let gateway = TestGateway::new().upstream(script).start().await;
    let answer = proxy(&gateway, json!({"prompt": "hi"})).await;
    check_failed(&answer, "UPSTREAM_ERROR", 502);
    let endless = gemini().answer_bytes(33 << 20);
    let gateway = TestGateway::new().upstream(endless).start().await;
    let answer = proxy(&gateway, json!({"prompt": "hi"})).await;
    check_failed(&answer, "UPSTREAM_ERROR", 502);
}

#[tokio::test]
async fn a_large_answer_is_read_to_its_end() {
    let script = gemini().answer_bytes(3 << 20);
    let gateway = TestGateway::new().upstream(script).start().await;
    let answer = proxy(&gateway, json!({"prompt": "hi"})).await;
    assert_eq!(answer.status, 200);
    let text = answer.json()["data"]["response"].as_str().unwrap().len();
    assert!(text > 2 << 20, "{text}");
}

#[tokio::test]
async fn a_failing_key_is_followed_by_another() {
    let script = gemini()
        .says("hello")
        .rule(error("429_per_day.json").key("AIza-key-1"));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    let answer = proxy(&gateway, json!({"prompt": "hi"})).await;
    assert_eq!(answer.json()["data"]["response"], "hello");
    assert_eq!(answer.header("x-keymux-attempts"), "2");
}

#[tokio::test]
async fn a_wrong_client_key_or_none_is_an_auth_error() {
    let gateway = TestGateway::new().start().await;
    let body = json!({"prompt": "hi"}).to_string();
    for headers in [
        &[][..],
        &[("x-goog-api-key", "sk-nobody")],
        &[("authorization", "Bearer x")],
    ] {
        let answer = gateway
            .send(request("POST", PROXY, headers, body.clone()))
            .await;
        check_failed(&answer, "AUTH_ERROR", 401);
    }
    let bearer = format!("Bearer {CLIENT_KEY}");
    let answer = gateway
        .send(request("POST", PROXY, &[("authorization", &bearer)], body))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gateway.upstream.count(), 1);
}
