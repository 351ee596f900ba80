//! What an OpenAI-compatible server says to faulty keys and passed limits.

use http::StatusCode;
use serde_json::json;

use crate::fault::{KeyFault, Subject};
use crate::keys::Measure;
use crate::quota::Breach;
use crate::refusal::Refusal;

pub(crate) fn refusal(fault: KeyFault, subject: &Subject) -> Option<Refusal> {
    let named = |name: &str| Refusal::fixture(&format!("openai/errors/{name}.json"));
    Some(match fault {
        KeyFault::Invalid => invalid(subject.key),
        KeyFault::PrepayDepleted => named("429_quota"),
        KeyFault::PerMinute => named("429_rate"),
        KeyFault::NoPermission => error(
            StatusCode::FORBIDDEN,
            "permission_error",
            "You do not have access to this resource.",
            None,
        ),
        KeyFault::Location => error(
            StatusCode::FORBIDDEN,
            "request_forbidden",
            "Country, region, or territory not supported",
            Some("unsupported_country_region_territory"),
        ),
        KeyFault::ModelDenied => named("404_model").with("foo", subject.model.unwrap_or("foo")),
        KeyFault::TooLong => named("400_context"),
        KeyFault::Internal => named("500"),
        KeyFault::BadGateway => Refusal::html(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
        KeyFault::Overloaded => named("503"),
        KeyFault::Deadline => Refusal::html(StatusCode::GATEWAY_TIMEOUT, "504 Gateway Time-out"),
        _ => return None,
    })
}

/// 401 for a key that is not known, which is shown masked.
pub(crate) fn invalid(key: &str) -> Refusal {
    let end: String = key
        .chars()
        .rev()
        .take(4)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    Refusal::fixture("openai/errors/401_invalid_key.json")
        .with("gw-****abcd", &format!("****{end}"))
}

pub(crate) fn over_limit(breach: &Breach) -> Refusal {
    if breach.is_zero() {
        return Refusal::fixture("openai/errors/429_quota.json");
    }
    let (measure, limit) = breach.first();
    let (kind, unit) = match measure {
        Measure::Rpm => ("requests", "requests per min (RPM)"),
        Measure::Rpd => ("requests", "requests per day (RPD)"),
        Measure::Tpm => ("tokens", "tokens per min (TPM)"),
    };
    let wait = match measure {
        Measure::Rpd => 3600,
        Measure::Rpm | Measure::Tpm => breach.retry_after(),
    };
    let message = format!(
        "Rate limit reached for {} in organization {} on {unit}: Limit {limit}. Please try again \
         in {wait}s.",
        breach.model, breach.project
    );
    error(
        StatusCode::TOO_MANY_REQUESTS,
        kind,
        &message,
        Some("rate_limit_exceeded"),
    )
    .header("retry-after", &wait.to_string())
    .header(&format!("x-ratelimit-limit-{kind}"), &limit.to_string())
    .header(&format!("x-ratelimit-remaining-{kind}"), "0")
    .header(&format!("x-ratelimit-reset-{kind}"), &format!("{wait}s"))
}

fn error(status: StatusCode, kind: &str, message: &str, code: Option<&str>) -> Refusal {
    let error = json!({"message": message, "type": kind, "param": null, "code": code});
    Refusal::json(status, &json!({"error": error}))
}
