//! Verdicts on OpenAI's kind and xAI that no fixture shows: every row of the failover table, foreign bodies, delays,
//! errors inside successes.

use std::time::Duration;

use domain::{Certainty, Class, Scope, Verdict};
use http::{HeaderMap, HeaderValue};
use providers::{Api, ErrorAnswer, Place};
use wire::gemini::{AnswerScan, Content, Framing};

fn judge_with(api: Api, status: u16, headers: &HeaderMap, body: &str) -> Verdict {
    api.judge_error(&ErrorAnswer {
        status,
        headers,
        body: body.as_bytes(),
        place: Place::OpenAi,
    })
}

fn judge(api: Api, status: u16, body: &str) -> Verdict {
    judge_with(api, status, &HeaderMap::new(), body)
}

fn check(api: Api, rows: &[(u16, &str, Class, &str)]) {
    for (status, body, class, reason) in rows {
        let verdict = judge(api, *status, body);
        let seen = (verdict.class, verdict.reason);
        assert_eq!(
            seen,
            (*class, *reason),
            "{api:?} {status} {body}: {verdict:?}"
        );
    }
}

/// xAI's shape.
fn native(text: &str) -> String {
    format!(r#"{{"code":"some-code","error":"{text}"}}"#)
}

const PAGE: &str = "<!DOCTYPE html><title>Just a moment...</title>";

#[test]
fn words_come_before_the_status() {
    let rows = [
        (
            400,
            r#"{"error":{"message":"m","code":"invalid_api_key"}}"#,
            Class::KeyInvalid,
            "invalid_api_key",
        ),
        (
            400,
            r#"{"error":{"message":"Incorrect API key provided: a***b."}}"#,
            Class::KeyInvalid,
            "invalid_api_key",
        ),
        (
            401,
            r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: m."}}"#,
            Class::KeyRestricted,
            "missing_scope",
        ),
        (
            403,
            r#"{"error":{"message":"m","type":"insufficient_quota"}}"#,
            Class::Billing,
            "insufficient_quota",
        ),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details."}}"#,
            Class::Billing,
            "insufficient_quota",
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"model_not_found"}}"#,
            Class::ModelUnavailable,
            "model_not_found",
        ),
        (
            403,
            r#"{"error":{"message":"m","code":"unsupported_country_region_territory"}}"#,
            Class::Region,
            "location_unsupported",
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"content_policy_violation"}}"#,
            Class::Blocked,
            "content_policy_violation",
        ),
        (
            400,
            r#"{"error":{"message":"invalid value: 'incorrect api key provided'"}}"#,
            Class::BadRequest,
            "refused",
        ),
    ];
    check(Api::OpenAi, &rows);
    check(Api::Xai, &rows);
}

