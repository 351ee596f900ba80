//! Verdicts that no fixture shows: delays and their precedence, mixed quotas, damaged and foreign bodies.

use std::time::Duration;

use domain::{Certainty, Class, Harm, QuotaHint, Scope, Verdict};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use providers::google::{judge_close, judge_error, judge_success};
use providers::{ErrorAnswer, Place};
use serde_json::{Value, json};
use wire::gemini::{AnswerScan, Content, Framing};

fn judge_at(place: Place, status: u16, body: &[u8], headers: &HeaderMap) -> Verdict {
    judge_error(&ErrorAnswer {
        status,
        headers,
        body,
        place,
    })
}

fn judge(status: u16, body: &Value) -> Verdict {
    judge_at(
        Place::Model,
        status,
        body.to_string().as_bytes(),
        &HeaderMap::new(),
    )
}

/// An error whose message says it all.
fn says(status: u16, name: &str, message: &str) -> Verdict {
    judge(
        status,
        &json!({"error": {"code": status, "status": name, "message": message}}),
    )
}

fn with_reason(status: u16, reason: &str) -> Verdict {
    let details = json!([{"reason": reason, "metadata": {"consumer": "projects/7"}}]);
    judge(
        status,
        &json!({"error": {"code": status, "message": "m", "details": details}}),
    )
}

fn with_quota(violations: &Value, message: &str) -> Verdict {
    let details = json!([{"violations": violations}]);
    judge(
        429,
        &json!({"error": {"code": 429, "message": message, "details": details}}),
    )
}

fn check(verdict: &Verdict, class: Class, reason: &str) {
    assert_eq!(
        (verdict.class, verdict.reason),
        (class, reason),
        "{verdict:?}"
    );
}

#[test]
fn certainty_and_scope_follow_from_the_words() {
    let denied = "PERMISSION_DENIED";
    let invalid = "INVALID_ARGUMENT";
    let table = [
        (
            says(400, invalid, "API key not valid. Please"),
            Class::KeyInvalid,
            Certainty::Suspected,
            Scope::Key,
        ),
        (
            says(400, invalid, "API Key not found. Please"),
            Class::KeyInvalid,
            Certainty::Suspected,
            Scope::Key,
        ),
        (
            says(400, invalid, "API key expired. Please"),
            Class::KeyInvalid,
            Certainty::Decisive,
            Scope::Key,
        ),
        (
            says(403, denied, "Your API key was reported as leaked."),
            Class::KeyInvalid,
            Certainty::Decisive,
            Scope::Key,
        ),
        (
            says(403, denied, "Your project has been denied access."),
            Class::AcctSuspended,
            Certainty::Decisive,
            Scope::Project,
        ),
        (
            says(401, "UNAUTHENTICATED", "who?"),
            Class::KeyInvalid,
            Certainty::Suspected,
            Scope::Key,
        ),
        (
            says(401, "", ""),
            Class::KeyInvalid,
            Certainty::Counted,
            Scope::Key,
        ),
        (
            says(403, "", ""),
            Class::KeyRestricted,
            Certainty::Counted,
            Scope::Key,
        ),
        (
            with_reason(403, "API_KEY_IP_ADDRESS_BLOCKED"),
            Class::KeyRestricted,
            Certainty::Decisive,
            Scope::Key,
        ),
        (
            with_reason(403, "SERVICE_DISABLED"),
            Class::KeyRestricted,
            Certainty::Suspected,
            Scope::Project,
        ),
        (
            with_reason(403, "CONSUMER_SUSPENDED"),
            Class::AcctSuspended,
            Certainty::Decisive,
            Scope::Project,
        ),
    ];
    for (verdict, class, certainty, scope) in table {
        let seen = (verdict.class, verdict.certainty, verdict.scope);
        assert_eq!(seen, (class, certainty, scope), "{verdict:?}");
    }
}

