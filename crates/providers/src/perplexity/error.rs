//! Judges refusals: names and words before the status, because a retired endpoint is a 403 and an empty purse may be a 401.

use std::time::Duration;

use domain::{Certainty, Class, Verdict};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use wire::duration;

use super::fault::Fault;
use crate::{ErrorAnswer, Place};

/// How long a model that is not supported is off.
const UNSUPPORTED: Duration = Duration::from_secs(24 * 3600);

/// Names, in `type` or `code`, of what endpoints of before September 2026 answer to valid keys.
const RETIRED: &[&str] = &[
    "chat_completions_not_available",
    "agent_api_migration_required",
];

/// Words of an answer that is about money, in lower case. Perplexity documents neither them nor their status; these are
/// the usual ones, and no word that a rate limit's answer would also have.
const MONEY: &[&str] = &[
    "insufficient_quota",
    "insufficient quota",
    "insufficient credit",
    "insufficient balance",
    "insufficient funds",
    "out of credits",
    "no credits",
    "credits have been exhausted",
    "credit balance is too low",
    "exceeded your current quota",
    "payment required",
    "check your billing",
];

/// One refusal, laid out for judging.
struct Case<'a> {
    status: u16,
    fault: Fault,
    /// The message in lower case.
    text: String,
    place: Place,
    headers: Option<&'a HeaderMap>,
}

/// What a refusal means.
///
/// Limits are an organisation's, shared by its keys: those of requests over all models, which the verdict tells by its
/// scope, and those of tokens for each model.
pub fn judge_error(answer: &ErrorAnswer<'_>) -> Verdict {
    judge(&Case::new(
        answer.status,
        Fault::read(answer.body),
        answer.place,
        Some(answer.headers),
    ))
}

/// What an error object inside a success means.
pub(super) fn judge_inner(object: &[u8]) -> Verdict {
    let fault = Fault::read_object(object);
    let status = inner_status(&fault);
    judge(&Case::new(status, fault, Place::OpenAi, None))
}

impl<'a> Case<'a> {
    fn new(status: u16, fault: Fault, place: Place, headers: Option<&'a HeaderMap>) -> Self {
        Self {
            status,
            text: fault.message.trim().to_lowercase(),
            fault,
            place,
            headers,
        }
    }

    fn is_named(&self, name: &str) -> bool {
        self.fault.kind == name || self.fault.code == name
    }