#[test]
fn every_status_means_something() {
    let rows = [
        (302, "", Class::GatewayBug, "redirect"),
        (400, "", Class::BadRequest, "refused"),
        (401, "", Class::KeyInvalid, "unauthenticated"),
        (402, "", Class::Billing, "payment_required"),
        (403, "", Class::KeyRestricted, "forbidden"),
        (403, PAGE, Class::Network, "web_page"),
        (404, "404 page not found", Class::BadRequest, "refused"),
        (
            404,
            r#"{"detail":"The model `m` does not exist."}"#,
            Class::ModelUnavailable,
            "model_not_found",
        ),
        (405, "", Class::BadRequest, "refused"),
        (408, "", Class::Timeout, "timeout"),
        (410, "", Class::BadRequest, "refused"),
        (413, "", Class::BadRequest, "refused"),
        (415, "", Class::BadRequest, "refused"),
        (422, r#"{"detail":[]}"#, Class::BadRequest, "refused"),
        (425, "", Class::Timeout, "timeout"),
        (429, "", Class::RateLimited, "rate_limit"),
        (499, "", Class::ServerError, "cancelled"),
        (500, PAGE, Class::ServerError, "server_error"),
        (501, "", Class::BadRequest, "unimplemented"),
        (502, PAGE, Class::ServerError, "server_error"),
        (503, PAGE, Class::Overloaded, "overloaded"),
        (504, "", Class::Timeout, "deadline_exceeded"),
        (
            500,
            r#"{"error":{"type":"overloaded_error","message":"m"}}"#,
            Class::Overloaded,
            "overloaded",
        ),
        (529, "", Class::Overloaded, "overloaded"),
        (599, "", Class::ServerError, "server_error"),
    ];
    check(Api::OpenAi, &rows);
    check(Api::Xai, &rows);
}

#[test]
fn xais_sentences_are_understood() {
    let denied = native("The API key is not allowed to use model grok-4.6");
    let newly = native("Your newly created team doesn't have any credits yet.");
    let balance = native("usage balance exhausted");
    let free = native("Free usage quota exceeded");
    let tokens = native("Your team's rate limit is - Tokens per Minute (actual/limit): 9/8.");
    let busy = native("Service temporarily unavailable");
    let capacity = native("The model is at capacity right now");
    let quoted = native("no such argument: Content violates usage guidelines, 0/0");
    check(
        Api::Xai,
        &[
            (401, "revoked", Class::KeyInvalid, "unauthenticated"),
            (402, &balance, Class::Billing, "balance_exhausted"),
            (403, &newly, Class::Billing, "no_credits"),
            (403, &denied, Class::ModelUnavailable, "permission_denied"),
            (429, &free, Class::QuotaDaily, "free_quota"),
            (429, &tokens, Class::RateLimited, "quota_per_minute"),
            (429, "slow down", Class::RateLimited, "rate_limit"),
            (429, &capacity, Class::Overloaded, "overloaded"),
            (500, &busy, Class::Overloaded, "overloaded"),
            (500, &capacity, Class::Overloaded, "overloaded"),
            (400, &quoted, Class::BadRequest, "refused"),
        ],
    );
}

#[test]
fn money_is_the_teams_and_a_mute_refusal_is_only_counted() {
    for (api, status, body) in [
        (Api::OpenAi, 402, String::new()),
        (
            Api::OpenAi,
            429,
            r#"{"error":{"code":"insufficient_quota"}}"#.to_owned(),
        ),
        (Api::Xai, 402, native("usage balance exhausted")),
    ] {
        let verdict = judge(api, status, &body);
        assert_eq!(verdict.scope, Scope::Project, "{status} {body}");
    }
    for (status, body, certainty) in [
        (401, "", Certainty::Counted),
        (401, PAGE, Certainty::Counted),
        (401, "revoked", Certainty::Suspected),
        (403, "", Certainty::Counted),
    ] {
        let verdict = judge(Api::Xai, status, body);
        assert_eq!(verdict.certainty, certainty, "{status} {body}");
    }
}

#[test]
fn delays_come_from_headers_then_from_words() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after-ms", HeaderValue::from_static("1500"));
    let second = native("Requests per Second (actual/limit): 2/2.");
    let minute = native("Requests per Minute (actual/limit): 9/9. Try again in 17s.");
    let none = HeaderMap::new();
    for (api, status, headers, body, millis) in [
        (Api::OpenAi, 429, &headers, "", Some(1500)),
        (Api::OpenAi, 503, &headers, "", Some(1500)),
        (Api::OpenAi, 500, &headers, "", Some(1500)),
        (
            Api::OpenAi,
            429,
            &none,
            "Please try again in 20s",
            Some(20_000),
        ),
        (Api::OpenAi, 429, &none, "", None),
        (Api::Xai, 429, &headers, &*second, Some(1500)),
        (Api::Xai, 429, &none, &*second, Some(1000)),
        (Api::Xai, 429, &none, &*minute, Some(17_000)),
    ] {
        let verdict = judge_with(api, status, headers, body);
        assert_eq!(
            verdict.delay,
            millis.map(Duration::from_millis),
            "{verdict:?}"
        );
    }
}

