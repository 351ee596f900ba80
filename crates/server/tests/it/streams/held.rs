//! Before the first useful chunk nothing has been said: another key answers, and the caller never knows.

use domain::Class;
use fake_upstream::{EmptyKind, Rule};

use super::{Way, answer_whole, answered, raw_gateway, says};
use crate::support::TestGateway;

/// The first of two keys answers as the rule says; the second one works.
async fn check(way: Way, rule: Rule, class: Class) {
    let script = way.script().says("hello").rule(rule.key("AIza-key-1"));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys(["AIza-key-1", "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .setting("pool.request_timeout", "1s")
        .start()
        .await;
    let answer = gateway.send(way.request()).await;
    assert_eq!(
        (answer.status, answer.is_whole),
        (200, true),
        "{way:?}: {}",
        answer.text()
    );
    assert_eq!(answer.said(), "hello", "{way:?}");
    assert!(!answer.text().contains("\"error\""), "{}", answer.text());
    assert_eq!(answer.header("x-keymux-attempts"), "2");
    let record = gateway.only_record().await;
    let classes: Vec<Class> = record
        .attempts
        .iter()
        .map(|attempt| attempt.outcome.class)
        .collect();
    assert_eq!(
        (classes, record.error),
        (vec![class, Class::Ok], None),
        "{way:?}"
    );
}

/// In one framing over HTTP/1.1, in the other over HTTP/2.
async fn check_both(rule: Rule, class: Class) {
    for way in [Way::Sse, Way::ArrayTls] {
        check(way, rule.clone(), class).await;
    }
}

fn first_event_is(error: &str) -> Rule {
    Rule::new().error_after_chunks(0, &format!("gemini/errors/{error}"))
}

#[tokio::test]
async fn an_error_as_the_first_event_is_tried_again() {
    check_both(first_event_is("503_overloaded.json"), Class::Overloaded).await;
    check_both(first_event_is("500_internal.json"), Class::ServerError).await;
    check_both(
        first_event_is("429_per_minute_requests.json"),
        Class::RateLimited,
    )
    .await;
    check_both(first_event_is("403_key_leaked.json"), Class::KeyInvalid).await;
}

#[tokio::test]
async fn a_stream_without_content_is_tried_again() {
    for kind in [
        EmptyKind::NoCandidates,
        EmptyKind::StopNoParts,
        EmptyKind::EmptyText,
    ] {
        check_both(Rule::new().empty(kind), Class::EmptyAnswer).await;
    }
    check_both(Rule::new().end_after_chunks(0), Class::EmptyAnswer).await;
    let headers = [("content-type", "text/event-stream")];
    check(
        Way::Sse,
        Rule::new().respond_with(200, &headers, ": nothing\r\n\r\n"),
        Class::EmptyAnswer,
    )
    .await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_content_is_tried_again() {
    check(Way::SseTls, Rule::new().reset(), Class::Network).await;
    check(Way::Array, Rule::new().close(), Class::Network).await;
    check_both(Rule::new().reset_after_chunks(0), Class::ServerError).await;
    check_both(Rule::new().cut_after_chunks(0), Class::ServerError).await;
}

#[tokio::test]
async fn a_stall_before_the_head_is_tried_again() {
    check(Way::Sse, Rule::new().stall_before_head(), Class::Timeout).await;
}

#[tokio::test]
async fn a_stall_after_the_head_is_tried_again() {
    check(Way::Array, Rule::new().stall_after_head(), Class::Timeout).await;
}

/// The provider's first connection sends `beginning` and is cut; its second one answers.
async fn check_beginning(way: Way, beginning: String) {
    let (gateway, upstream) = raw_gateway().await;
    let answer = answered(gateway.send(way.request()), async {
        let mut first = upstream.next().await;
        first.begin(way.content_type()).await;
        first.chunk(&beginning).await;
        drop(first);
        answer_whole(upstream.next().await, way, "hello").await;
    })
    .await;
    assert_eq!(
        (answer.status, answer.is_whole),
        (200, true),
        "{beginning}: {}",
        answer.text()
    );
    assert_eq!(answer.said(), "hello");
    assert!(!answer.text().contains("\"error\""), "{}", answer.text());
}

#[tokio::test]
async fn events_without_content_do_not_commit() {
    let empty = r#"{"usageMetadata": {"promptTokenCount": 3}, "modelVersion": "x"}"#;
    check_beginning(Way::Sse, format!(": hello\r\n\r\ndata: {empty}\r\n\r\n")).await;
    check_beginning(Way::Sse, format!("data: {}\r\n\r\n", says(""))).await;
    check_beginning(Way::Array, format!("[{empty}")).await;
}

#[tokio::test]
async fn half_of_the_first_event_does_not_commit() {
    let half = r#"{"candidates": [{"content": {"parts": [{"text": "hel"#;
    let text_is_whole = r#"{"candidates": [{"content": {"parts": [{"text": "hello"}"#;
    for beginning in [half, text_is_whole] {
        check_beginning(Way::Sse, format!("data: {beginning}")).await;
        check_beginning(Way::Array, format!("[{beginning}")).await;
    }
}

#[tokio::test]
async fn empty_streams_pass_when_they_are_not_to_be_tried_again() {
    for way in [Way::Sse, Way::Array] {
        let script = way.script().rule(Rule::new().empty(EmptyKind::StopNoParts));
        let gateway = TestGateway::new()
            .upstream(script)
            .setting("retry.empty_response", "false")
            .start()
            .await;
        let answer = gateway.send(way.request()).await;
        assert_eq!((answer.status, gateway.upstream.count()), (200, 1));
        assert_eq!(
            answer.documents()[0]["candidates"][0]["finishReason"],
            "STOP"
        );
    }
}

#[tokio::test]
async fn an_error_as_the_first_event_becomes_the_status_when_there_is_no_other_key() {
    for way in Way::ALL {
        let script = way
            .script()
            .rule(first_event_is("400_invalid_argument.json"));
        let gateway = TestGateway::new().upstream(script).start().await;
        let answer = gateway.send(way.request()).await;
        assert_eq!(
            (answer.status, gateway.upstream.count()),
            (400, 1),
            "{way:?}"
        );
        let body = answer.json();
        let error = if way.is_sse() {
            &body["error"]
        } else {
            &body[0]["error"]
        };
        assert_eq!(error["status"], "INVALID_ARGUMENT", "{body}");
    }
}
