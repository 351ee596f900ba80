//! Perplexity's failures: in words, in pages, and in answers with status 200.

use fake_upstream::{FakeKey, KeyFault, Rule, perplexity};
use serde_json::json;

use super::{KEY, MODEL, ONE, OTHER, TWO, all_active, ask, attempts, start, stream, upstream};
use crate::support::talk::{chat, chunks, is_done, refused, said};

fn responses() -> Rule {
    Rule::new().path_contains("/v1/responses")
}

#[tokio::test]
async fn an_answer_that_failed_is_asked_for_again() {
    for failed in [
        responses().failed().times(1),
        responses()
            .fixture("perplexity/agent_failed_200.json")
            .times(1),
    ] {
        let gateway = start(perplexity().rule(failed), ONE).await;
        let answer = ask(&gateway).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(said(&answer).contains("Oslo"));
        assert_eq!(attempts(&gateway, &answer).await, "server_error ok");
        assert!(all_active(&gateway));
    }
}

#[tokio::test]
async fn an_answer_that_keeps_failing_is_an_error() {
    let gateway = start(perplexity().rule(responses().failed()), ONE).await;
    for answer in [ask(&gateway).await, stream(&gateway).await] {
        assert!(answer.status >= 500, "{} {}", answer.status, answer.text());
        let message = refused(&answer, answer.status);
        assert!(message.contains("Upstream provider error"), "{message}");
    }
    assert!(upstream(&gateway).count() > 2);
}

#[tokio::test]
async fn a_stream_that_fails_before_it_says_anything_is_asked_for_again() {
    for rule in [
        responses().failed().times(1),
        responses()
            .fixture("perplexity/agent_stream_failed.sse")
            .times(1),
        responses().cut_after_chunks(1).times(1),
    ] {
        let gateway = start(perplexity().rule(rule), ONE).await;
        let answer = stream(&gateway).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            said(&answer).contains("Oslo") && is_done(&answer),
            "{}",
            answer.text()
        );
        assert_eq!(attempts(&gateway, &answer).await, "server_error ok");
    }
}

const TORN: &str = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\"}}\n\n\
event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"output_index\":0,\"delta\":\"Oslo is\"}\n\n";
const FAILED: &str = "event: response.failed\ndata: {\"type\":\"response.failed\",\"error\":{\"code\":\"internal_error\",\"message\":\"it broke\",\"type\":\"server_error\"}}\n\n";

#[tokio::test]
async fn a_stream_that_fails_after_it_has_begun_ends_with_an_error() {
    for body in [format!("{TORN}{FAILED}"), TORN.to_owned()] {
        let events = [("content-type", "text/event-stream")];
        let rule = responses().respond_with(200, &events, body.clone());
        let gateway = start(perplexity().rule(rule), ONE).await;
        let answer = stream(&gateway).await;
        assert_eq!(said(&answer), "Oslo is", "{}", answer.text());
        let error = &chunks(&answer).pop().unwrap()["error"];
        assert!(error["message"].is_string(), "{}", answer.text());
        assert_eq!(attempts(&gateway, &answer).await.split(' ').count(), 1);
        assert_eq!(upstream(&gateway).count(), 1);
        assert!(gateway.record_of(&answer).await.error.is_some());
    }
}

#[tokio::test]
async fn what_is_about_keys_stays_here_also_in_mid_answer() {
    let failed = |kind: &str, message: &str| {
        let error = json!({"message": message, "type": kind, "code": 401});
        let event =
            json!({"type": "response.failed", "response": {"status": "failed", "error": error}});
        format!("{TORN}event: response.failed\ndata: {event}\n\n")
    };
    for (kind, message) in [
        ("invalid_api_key", "Invalid API key"),
        ("insufficient_quota", "You have no credits"),
    ] {
        let events = [("content-type", "text/event-stream")];
        let rule = responses().respond_with(200, &events, failed(kind, message));
        let gateway = start(perplexity().rule(rule), ONE).await;
        let answer = stream(&gateway).await;
        assert_eq!(said(&answer), "Oslo is", "{}", answer.text());
        let error = &chunks(&answer).pop().unwrap()["error"];
        assert_eq!(error["type"], "server_error", "{error}");
        for word in [kind, message] {
            assert!(!answer.text().contains(word), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_left_for_the_next_whatever_it_is_told_with() {
    for fault in [
        KeyFault::Invalid,
        KeyFault::InvalidOld,
        KeyFault::PrepayLegacy,
        KeyFault::PrepayDepleted,
        KeyFault::WrongKind,
        KeyFault::NoPermission,
    ] {
        let keys = perplexity()
            .key(FakeKey::new(KEY).fault(fault))
            .key(FakeKey::new(OTHER));
        let gateway = start(keys, TWO).await;
        let answer = ask(&gateway).await;
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
        assert_eq!(upstream(&gateway).count_for_key(KEY), 1, "{fault:?}");
        let alone = perplexity().key(FakeKey::new(KEY).fault(fault));
        let gateway = start(alone, ONE).await;
        let message = refused(&ask(&gateway).await, 503);
        for word in ["quota", "API key", "credits", "401", KEY] {
            assert!(!message.contains(word), "{fault:?}: {message}");
        }
    }
}

#[tokio::test]
async fn a_limit_is_kept_for_as_long_as_it_says() {
    let busy = r#"{"error":{"message":"Request rate limit exceeded","type":"rate_limit_exceeded","code":429}}"#;
    let rule = responses()
        .key(KEY)
        .respond_with(429, &[("retry-after", "7")], busy);
    let gateway = start(perplexity().rule(rule), ONE).await;
    for asked in [1, 1] {
        let answer = ask(&gateway).await;
        refused(&answer, 503);
        let after: u64 = answer.header("retry-after").parse().unwrap();
        assert!((6..=9).contains(&after), "{after}");
        assert_eq!(upstream(&gateway).count(), asked);
    }
    let rule = responses()
        .key(KEY)
        .respond_with(429, &[("retry-after", "7")], busy);
    let gateway = start(perplexity().rule(rule), TWO).await;
    assert_eq!(ask(&gateway).await.status, 200);
    assert_eq!(ask(&gateway).await.status, 200);
    assert_eq!(upstream(&gateway).count_for_key(KEY), 1);
}

#[tokio::test]
async fn the_callers_mistakes_are_told_and_hurt_no_key() {
    let gateway = start(perplexity(), ONE).await;
    let unknown = gateway
        .talk(chat("perplexity/openai/gpt-99", "Hello", json!({})))
        .await;
    refused(&unknown, 404);
    assert_eq!(unknown.json()["error"]["code"], "model_not_found");
    let hot = gateway
        .talk(chat(MODEL, "Hello", json!({"temperature": 9})))
        .await;
    assert!(matches!(hot.status, 400 | 422), "{}", hot.text());
    refused(&hot, hot.status);
    assert!(all_active(&gateway));
    assert_eq!(ask(&gateway).await.status, 200);
}

#[tokio::test]
async fn an_answer_without_anything_is_asked_for_again() {
    for kind in [
        fake_upstream::EmptyKind::NoCandidates,
        fake_upstream::EmptyKind::EmptyText,
    ] {
        let gateway = start(perplexity().rule(responses().empty(kind).times(1)), ONE).await;
        let answer = ask(&gateway).await;
        assert!(
            said(&answer).contains("Oslo"),
            "{kind:?}: {}",
            answer.text()
        );
        assert_eq!(
            attempts(&gateway, &answer).await,
            "empty_answer ok",
            "{kind:?}"
        );
    }
}