#[test]
fn what_the_caller_did_never_hurts_a_key() {
    let table = [
        (
            says(
                400,
                "INVALID_ARGUMENT",
                "Unknown name \"API key not valid\"",
            ),
            "invalid_argument",
        ),
        (
            says(400, "INVALID_ARGUMENT", "please enable billing"),
            "invalid_argument",
        ),
        (
            says(400, "FAILED_PRECONDITION", "not in an ACTIVE state"),
            "failed_precondition",
        ),
        (
            says(
                401,
                "UNAUTHENTICATED",
                "API keys are not supported by this API. Expected OAuth2",
            ),
            "oauth_required",
        ),
        (with_reason(401, "CREDENTIALS_MISSING"), "oauth_required"),
        (says(405, "", ""), "refused"),
        (says(409, "ABORTED", "twice"), "refused"),
        (says(413, "", ""), "refused"),
        (says(415, "", ""), "refused"),
        (says(404, "", ""), "not_found"),
        (says(501, "UNIMPLEMENTED", ""), "unimplemented"),
    ];
    for (verdict, reason) in table {
        check(&verdict, Class::BadRequest, reason);
    }
}

#[test]
fn money_is_told_from_speed() {
    for (verdict, reason) in [
        (
            says(
                429,
                "RESOURCE_EXHAUSTED",
                "Your prepayment credits are depleted.",
            ),
            "prepay_depleted",
        ),
        (
            says(
                429,
                "RESOURCE_EXHAUSTED",
                "Please switch your billing account to Prepay",
            ),
            "prepay_depleted",
        ),
        (
            says(
                429,
                "RESOURCE_EXHAUSTED",
                "exceeded its monthly spending cap",
            ),
            "spend_cap",
        ),
        (
            says(429, "RESOURCE_EXHAUSTED", "spend-based limit reached"),
            "spend_rate",
        ),
        (says(402, "", ""), "payment_required"),
        (
            says(
                400,
                "FAILED_PRECONDITION",
                "Please enable billing on project",
            ),
            "billing_disabled",
        ),
        (
            says(
                403,
                "PERMISSION_DENIED",
                "This method requires billing to be enabled.",
            ),
            "billing_disabled",
        ),
        (with_reason(403, "BILLING_DISABLED"), "billing_disabled"),
    ] {
        check(&verdict, Class::Billing, reason);
        assert_eq!(verdict.scope, Scope::Project);
    }
}

#[test]
fn the_delay_comes_from_the_surest_source() {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, "7".parse().unwrap());
    let delay = |error: Value| {
        let body = json!({"error": error}).to_string();
        let verdict = judge_at(Place::Model, 429, body.as_bytes(), &headers);
        verdict.delay.map(|delay| delay.as_millis())
    };
    let info = json!({"retryDelay": "5.5s"});
    let zero = json!({"retryDelay": "0s"});
    let reset = json!({"metadata": {"quotaResetDelay": "539.477544ms"}});
    let text = "Please retry in 1m2s.";
    assert_eq!(
        delay(json!({"message": text, "details": [info, reset]})),
        Some(5_500)
    );
    assert_eq!(
        delay(json!({"message": text, "details": [zero, reset]})),
        Some(0)
    );
    assert_eq!(
        delay(json!({"message": text, "details": [reset]})),
        Some(62_000)
    );
    assert_eq!(
        delay(json!({"message": "m", "details": [reset]})),
        Some(539)
    );
    assert_eq!(delay(json!({"message": "m"})), Some(7_000));
    headers.insert(
        RETRY_AFTER,
        "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap(),
    );
    let verdict = judge_at(Place::Model, 429, br#"{"error":{"message":"m"}}"#, &headers);
    assert_eq!(verdict.delay, None);
}

