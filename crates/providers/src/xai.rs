//! xAI's refusals: `{"code":"…","error":"text"}`, where the text decides. A bad key is a 400, an empty purse a 403.
//! Everything that xAI says as others do is judged by `openai.rs`.

use std::time::Duration;

use domain::{Certainty, Class, Scope, Verdict};
use wire::gemini::Summary;

use crate::openai::{self, Case};
use crate::{ErrorAnswer, Place};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a refusal means.
pub fn judge_error(answer: &ErrorAnswer<'_>) -> Verdict {
    judge(&Case::of(answer))
}

/// What an answer that ended means; `summary` is final.
///
/// `streamed` tells an answer in events from one document.
pub fn judge_success(summary: &Summary, streamed: bool) -> Verdict {
    openai::judge_success_by(summary, streamed, judge)
}

fn judge(case: &Case<'_>) -> Verdict {
    by_sentence(case)
        .or_else(|| openai::by_code(case))
        .or_else(|| by_status(case))
        .unwrap_or_else(|| openai::by_status(case))
}

/// Sentences are compared from their beginning: further on they may quote what the caller sent.
fn by_sentence(case: &Case<'_>) -> Option<Verdict> {
    let begins = |start: &str| case.text.starts_with(start);
    if begins("incorrect api key provided") {
        return Some(Verdict::new(Class::KeyInvalid, "invalid_api_key"));
    }
    if begins("content violates usage guidelines") {
        return Some(Verdict::new(Class::Blocked, "usage_guidelines"));
    }
    if matches!(case.status, 402 | 403 | 429) {
        return spent(&case.text);
    }
    let is_busy =
        case.text.contains("at capacity") || case.text.contains("service temporarily unavailable");
    (case.status >= 500 && is_busy)
        .then(|| Verdict::new(Class::Overloaded, "overloaded").delay(case.hint()))
}

/// The team's money is gone; it lasts until somebody pays.
fn spent(text: &str) -> Option<Verdict> {
    let reason = if text.contains("used all available credits")
        || text.contains("reached its monthly spending limit")
    {
        "credits_spent"
    } else if text.contains("doesn't have any credits") {
        "no_credits"
    } else if text.contains("balance exhausted") {
        "balance_exhausted"
    } else {
        return None;
    };
    Some(Verdict::new(Class::Billing, reason).project_wide())
}

fn by_status(case: &Case<'_>) -> Option<Verdict> {
    match case.status {
        401 => {
            is_without_credentials(case).then(|| Verdict::new(Class::GatewayBug, "no_credentials"))
        }
        403 if case.is_spoken() => Some(denied(case)),
        404 if case.text.contains("does not exist or your team") => {
            Some(Verdict::new(Class::ModelUnavailable, "model_not_found").delay(Some(HOUR)))
        }
        429 => Some(limited(case)),
        _ => None,
    }
}

fn is_without_credentials(case: &Case<'_>) -> bool {
    case.fault.code == "unauthenticated:no-credentials"
        || case.text.starts_with("no credentials provided")
}

/// The key's own list of endpoints and models, or a blocked team. One model denied says little of the key.
fn denied(case: &Case<'_>) -> Verdict {
    if case.text.contains("model") {
        return Verdict::new(Class::ModelUnavailable, "permission_denied")
            .certainty(Certainty::Counted)
            .delay(Some(HOUR));
    }
    let verdict = Verdict::new(Class::KeyRestricted, "permission_denied");
    if case.place == Place::Resource {
        // An endpoint that the key's list does not have says nothing of those that it has.
        return verdict.reaching(Scope::Nobody);
    }
    verdict.certainty(Certainty::Decisive)
}

/// Limits are the team's, for each model: `Requests per Second (actual/limit): 2/2`.
fn limited(case: &Case<'_>) -> Verdict {
    let says = |words: &str| case.text.contains(words);
    if says("(actual/limit): 0/0") {
        return Verdict::new(Class::ModelUnavailable, "limit_zero").delay(Some(DAY));
    }
    if says("free usage quota exceeded") {
        return Verdict::new(Class::QuotaDaily, "free_quota").delay(Some(DAY));
    }
    if says("at capacity") {
        return Verdict::new(Class::Overloaded, "overloaded").delay(case.hint());
    }
    let (reason, default) = if says("per second") {
        ("quota_per_second", Some(SECOND))
    } else if says("per minute") {
        ("quota_per_minute", Some(MINUTE))
    } else {
        ("rate_limit", None)
    };
    Verdict::new(Class::RateLimited, reason).delay(case.hint().or(default))
}
