//! The verdict on what the fixtures of the manifest do not show.

use std::time::Duration;

use domain::{Certainty, Class, Scope, Usage, Verdict};
use http::HeaderMap;
use http::header::{HeaderValue, RETRY_AFTER};
use providers::perplexity::{Asked, chat_answer, judge_error, judge_success};
use providers::{ErrorAnswer, Place};
use serde_json::{Value, json};
use wire::gemini::{AnswerScan, Content, Framing, Summary};

use crate::{fixture, translated};

fn judge(status: u16, headers: &HeaderMap, body: &[u8], place: Place) -> Verdict {
    judge_error(&ErrorAnswer {
        status,
        headers,
        body,
        place,
    })
}

fn summary(framing: Framing, content: Content, body: &[u8]) -> Summary {
    let mut scan = AnswerScan::new(framing, content);
    scan.push(body);
    scan.finish();
    scan.summary().clone()
}

/// The summary of an answer as the caller gets it.
fn of_translated(framing: Framing, body: &[u8]) -> Summary {
    let answer = chat_answer(framing, &Asked::new("sonar", b"{}", 0));
    summary(framing, Content::OpenAi, &translated(answer, [body]))
}

#[test]
fn counts_of_a_translated_answer_are_the_providers() {
    let expected = Usage {
        prompt: 2890,
        output: 41,
        cached: 1664,
        total: 2931,
        ..Usage::default()
    };
    let document = fixture("perplexity/agent_ok.json");
    assert_eq!(
        of_translated(Framing::Json, &document).usage,
        Some(expected)
    );
    let stream = fixture("perplexity/agent_stream.sse");
    assert_eq!(of_translated(Framing::Sse, &stream).usage, Some(expected));
}

/// A refusal with this error object gets this class, for this reason.
fn check(status: u16, error: Value, class: Class, reason: &str) -> Verdict {
    let body = json!({"error": error}).to_string();
    let verdict = judge(status, &HeaderMap::new(), body.as_bytes(), Place::Model);
    assert_eq!(
        (verdict.class, verdict.reason),
        (class, reason),
        "{status}: {body}"
    );
    verdict
}

#[test]
fn credits_are_the_organisations_whatever_the_status() {
    for (status, error) in [
        (402, json!({"message": "Payment Required"})),
        (402, json!(null)),
        (
            401,
            json!({"message": "You exceeded your current quota", "type": "insufficient_quota", "code": 401}),
        ),
        (
            401,
            json!({"message": "Insufficient credits. Please check your billing."}),
        ),
        (403, json!({"message": "no", "code": "insufficient_quota"})),
        (429, json!({"message": "no", "type": "insufficient_quota"})),
    ] {
        let verdict = check(status, error, Class::Billing, "credits_exhausted");
        assert_eq!(verdict.scope, Scope::Project);
    }
}

#[test]
fn keys_of_the_wrong_kind_are_set_aside_for_good() {
    let error = json!({"message": "This endpoint does not accept organization API keys", "type": "forbidden"});
    for status in [401, 403] {
        let verdict = check(
            status,
            error.clone(),
            Class::KeyRestricted,
            "organization_key",
        );
        assert_eq!(verdict.certainty, Certainty::Decisive);
    }
}

#[test]
fn a_refusal_that_is_not_understood_counts_against_the_key() {
    let verdict = check(
        403,
        json!({"message": "no"}),
        Class::KeyRestricted,
        "forbidden",
    );
    assert_eq!(verdict.certainty, Certainty::Counted);
    let verdict = check(401, json!("no"), Class::KeyInvalid, "unauthenticated");
    assert_eq!(verdict.certainty, Certainty::Counted);
    let page = judge(403, &HeaderMap::new(), b"<html>", Place::Model);
    assert_eq!(page.class, Class::Network);
}

#[test]
fn a_retired_endpoint_never_hurts_a_key() {
    for name in [
        "chat_completions_not_available",
        "agent_api_migration_required",
    ] {
        for (status, member) in [(403, "type"), (403, "code"), (401, "type"), (404, "code")] {
            let error = json!({"message": "billing, API key", member: name});
            check(status, error, Class::GatewayBug, "endpoint_retired");
        }
    }
}

#[test]
fn only_the_model_that_is_not_supported_is_off() {
    let unsupported = json!({"message": "validation failed: model \"x\" is not supported", "type": "invalid_request", "code": 400});
    check(
        400,
        unsupported,
        Class::ModelUnavailable,
        "model_not_supported",
    );
    // What the caller sent may be quoted.
    let quoted = json!({"message": "unknown tool: model \"x\" is not supported"});
    check(400, quoted, Class::BadRequest, "invalid_request");
    let tool = json!({"message": "validation failed: unknown discriminator value: x"});
    check(400, tool, Class::BadRequest, "invalid_request");
}