#[test]
fn a_minute_quota_without_hint_takes_its_minute() {
    let violations = json!([{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]);
    let verdict = with_quota(&violations, "m");
    check(&verdict, Class::RateLimited, "quota_per_minute");
    assert_eq!(verdict.delay, Some(Duration::from_secs(60)));
}

#[test]
fn a_days_quota_beats_a_minutes() {
    let violations = json!([
        {"quotaId": "XPerMinute", "quotaValue": "10", "quotaDimensions": {"model": "a"}},
        {"quotaId": "YperdayZ", "quotaValue": "50", "quotaDimensions": {"model": "b"}},
        {"quotaMetric": "x/requests_per_day", "quotaValue": "20"},
    ]);
    let verdict = with_quota(&violations, "Please retry in 12.9s.");
    check(&verdict, Class::QuotaDaily, "quota_per_day");
    assert_eq!(verdict.delay, Some(Duration::from_millis(12_900)));
    assert_eq!(
        verdict.quota,
        QuotaHint {
            limit: Some(20),
            model: Some("b".to_owned())
        }
    );
}

#[test]
fn quotas_told_in_metadata_count_too() {
    let metadata = json!({
        "quota_limit": "GenerateContentRequestsPerDayPerProject", "quota_limit_value": "1500",
        "consumer": "projects/7",
    });
    let details = json!([{"reason": "RATE_LIMIT_EXCEEDED", "metadata": metadata}]);
    let verdict = judge(429, &json!({"error": {"message": "m", "details": details}}));
    check(&verdict, Class::QuotaDaily, "quota_per_day");
    assert_eq!(verdict.quota.limit, Some(1500));
    assert_eq!(verdict.consumer.as_deref(), Some("projects/7"));
}

#[test]
fn a_tools_quota_is_not_the_models() {
    let tool = json!({"quotaMetric": "x/google_search_grounding_requests", "quotaId": "PerDay", "quotaValue": "0"});
    let model = json!({"quotaMetric": "x/requests", "quotaId": "RequestsPerDay"});
    check(
        &with_quota(&json!([tool]), "limit: 0"),
        Class::ToolQuota,
        "tool_quota",
    );
    check(
        &with_quota(&json!([tool, model]), "m"),
        Class::QuotaDaily,
        "quota_per_day",
    );
}

#[test]
fn only_a_limit_of_zero_means_no_quota_at_all() {
    for (message, zero) in [
        ("limit: 0", true),
        ("limit: 0, model: x", true),
        ("limit: 0.", true),
        ("limit: 0.5", false),
        ("limit: 01", false),
        ("limit: 10", false),
    ] {
        let violations = json!([{"quotaId": "XPerMinute"}]);
        let class = with_quota(&violations, message).class;
        assert_eq!(class == Class::ModelUnavailable, zero, "{message}");
    }
    let violations = json!([{"quotaId": "XPerDay", "quotaValue": "0"}]);
    check(
        &with_quota(&violations, "m"),
        Class::ModelUnavailable,
        "limit_zero",
    );
}

#[test]
fn a_consumer_that_is_a_key_is_no_project() {
    let details =
        json!([{"reason": "CONSUMER_SUSPENDED", "metadata": {"consumer": "api_key:AIzaX"}}]);
    let verdict = judge(403, &json!({"error": {"message": "m", "details": details}}));
    check(&verdict, Class::AcctSuspended, "consumer_suspended");
    assert_eq!(verdict.consumer, None);
}

#[test]
fn what_is_denied_depends_on_the_place() {
    let body = br#"{"error":{"status":"PERMISSION_DENIED","message":"The caller does not have permission"}}"#;
    let headers = HeaderMap::new();
    for (place, class) in [
        (Place::Model, Class::ModelUnavailable),
        (Place::OpenAi, Class::ModelUnavailable),
        (Place::Resource, Class::AffinityMiss),
    ] {
        assert_eq!(
            judge_at(place, 403, body, &headers).class,
            class,
            "{place:?}"
        );
    }
}

#[test]
fn codes_of_interactions_are_understood() {
    for (status, code, class) in [
        (400, "invalid_request", Class::BadRequest),
        (401, "authentication", Class::KeyInvalid),
        (402, "payment_required", Class::Billing),
        (403, "permission_denied", Class::ModelUnavailable),
        (404, "not_found", Class::AffinityMiss),
        (404, "model_not_found", Class::ModelUnavailable),
        (409, "already_exists", Class::BadRequest),
        (429, "quota_exceeded", Class::QuotaDaily),
        (429, "too_many_requests", Class::RateLimited),
        (499, "cancelled", Class::ServerError),
        (500, "api_error", Class::ServerError),
        (503, "service_unavailable", Class::Overloaded),
        (504, "deadline_exceeded", Class::Timeout),
        (400, "safety", Class::Blocked),
        (400, "image_prohibited_content", Class::Blocked),
        (400, "content_blocked", Class::Blocked),
        (500, "malformed_tool_call", Class::EmptyAnswer),
        (400, "missing_thought_signature", Class::BadRequest),
    ] {
        let verdict = judge(status, &json!({"error": {"code": code, "message": "m"}}));
        assert_eq!(verdict.class, class, "{code}");
        let event = json!({"event_type": "error", "error": {"code": code, "message": "m"}});
        let verdict = success(Content::Interaction, &format!("data: {event}\n\n"));
        assert_eq!(verdict.class, class, "{code} in a stream");
    }
}

#[test]
fn unusual_bodies_are_judged_by_what_is_left_of_them() {
    let huge = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(10 << 20));
    let table: &[(u16, &[u8], Class)] = &[
        (
            403,
            br#"{"error":{"code":403,"message":"Your API key was reported as leaked. Pl"#,
            Class::KeyInvalid,
        ),
        (
            429,
            br#"{"error":{"code":429,"message":"quota","details":[{"viol"#,
            Class::RateLimited,
        ),
        (500, huge.as_bytes(), Class::ServerError),
        (400, huge.as_bytes(), Class::BadRequest),
        (503, b"", Class::Overloaded),
        (429, b"", Class::RateLimited),
        (404, b"<html>API key not valid</html>", Class::BadRequest),
        (
            400,
            "{\"error\":{\"message\":\"Ключ 🔑\"}}".as_bytes(),
            Class::BadRequest,
        ),
        (400, b"\xff\xfe{\"error\"", Class::BadRequest),
        (500, b"[[[[[[", Class::ServerError),
        (302, b"", Class::GatewayBug),
        (418, b"{}", Class::BadRequest),
        (599, b"{}", Class::ServerError),
    ];
    for (status, body, class) in table {
        let verdict = judge_at(Place::Model, *status, body, &HeaderMap::new());
        assert_eq!(verdict.class, *class, "{status} {verdict:?}");
    }
}

