//! The Gemini rows of the failover table, one by one: what becomes of the key, of its pair with the model, and what the
//! caller gets. The first of two keys answers as the row says; the second one works.

use domain::Class;
use fake_upstream::{EmptyKind, Rule, gemini};

use crate::support::{MODEL, TestGateway, eventually};

const FIRST: &str = "AIza-key-1";

/// What a row of the table promises.
struct Row {
    answer: Rule,
    class: Class,
    /// The first key afterwards.
    key: &'static str,
    /// Seconds for which its pair with the model is off; within a tenth of jitter.
    pair_s: u64,
    /// What the caller gets, and after how many attempts.
    caller: (u16, usize),
}

/// A caller that is spared: another key answers.
const SPARED: (u16, usize) = (200, 2);

async fn check(row: Row) {
    let script = gemini().says("hello").rule(row.answer.key(FIRST));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys([FIRST, "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .setting("pool.request_timeout", "1s")
        .start()
        .await;
    let answer = gateway.generate().await;
    // What is left of a cooling is read before the record is waited for.
    let (health, cooling) = (gateway.health(0), gateway.pair_cooling(0));
    let record = gateway.only_record().await;
    assert_eq!(
        (answer.status, record.attempts.len()),
        row.caller,
        "{}",
        answer.text()
    );
    if answer.status == 200 {
        assert!(!answer.text().contains("\"error\""), "{}", answer.text());
    }
    assert_eq!(record.attempts[0].outcome.class, row.class);
    assert_eq!(health, row.key);
    let most = row.pair_s + row.pair_s / 10 + 1;
    assert!(
        (row.pair_s..=most).contains(&cooling),
        "cooling for {cooling}s, not {}s",
        row.pair_s
    );
    assert_eq!(gateway.health(1), "active");
}

fn fixture(name: &str) -> Rule {
    Rule::new().fixture(&format!("gemini/errors/{name}"))
}

fn google_error(status: u16, name: &str, message: &str) -> Rule {
    let body = serde_json::json!({"error": {"code": status, "message": message, "status": name}});
    let json = [("content-type", "application/json; charset=UTF-8")];
    Rule::new().respond_with(status, &json, body.to_string())
}

/// Rows about the key itself.
macro_rules! rows {
    ($($name:ident: $answer:expr => $class:ident, key $key:literal, pair $pair:literal, $caller:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let class = Class::$class;
                check(Row { answer: $answer, class, key: $key, pair_s: $pair, caller: $caller }).await;
            }
        )*
    };
}

rows! {
    bad_request_400_api_key_invalid: fixture("400_api_key_invalid.json") => KeyInvalid, key "retired Invalid", pair 0, SPARED;
    bad_request_400_api_key_expired: fixture("400_api_key_expired.json") => KeyInvalid, key "retired Invalid", pair 0, SPARED;
    bad_request_400_api_key_not_found: fixture("400_api_key_not_found.json") => KeyInvalid, key "retired Invalid", pair 0, SPARED;
    bad_request_400_location: fixture("400_location.json") => Region, key "active", pair 0, SPARED;
    bad_request_400_enable_billing: google_error(400, "FAILED_PRECONDITION", "Please enable billing on this project.") => Billing, key "cooling 3600s", pair 0, SPARED;
    bad_request_400_invalid_argument: fixture("400_invalid_argument.json") => BadRequest, key "active", pair 0, (400, 1);
    bad_request_400_unknown_field: fixture("400_unknown_field.json") => BadRequest, key "active", pair 0, (400, 1);
    bad_request_400_missing_thought_signature: fixture("400_missing_thought_signature.json") => BadRequest, key "active", pair 0, (400, 1);
    bad_request_400_token_limit: fixture("400_token_limit.json") => BadRequest, key "active", pair 0, (400, 1);
    unauthenticated_401_access_token_type: fixture("401_access_token_type.json") => KeyInvalid, key "retired Invalid", pair 0, SPARED;
    payment_402_prepayment_depleted: fixture("402_prepay_depleted.json") => Billing, key "cooling 3600s", pair 0, SPARED;
    forbidden_403_leaked: fixture("403_key_leaked.json") => KeyInvalid, key "retired Invalid", pair 0, SPARED;
    forbidden_403_consumer_suspended: fixture("403_consumer_suspended.json") => AcctSuspended, key "retired Suspended", pair 0, SPARED;
    forbidden_403_project_denied: fixture("403_project_denied.json") => AcctSuspended, key "retired Suspended", pair 0, SPARED;
    forbidden_403_service_disabled: fixture("403_service_disabled.json") => KeyRestricted, key "cooling 3600s", pair 0, SPARED;
    forbidden_403_service_blocked: fixture("403_api_key_service_blocked.json") => KeyRestricted, key "retired Restricted", pair 0, SPARED;
    forbidden_403_foreign_file: fixture("403_file_foreign.json") => AffinityMiss, key "active", pair 0, (403, 1);
    forbidden_403_foreign_cache: fixture("403_cache_foreign.json") => AffinityMiss, key "active", pair 0, (403, 1);
    forbidden_403_unregistered_callers: fixture("403_unregistered_callers.json") => GatewayBug, key "active", pair 0, (500, 1);
    forbidden_403_model_not_granted: fixture("403_caller_no_permission.json") => ModelUnavailable, key "active", pair 3600, SPARED;
    not_found_404_model: fixture("404_model.json") => ModelUnavailable, key "active", pair 3600, SPARED;
    not_found_404_model_not_for_new_users: fixture("404_model_new_users.json") => ModelUnavailable, key "active", pair 604_800, SPARED;
    not_found_404_entity: fixture("404_entity.json") => AffinityMiss, key "active", pair 0, (404, 1);
    quota_429_prepayment: fixture("429_prepay_legacy.json") => Billing, key "cooling 3600s", pair 0, SPARED;
    quota_429_spend_cap: fixture("429_spend_cap.json") => Billing, key "cooling 3600s", pair 0, SPARED;
    quota_429_limit_zero: fixture("429_limit_zero.json") => ModelUnavailable, key "active", pair 86400, SPARED;
    quota_429_per_day_is_first_only_suspected: fixture("429_per_day.json") => QuotaDaily, key "active", pair 60, SPARED;
    quota_429_several_violations: fixture("429_multi_violation.json") => QuotaDaily, key "active", pair 60, SPARED;
    quota_429_requests_per_minute: fixture("429_per_minute_requests.json") => RateLimited, key "active", pair 25, SPARED;
    quota_429_tokens_per_minute: fixture("429_tokens_per_minute.json") => RateLimited, key "active", pair 51, SPARED;
    quota_429_paid_tokens_per_minute: fixture("429_paid_tpm.json") => RateLimited, key "active", pair 3, SPARED;
    quota_429_without_details: fixture("429_bare.json") => RateLimited, key "active", pair 5, SPARED;
    cancelled_499: fixture("499_cancelled.json") => ServerError, key "active", pair 0, SPARED;
    internal_500: fixture("500_internal.json") => ServerError, key "active", pair 0, SPARED;
    bad_gateway_502_in_html: fixture("502_html.html") => ServerError, key "active", pair 0, SPARED;
    unavailable_503_overloaded: fixture("503_overloaded.json") => Overloaded, key "active", pair 0, SPARED;
    unavailable_503_high_demand: fixture("503_high_demand.json") => Overloaded, key "active", pair 0, SPARED;
    deadline_504: fixture("504_deadline.json") => Timeout, key "active", pair 0, SPARED;
    success_200_prompt_blocked: Rule::new().blocked_prompt() => Blocked, key "active", pair 0, (200, 1);
    success_200_answer_blocked: Rule::new().blocked_safety() => Blocked, key "active", pair 0, (200, 1);
    success_200_no_candidates: Rule::new().empty(EmptyKind::NoCandidates) => EmptyAnswer, key "active", pair 0, SPARED;
    success_200_stop_without_parts: Rule::new().empty(EmptyKind::StopNoParts) => EmptyAnswer, key "active", pair 0, SPARED;
    success_200_empty_text: Rule::new().empty(EmptyKind::EmptyText) => EmptyAnswer, key "active", pair 0, SPARED;
    success_200_malformed_function_call: Rule::new().fixture("gemini/malformed_function_call.json") => EmptyAnswer, key "active", pair 0, SPARED;
    success_200_out_of_tokens_while_thinking: Rule::new().fixture("gemini/max_tokens_only_thoughts.json") => Ok, key "active", pair 0, (200, 1);
    success_200_account_limited: Rule::new().fixture("gemini/account_limited.json") => AcctSuspended, key "retired Suspended", pair 0, SPARED;
    success_200_that_is_no_json: Rule::new().garbage() => ServerError, key "active", pair 0, SPARED;
    no_answer_in_time: Rule::new().stall_before_head() => Timeout, key "active", pair 0, SPARED;
    connection_reset: Rule::new().reset() => Network, key "active", pair 0, SPARED;
    connection_closed: Rule::new().close() => Network, key "active", pair 0, SPARED;
}

#[tokio::test]
async fn a_tools_quota_does_not_cool_the_model() {
    let body = serde_json::json!({"error": {
        "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded for search grounding.",
        "details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/search_grounding_requests",
            "quotaId": "SearchGroundingRequestsPerMinutePerProject",
        }]}],
    }});
    let json = [("content-type", "application/json")];
    let answer = Rule::new().respond_with(429, &json, body.to_string());
    let class = Class::ToolQuota;
    check(Row {
        answer,
        class,
        key: "active",
        pair_s: 0,
        caller: SPARED,
    })
    .await;
}