#[test]
fn limits_of_requests_are_the_organisations_and_of_tokens_the_models() {
    for (message, reason, scope) in [
        (
            "Request rate limit exceeded, please try again later.",
            "request_rate",
            Scope::Project,
        ),
        (
            "Token rate limit exceeded for model x",
            "token_rate",
            Scope::Key,
        ),
        ("The model is overloaded", "model_overloaded", Scope::Key),
    ] {
        let error = json!({"message": message, "type": "rate_limit_exceeded"});
        let verdict = check(429, error, Class::RateLimited, reason);
        assert_eq!((verdict.scope, verdict.delay), (scope, None), "{message}");
    }
}

#[test]
fn the_wait_is_the_headers_else_the_messages() {
    let body = json!({"error": {"message": "slow down, retry after 7 seconds"}}).to_string();
    let mut headers = HeaderMap::new();
    let wait = |headers: &HeaderMap| judge(429, headers, body.as_bytes(), Place::Model).delay;
    assert_eq!(wait(&headers), Some(Duration::from_secs(7)));
    headers.insert(RETRY_AFTER, HeaderValue::from_static("2.5"));
    assert_eq!(wait(&headers), Some(Duration::from_millis(2500)));
}

#[test]
fn the_status_decides_where_the_body_says_nothing() {
    for (status, class) in [
        (302, Class::GatewayBug),
        (404, Class::BadRequest),
        (405, Class::BadRequest),
        (408, Class::Timeout),
        (413, Class::BadRequest),
        (422, Class::BadRequest),
        (500, Class::ServerError),
        (502, Class::ServerError),
        (503, Class::Overloaded),
        (504, Class::Timeout),
        (520, Class::ServerError),
        (524, Class::Timeout),
    ] {
        for body in [
            &b""[..],
            b"<html>",
            b"{}",
            b"{\"detail\":\"x\"}",
            b"[",
            b"\xff",
        ] {
            let verdict = judge(status, &HeaderMap::new(), body, Place::Model);
            assert_eq!(verdict.class, class, "{status}: {body:?}");
        }
    }
    let lost = judge(404, &HeaderMap::new(), b"{}", Place::Resource);
    assert_eq!(lost.class, Class::AffinityMiss);
}

#[test]
fn words_of_validation_are_read_from_every_shape() {
    let text = "model \"x\" is not supported";
    for detail in [json!(text), json!([{"loc": [], "msg": text, "type": "v"}])] {
        let body = json!({"detail": detail}).to_string();
        let verdict = judge(422, &HeaderMap::new(), body.as_bytes(), Place::Model);
        assert_eq!(verdict.class, Class::ModelUnavailable, "{body}");
    }
}

#[test]
fn failures_inside_a_success_are_judged_by_their_names() {
    for (error, class) in [
        (
            json!({"type": "server_error", "code": "search_failed"}),
            Class::ServerError,
        ),
        (json!({"type": "who_knows"}), Class::ServerError),
        (
            json!({"type": "rate_limit_exceeded", "code": 429}),
            Class::RateLimited,
        ),
        (json!({"code": 503}), Class::Overloaded),
        (
            json!({"type": "invalid_request", "message": "bad"}),
            Class::BadRequest,
        ),
        (json!({"type": "insufficient_quota"}), Class::Billing),
        (json!({"type": "invalid_api_key"}), Class::KeyInvalid),
    ] {
        let document = json!({"status": "failed", "error": error}).to_string();
        let seen = of_translated(Framing::Json, document.as_bytes());
        assert_eq!(judge_success(&seen, false).class, class, "{document}");
        let event = json!({"type": "response.failed", "error": error});
        let seen = of_translated(Framing::Sse, format!("data: {event}\n\n").as_bytes());
        assert_eq!(judge_success(&seen, true).class, class, "{event}");
    }
}

#[test]
fn what_comes_before_a_break_decides_what_it_means() {
    let text = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n";
    let failed = "data: {\"type\":\"response.failed\",\"error\":{\"message\":\"no\"}}\n\n";
    let empty =
        "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n";
    for (body, class) in [
        (text.to_owned(), Class::Truncated),
        (format!("{text}{failed}"), Class::Truncated),
        (failed.to_owned(), Class::ServerError),
        (empty.to_owned(), Class::EmptyAnswer),
        (String::new(), Class::EmptyAnswer),
        (format!("{text}{empty}"), Class::Ok),
    ] {
        let seen = of_translated(Framing::Sse, body.as_bytes());
        assert_eq!(judge_success(&seen, true).class, class, "{body}");
    }
}