/// The verdict on an event stream that ended.
fn success(content: Content, stream: &str) -> Verdict {
    let mut scan = AnswerScan::new(Framing::Sse, content);
    scan.push(stream.as_bytes());
    scan.finish();
    judge_success(scan.summary(), true)
}

fn one_document(content: Content, body: &str) -> Verdict {
    let mut scan = AnswerScan::new(Framing::Json, content);
    scan.push(body.as_bytes());
    scan.finish();
    judge_success(scan.summary(), false)
}

#[test]
fn streams_that_end_early_are_told_apart() {
    let text = r#"data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;
    for (stream, class, reason) in [
        ("", Class::EmptyAnswer, "empty_stream"),
        (
            "data: {\"usageMetadata\":{}}\n\n",
            Class::EmptyAnswer,
            "empty_stream",
        ),
        (
            "data: {\"candidates\":[",
            Class::ServerError,
            "cut_before_content",
        ),
        ("data: oops!\n\n", Class::ServerError, "not_json"),
        (
            &format!("{text}\n\n"),
            Class::Truncated,
            "cut_after_content",
        ),
        (
            &format!("{text}\n\ndata: {{"),
            Class::Truncated,
            "cut_after_content",
        ),
        (
            "data: {\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"m\"}}\n\n",
            Class::RateLimited,
            "resource_exhausted",
        ),
        (
            "data: {\"error\":{\"code\":400,\"message\":\"API key expired. Renew\"}}\n\n",
            Class::KeyInvalid,
            "api_key_expired",
        ),
    ] {
        check(&success(Content::Generate, stream), class, reason);
    }
}