    fn says(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// How long to wait: `Retry-After`, else the message's words.
    fn hint(&self) -> Option<Duration> {
        let header = self.headers.and_then(|headers| headers.get(RETRY_AFTER));
        header
            .and_then(|value| duration::retry_after(value.to_str().ok()?))
            .or_else(|| duration::in_text(&self.text))
    }

    fn is_about_money(&self) -> bool {
        self.is_named("insufficient_quota") || MONEY.iter().any(|words| self.says(words))
    }

    /// Only keys of organisations are told so; further on the words may quote what the caller sent.
    fn is_organisation_key(&self) -> bool {
        self.says("does not accept organization api key")
    }
}

fn judge(case: &Case<'_>) -> Verdict {
    if RETIRED.iter().any(|name| case.is_named(name)) {
        return Verdict::new(Class::GatewayBug, "endpoint_retired");
    }
    match case.status {
        300..=399 => Verdict::new(Class::GatewayBug, "redirect"),
        400 | 422 => bad_request(case),
        402 => unpaid(),
        401 | 403 | 429 if case.is_about_money() => unpaid(),
        401 => unauthenticated(case),
        403 => forbidden(case),
        404 => not_found(case),
        408 | 425 => Verdict::new(Class::Timeout, "timeout"),
        429 => limited(case),
        501 => Verdict::new(Class::BadRequest, "unimplemented"),
        503 | 529 => Verdict::new(Class::Overloaded, "overloaded").delay(case.hint()),
        // 522 and 524 are Cloudflare's for an origin that does not answer.
        504 | 522 | 524 => Verdict::new(Class::Timeout, "gateway_timeout"),
        405..=498 => Verdict::new(Class::BadRequest, "refused"),
        _ => Verdict::new(Class::ServerError, "server_error").delay(case.hint()),
    }
}

fn bad_request(case: &Case<'_>) -> Verdict {
    let text = &*case.text;
    let text = text.strip_prefix("validation failed: ").unwrap_or(text);
    if text.starts_with("model \"") && text.contains("\" is not supported") {
        return Verdict::new(Class::ModelUnavailable, "model_not_supported")
            .delay(Some(UNSUPPORTED));
    }
    Verdict::new(Class::BadRequest, "invalid_request")
}

fn unpaid() -> Verdict {
    Verdict::new(Class::Billing, "credits_exhausted").project_wide()
}

/// A wrong key; older edges say so with a page instead of JSON.
fn unauthenticated(case: &Case<'_>) -> Verdict {
    if case.is_organisation_key() {
        return organisation_key();
    }
    let is_known = case.is_named("invalid_api_key");
    let reason = if is_known {
        "invalid_api_key"
    } else {
        "unauthenticated"
    };
    let certainty = if is_known {
        Certainty::Suspected
    } else {
        Certainty::Counted
    };
    Verdict::new(Class::KeyInvalid, reason).certainty(certainty)
}

fn forbidden(case: &Case<'_>) -> Verdict {
    if case.is_organisation_key() {
        return organisation_key();
    }
    if !case.fault.is_json {
        // A page of the edge in front of the API: it forbids the address, and has not seen the key.
        return Verdict::new(Class::Network, "edge_blocked");
    }
    Verdict::new(Class::KeyRestricted, "forbidden").certainty(Certainty::Counted)
}

fn organisation_key() -> Verdict {
    Verdict::new(Class::KeyRestricted, "organization_key").certainty(Certainty::Decisive)
}

fn not_found(case: &Case<'_>) -> Verdict {
    if case.is_named("model_not_found") {
        return Verdict::new(Class::ModelUnavailable, "model_not_found").delay(Some(UNSUPPORTED));
    }
    match case.place {
        // Answers and files belong to the organisation whose key made them.
        Place::Resource => Verdict::new(Class::AffinityMiss, "resource_not_found"),
        _ => Verdict::new(Class::BadRequest, "not_found"),
    }
}

/// Requests a second are counted over all models, tokens and a busy model for one of them.
fn limited(case: &Case<'_>) -> Verdict {
    let (reason, is_of_model) = if case.says("token") {
        ("token_rate", true)
    } else if case.says("overloaded") || case.says("capacity") {
        ("model_overloaded", true)
    } else {
        ("request_rate", false)
    };
    let verdict = Verdict::new(Class::RateLimited, reason).delay(case.hint());
    if is_of_model {
        verdict
    } else {
        verdict.project_wide()
    }
}

/// The HTTP status that an error inside a success stands for: by its name, else by its number.
fn inner_status(fault: &Fault) -> u16 {
    let number = || fault.code.parse().ok();
    status_of(&fault.kind)
        .or_else(|| status_of(&fault.code))
        .or_else(|| number().filter(|status| (300..600).contains(status)))
        .unwrap_or(500)
}

fn status_of(name: &str) -> Option<u16> {
    Some(match name {
        "invalid_request" | "invalid_request_error" | "validation_error" => 400,
        "invalid_api_key" | "authentication_error" => 401,
        "insufficient_quota" | "payment_required" | "billing_error" => 402,
        "permission_denied" | "permission_error" => 403,
        "not_found" | "not_found_error" | "model_not_found" => 404,
        "rate_limit_exceeded" | "rate_limit_error" | "too_many_requests" => 429,
        "service_unavailable" | "overloaded" | "overloaded_error" => 503,
        "timeout" | "timeout_error" => 504,
        _ => return None,
    })
}