#[tokio::test]
async fn not_valid_from_a_key_that_has_worked_is_confirmed_before_it_is_retired() {
    let gateway = TestGateway::new()
        .keys([FIRST, "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    assert_eq!(gateway.generate().await.status, 200);
    gateway.upstream.add_rule(
        Rule::new()
            .key(FIRST)
            .fixture("gemini/errors/400_api_key_invalid.json"),
    );
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(gateway.health(0), "cooling 60s");
}

#[tokio::test]
async fn three_models_forbidden_in_a_row_take_the_key_out() {
    let gateway = TestGateway::new()
        .upstream(
            gemini().rule(
                Rule::new()
                    .key(FIRST)
                    .fixture("gemini/errors/403_caller_no_permission.json"),
            ),
        )
        .keys([FIRST, "AIza-key-2"])
        .setting("pool.strategy", "fill_first")
        .start()
        .await;
    for model in ["gemini-3.8-flash", "gemini-3.5-flash", "gemini-2.5-pro"] {
        let path = format!("/v1beta/models/{model}:generateContent");
        assert_eq!(
            gateway
                .post(&path, crate::support::prompt("hi"))
                .await
                .status,
            200
        );
    }
    assert_eq!(gateway.health(0), "cooling 3600s");
}

#[tokio::test]
async fn the_second_per_day_answer_locks_the_pair_until_pacific_midnight() {
    let gateway = TestGateway::new()
        .upstream(gemini().key(fake_upstream::FakeKey::new(FIRST).rpd(MODEL, 2)))
        .start()
        .await;
    for expected in [200, 200, 503] {
        assert_eq!(gateway.generate().await.status, expected);
    }
    // Our own count of the day agrees with the quota's value, so the first answer is believed.
    let midnight = keypool::PacificDay::at(now()).ends;
    let until = gateway.pair(0, MODEL).unwrap().cooling.unwrap().until;
    assert!(until >= midnight, "{until:?} is before {midnight:?}");
}

#[tokio::test]
async fn a_model_unknown_to_all_projects_is_tried_with_one_other_and_returned() {
    let gateway = TestGateway::new()
        .keys((1..=5).map(|key| format!("AIza-key-{key}")))
        .start()
        .await;
    let answer = gateway
        .post(
            "/v1beta/models/no-such-model:generateContent",
            crate::support::prompt("hi"),
        )
        .await;
    assert_eq!((answer.status, gateway.upstream.count()), (404, 2));
    assert_eq!(answer.error()["status"], "NOT_FOUND");
}

#[tokio::test]
async fn empty_answers_are_passed_on_when_there_are_no_others() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().empty(EmptyKind::StopNoParts)))
        .keys(["AIza-key-1", "AIza-key-2", "AIza-key-3", "AIza-key-4"])
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!((answer.status, gateway.upstream.count()), (200, 3));
    assert_eq!(answer.json()["candidates"][0]["finishReason"], "STOP");
    let record = eventually("the record is written", async || {
        Some(gateway.only_record().await)
    })
    .await;
    assert_eq!(record.error, Some(Class::EmptyAnswer));
}

fn now() -> domain::UnixMs {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    domain::UnixMs(0) + now
}