#[test]
fn successes_without_content_are_told_apart() {
    let finished = |reason: &str| {
        let body = json!({"candidates": [{"finishReason": reason}]}).to_string();
        one_document(Content::Generate, &body).class
    };
    for (reason, class) in [
        ("STOP", Class::EmptyAnswer),
        ("MAX_TOKENS", Class::Ok),
        ("CONTINUATION", Class::Ok),
        ("IMAGE_SAFETY", Class::Blocked),
        ("MALFORMED_RESPONSE", Class::EmptyAnswer),
        ("OTHER", Class::EmptyAnswer),
        ("MISSING_THOUGHT_SIGNATURE", Class::BadRequest),
        ("PUP_LIMITED_DISABLED", Class::AcctSuspended),
        ("WHO_KNOWS", Class::EmptyAnswer),
    ] {
        assert_eq!(finished(reason), class, "{reason}");
    }
    for (content, body, class) in [
        (Content::Any, "{}", Class::Ok),
        (Content::Any, "", Class::Ok),
        (Content::Any, "<html>", Class::ServerError),
        (Content::Any, r#"{"name":"#, Class::Truncated),
        (
            Content::Any,
            r#"{"error":{"code":503,"message":"m"}}"#,
            Class::Overloaded,
        ),
        (
            Content::Interaction,
            r#"{"id":"i","status":"in_progress"}"#,
            Class::Ok,
        ),
        (
            Content::Interaction,
            r#"{"id":"i","status":"completed","steps":[]}"#,
            Class::EmptyAnswer,
        ),
        (
            Content::Interaction,
            r#"{"id":"i","status":"failed"}"#,
            Class::ServerError,
        ),
        (Content::Generate, "<html>", Class::ServerError),
    ] {
        assert_eq!(one_document(content, body).class, class, "{body}");
    }
}

#[test]
fn chats_without_content_are_told_apart() {
    let finished = |reason: &str| {
        let choice = json!({"index": 0, "message": {"role": "assistant", "content": ""},
            "finish_reason": reason});
        one_document(Content::OpenAi, &json!({"choices": [choice]}).to_string())
    };
    for (reason, class, why) in [
        ("stop", Class::EmptyAnswer, "no_message"),
        ("length", Class::Ok, "ok"),
        ("content_filter", Class::Blocked, "candidate_blocked"),
        (
            "content_filter: PROHIBITED_CONTENT",
            Class::Blocked,
            "candidate_blocked",
        ),
        (
            "function_call_filter: MALFORMED_FUNCTION_CALL",
            Class::EmptyAnswer,
            "malformed_output",
        ),
        (
            "PUP_LIMITED_DISABLED",
            Class::AcctSuspended,
            "pup_limited_disabled",
        ),
        ("who_knows", Class::EmptyAnswer, "no_message"),
    ] {
        check(&finished(reason), class, why);
    }
}

#[test]
fn documents_of_openais_shape_are_told_apart() {
    for (body, class, reason) in [
        (r#"{"choices":[]}"#, Class::EmptyAnswer, "no_choices"),
        (
            r#"{"object":"list","data":[],"usage":{"total_tokens":0}}"#,
            Class::EmptyAnswer,
            "no_choices",
        ),
        (
            r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#,
            Class::Overloaded,
            "overloaded",
        ),
        (
            r#"{"id":"r","status":"in_progress","output":[]}"#,
            Class::Ok,
            "ok",
        ),
        (
            r#"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}"#,
            Class::Ok,
            "ok",
        ),
        (
            r#"{"incomplete_details":{"reason":"content_filter"},"output":[],"status":"incomplete"}"#,
            Class::Blocked,
            "candidate_blocked",
        ),
        (
            r#"{"status":"failed","error":{"code":"server_error","message":"m"},"output":[]}"#,
            Class::ServerError,
            "server_error",
        ),
        (
            r#"{"status":"completed","output":[{"type":"message","content":[]}]}"#,
            Class::EmptyAnswer,
            "no_message",
        ),
        ("<html>", Class::ServerError, "not_json"),
        (
            r#"{"choices":[{"message":{"content":"One"#,
            Class::Truncated,
            "cut_after_content",
        ),
    ] {
        check(&one_document(Content::OpenAi, body), class, reason);
    }
}

#[test]
fn streams_of_openais_shape_are_told_apart() {
    let text = r#"data: {"choices":[{"delta":{"content":"a"}}]}"#;
    let started = r#"data: {"type":"response.in_progress","response":{"status":"in_progress"}}"#;
    for (stream, class, reason) in [
        ("data: [DONE]\n\n", Class::EmptyAnswer, "empty_stream"),
        (
            &format!("{text}\n\n"),
            Class::Truncated,
            "cut_after_content",
        ),
        (&format!("{text}\n\ndata: [DONE]\n\n"), Class::Ok, "ok"),
        (
            &format!("{text}\n\n[{{\"error\":{{\"code\":503}}}}]\n"),
            Class::Truncated,
            "error_after_content",
        ),
        (
            &format!("{started}\n\n"),
            Class::ServerError,
            "cut_before_content",
        ),
        (
            "data: {\"error\":{\"code\":400,\"message\":\"API key expired. Renew\"}}\n\n",
            Class::KeyInvalid,
            "api_key_expired",
        ),
        (
            "data: {\"type\":\"error\",\"code\":null,\"message\":\"API key expired. Renew\"}\n\n",
            Class::KeyInvalid,
            "api_key_expired",
        ),
    ] {
        check(&success(Content::OpenAi, stream), class, reason);
    }
}

#[test]
fn live_closes_are_told_apart() {
    for (code, reason, class) in [
        (1000, "", Class::Ok),
        (
            1007,
            "API key not valid. Please pass a valid API key.",
            Class::KeyInvalid,
        ),
        (1007, "Invalid frame", Class::BadRequest),
        (1008, "policy", Class::BadRequest),
        (
            1008,
            "models/x is not found for API version v1beta, or is not supported for bidiGenerateContent.",
            Class::ModelUnavailable,
        ),
        (
            1011,
            "Your prepayment credits are depleted.",
            Class::Billing,
        ),
        (1011, "spend limit", Class::Billing),
        (1011, "You exceeded your current quota", Class::RateLimited),
        (
            1011,
            "You exceeded your quota of requests per day",
            Class::QuotaDaily,
        ),
        (1011, "Internal error", Class::Overloaded),
        (1006, "", Class::ServerError),
    ] {
        assert_eq!(judge_close(code, reason).class, class, "{code} {reason}");
    }
}

#[test]
fn overload_asks_for_its_own_pause_and_hurts_no_key() {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, "3".parse().unwrap());
    let verdict = judge_at(Place::Model, 503, b"", &headers);
    assert_eq!(verdict.delay, Some(Duration::from_secs(3)));
    assert_eq!(verdict.class.harm(), Harm::Briefly);
}

#[test]
fn a_suspension_is_understood_without_its_details() {
    let message = "Permission denied: Consumer 'api_key:x' has been suspended.";
    let verdict = says(403, "PERMISSION_DENIED", message);
    check(&verdict, Class::AcctSuspended, "consumer_suspended");
    assert_eq!(
        (verdict.certainty, verdict.scope),
        (Certainty::Decisive, Scope::Project)
    );
}
