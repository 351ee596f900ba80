//! Judges refusals: the body before the status, because a bad key is a 400 and an empty purse a 429.

use std::time::Duration;

use domain::{Certainty, Class, Verdict};
use wire::gemini::Finish;
use wire::gemini::error::Fault;

use super::case::Case;
use super::{quota, texts};
use crate::{ErrorAnswer, Place};

const HOUR: Duration = Duration::from_secs(3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a refusal means.
pub fn judge_error(answer: &ErrorAnswer<'_>) -> Verdict {
    let fault = Fault::read(answer.body);
    judge(&Case::new(
        answer.status,
        fault,
        answer.place,
        Some(answer.headers),
    ))
}

/// What an error object inside a success means.
pub(super) fn judge_inner(object: &[u8], place: Place) -> Verdict {
    let fault = Fault::read_object(object);
    let status = fault.as_ref().and_then(inner_status).unwrap_or(500);
    judge(&Case::new(status, fault, place, None))
}

fn judge(case: &Case<'_>) -> Verdict {
    let verdict = texts::judge(case)
        .or_else(|| by_interaction_code(&case.fault.code))
        .unwrap_or_else(|| by_status(case));
    case.named(verdict)
}

fn by_status(case: &Case<'_>) -> Verdict {
    match case.status {
        300..=399 => Verdict::new(Class::GatewayBug, "redirect"),
        400 => bad_request(case),
        401 => unauthenticated(case),
        402 => quota::judge_billing(case)
            .unwrap_or_else(|| Verdict::new(Class::Billing, "payment_required").project_wide()),
        403 => forbidden(case),
        404 => not_found(case),
        408 | 425 => Verdict::new(Class::Timeout, "timeout"),
        429 => quota::judge_billing(case).unwrap_or_else(|| quota::judge(case)),
        499 => Verdict::new(Class::ServerError, "cancelled"),
        501 => Verdict::new(Class::BadRequest, "unimplemented"),
        503 | 529 => Verdict::new(Class::Overloaded, "overloaded").delay(case.hint()),
        504 => Verdict::new(Class::Timeout, "deadline_exceeded"),
        405..=498 => Verdict::new(Class::BadRequest, "refused"),
        _ => Verdict::new(Class::ServerError, "server_error").delay(case.hint()),
    }
}

fn bad_request(case: &Case<'_>) -> Verdict {
    let is_precondition =
        case.fault.status == "FAILED_PRECONDITION" || case.fault.code == "failed_precondition";
    if !is_precondition {
        return Verdict::new(Class::BadRequest, "invalid_argument");
    }
    if case.text.contains("enable billing") {
        return Verdict::new(Class::Billing, "billing_disabled").project_wide();
    }
    Verdict::new(Class::BadRequest, "failed_precondition")
}

fn unauthenticated(case: &Case<'_>) -> Verdict {
    let is_known = case.fault.status == "UNAUTHENTICATED" || case.fault.code == "authentication";
    let certainty = if is_known {
        Certainty::Suspected
    } else {
        Certainty::Counted
    };
    Verdict::new(Class::KeyInvalid, "unauthenticated").certainty(certainty)
}

fn forbidden(case: &Case<'_>) -> Verdict {
    if case.text.starts_with("permission denied: consumer") && case.text.contains("suspended") {
        return Verdict::new(Class::AcctSuspended, "consumer_suspended")
            .certainty(Certainty::Decisive)
            .project_wide();
    }
    if case.text.starts_with("requests to this api") && case.text.contains("blocked") {
        return Verdict::new(Class::KeyRestricted, "service_blocked")
            .certainty(Certainty::Decisive);
    }
    if case.text.contains("enable billing") || case.text.contains("billing to be enabled") {
        return Verdict::new(Class::Billing, "billing_disabled").project_wide();
    }
    let is_known =
        case.fault.status == "PERMISSION_DENIED" || case.fault.code == "permission_denied";
    match (is_known, case.place) {
        (true, Place::Resource) => Verdict::new(Class::AffinityMiss, "permission_denied"),
        // One model forbidden says little of the key; several in a row do.
        (true, _) => Verdict::new(Class::ModelUnavailable, "permission_denied")
            .certainty(Certainty::Counted)
            .delay(Some(HOUR)),
        (false, _) => Verdict::new(Class::KeyRestricted, "forbidden").certainty(Certainty::Counted),
    }
}

fn not_found(case: &Case<'_>) -> Verdict {
    let says = |words: &str| case.text.contains(words);
    if says("no longer available") {
        return Verdict::new(Class::ModelUnavailable, "model_retired").delay(Some(WEEK));
    }
    if says("is not found for api version") || case.fault.code == "model_not_found" {
        return Verdict::new(Class::ModelUnavailable, "model_not_found").delay(Some(HOUR));
    }
    let is_known = case.fault.status == "NOT_FOUND" || case.fault.code == "not_found";
    if is_known {
        Verdict::new(Class::AffinityMiss, "resource_not_found")
    } else {
        Verdict::new(Class::BadRequest, "not_found")
    }
}

/// Codes of the interactions API that say more than their status does.
fn by_interaction_code(code: &str) -> Option<Verdict> {
    let (class, reason) = match code {
        "missing_thought_signature" => (Class::BadRequest, "missing_thought_signature"),
        "malformed_function_call"
        | "malformed_tool_call"
        | "unexpected_tool_call"
        | "no_image"
        | "image_other"
        | "too_many_tool_calls" => (Class::EmptyAnswer, "malformed_output"),
        "content_blocked" => (Class::Blocked, "content_blocked"),
        "api_error" => (Class::ServerError, "server_error"),
        _ if code.starts_with("image_") || is_block(code) => (Class::Blocked, "content_blocked"),
        _ => return None,
    };
    Some(Verdict::new(class, reason))
}

/// The interactions API writes finish reasons in lower case.
fn is_block(code: &str) -> bool {
    code.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && Finish::of(&code.to_ascii_uppercase()) == Finish::Blocked
}

/// The HTTP status that an error inside a success stands for.
fn inner_status(fault: &Fault<'_>) -> Option<u16> {
    fault
        .number()
        .filter(|status| (300..600).contains(status))
        .or_else(|| status_of_name(&fault.status))
        .or_else(|| status_of_interaction_code(&fault.code))
}

/// The HTTP status of a `google.rpc.Code`, as its definition gives it.
fn status_of_name(name: &str) -> Option<u16> {
    Some(match name {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ALREADY_EXISTS" | "ABORTED" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}

/// The HTTP status of an error code of the interactions API.
fn status_of_interaction_code(code: &str) -> Option<u16> {
    Some(match code {
        "invalid_request" | "failed_precondition" | "parameter_unknown" => 400,
        "authentication" => 401,
        "payment_required" => 402,
        "permission_denied" => 403,
        "not_found" | "model_not_found" => 404,
        "already_exists" | "aborted" => 409,
        "out_of_range" => 416,
        "rate_limit_exceeded" | "too_many_requests" | "quota_exceeded" => 429,
        "cancelled" => 499,
        "unimplemented" => 501,
        "service_unavailable" => 503,
        "deadline_exceeded" => 504,
        _ => return None,
    })
}