fn check_success(
    api: Api,
    content: Content,
    framing: Framing,
    body: &str,
    expected: (Class, &str),
) {
    let mut scan = AnswerScan::new(framing, content);
    scan.push(body.as_bytes());
    scan.finish();
    let verdict = api.judge_success(scan.summary(), framing == Framing::Sse);
    assert_eq!((verdict.class, verdict.reason), expected, "{api:?} {body}");
}

#[test]
fn successes_are_looked_into() {
    let ok = (Class::Ok, "ok");
    for (framing, body, expected) in [
        (
            Framing::Json,
            r#"{"choices":[{"message":{"content":"a"}}]}"#,
            ok,
        ),
        (
            Framing::Json,
            r#"{"choices":[{"finish_reason":"length"}]}"#,
            ok,
        ),
        (Framing::Json, r#"{"status":"queued"}"#, ok),
        (
            Framing::Json,
            r#"{"choices":[{"finish_reason":"content_filter"}]}"#,
            (Class::Blocked, "candidate_blocked"),
        ),
        (
            Framing::Json,
            r#"{"choices":[]}"#,
            (Class::EmptyAnswer, "no_choices"),
        ),
        (
            Framing::Json,
            r#"{"choices":[{"finish_reason":"stop"}]}"#,
            (Class::EmptyAnswer, "no_message"),
        ),
        (Framing::Json, PAGE, (Class::ServerError, "not_json")),
        (
            Framing::Json,
            r#"{"choices""#,
            (Class::ServerError, "cut_before_content"),
        ),
        (
            Framing::Sse,
            "data: [DONE]\n\n",
            (Class::EmptyAnswer, "empty_stream"),
        ),
        (
            Framing::Sse,
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
            (Class::Truncated, "cut_after_content"),
        ),
    ] {
        for api in [Api::OpenAi, Api::Xai] {
            check_success(api, Content::OpenAi, framing, body, expected);
        }
    }
    // An answer that is being made has no body yet.
    check_success(Api::Xai, Content::Any, Framing::Json, "", ok);
    check_success(Api::OpenAi, Content::Any, Framing::Json, "[]", ok);
}

#[test]
fn an_error_inside_a_stream_is_judged_like_a_refusal() {
    for (api, event, expected) in [
        (
            Api::OpenAi,
            r#"{"error":{"message":"m","type":"rate_limit_error"}}"#,
            (Class::RateLimited, "rate_limit"),
        ),
        (
            Api::OpenAi,
            r#"{"error":{"message":"m","code":503}}"#,
            (Class::Overloaded, "overloaded"),
        ),
        (
            Api::OpenAi,
            r#"{"type":"error","code":"invalid_api_key","message":"m"}"#,
            (Class::KeyInvalid, "invalid_api_key"),
        ),
        (
            Api::OpenAi,
            r#"{"error":{"message":"m"}}"#,
            (Class::ServerError, "server_error"),
        ),
        (
            Api::Xai,
            r#"{"code":"resource-exhausted","error":"Requests per Second (actual/limit): 2/2."}"#,
            (Class::RateLimited, "quota_per_second"),
        ),
        (
            Api::Xai,
            r#"{"code":"permission-denied","error":"Your team x has either used all available credits or more."}"#,
            (Class::Billing, "credits_spent"),
        ),
    ] {
        let body = format!("data: {event}\n\n");
        check_success(api, Content::OpenAi, Framing::Sse, &body, expected);
    }
}

proptest::proptest! {
    #[test]
    fn no_answer_panics(status in 300..600_u16, body: Vec<u8>, text: String) {
        for api in [Api::OpenAi, Api::Xai] {
            let body = String::from_utf8_lossy(&body);
            judge(api, status, &body);
            judge(api, status, &native(&text));
        }
    }
}
