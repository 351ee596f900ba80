//! xAI's words for faulty keys and passed limits, and what `GET /v1/api-key` tells of a key.

use http::StatusCode;
use serde_json::{Value, json};

use crate::dialect::wrong::native;
use crate::fault::{KeyFault, Subject};
use crate::keys::{FakeKey, Measure};
use crate::quota::Breach;
use crate::refusal::Refusal;

/// Team, model and masked key of the fixtures; answers carry the real ones.
const FIXTURE_TEAM: &str = "00000000-0000-4000-8000-000000000002";
const FIXTURE_MODELS: [&str; 2] = ["grok-4.5", "grok-9"];
const FIXTURE_KEYS: [&str; 2] = ["xa***jU", "xa***gA"];

pub(crate) fn refusal(fault: KeyFault, subject: &Subject) -> Option<Refusal> {
    let refusal = match fixture(fault) {
        Some(name) => Refusal::fixture(&format!("xai/errors/{name}.json")),
        None => composed(fault)?,
    };
    let mut refusal = refusal.with(FIXTURE_TEAM, &team(subject.project));
    for key in FIXTURE_KEYS {
        refusal = refusal.with(key, &masked(subject.key));
    }
    for model in FIXTURE_MODELS {
        refusal = refusal.with(model, subject.model.unwrap_or(model));
    }
    Some(refusal)
}

fn fixture(fault: KeyFault) -> Option<&'static str> {
    Some(match fault {
        KeyFault::Invalid => "400_bad_key",
        KeyFault::InvalidOld => "400_bad_key_old",
        KeyFault::PrepayDepleted => "403_credits",
        KeyFault::PrepayOld => "403_credits_old",
        KeyFault::PrepayLegacy => "429_credits_old",
        KeyFault::NoPermission | KeyFault::Suspended | KeyFault::ServiceBlocked => "403_denied",
        KeyFault::ModelDenied => "404_model",
        KeyFault::PerSecond => "429_rps",
        KeyFault::PerMinute => "429_rpm",
        KeyFault::LimitZero => "429_zero",
        _ => return None,
    })
}

fn composed(fault: KeyFault) -> Option<Refusal> {
    let (status, code, message) = match fault {
        KeyFault::Revoked | KeyFault::Leaked => (
            401,
            "unauthenticated:bad-credentials",
            "The API key has been revoked.",
        ),
        KeyFault::BalanceExhausted => (402, "payment-required", "Your usage balance exhausted."),
        KeyFault::NewTeam => (
            403,
            "permission-denied",
            "Your newly created team doesn't have any credits yet. You can purchase credits on \
             https://console.x.ai.",
        ),
        KeyFault::FreeQuota => (429, "resource-exhausted", "Free usage quota exceeded."),
        KeyFault::Retired => (410, "gone", "Live search is deprecated."),
        KeyFault::Internal => (500, "internal", "Internal server error."),
        KeyFault::Overloaded => (503, "unavailable", "Service temporarily unavailable."),
        KeyFault::HighDemand => (
            503,
            "unavailable",
            "The model is at capacity. Please try again later.",
        ),
        KeyFault::Deadline => (504, "deadline-exceeded", "The request timed out."),
        KeyFault::Challenge => {
            return Some(Refusal::html(StatusCode::FORBIDDEN, "Just a moment..."));
        }
        KeyFault::BadGateway => {
            return Some(Refusal::html(StatusCode::BAD_GATEWAY, "502 Bad Gateway"));
        }
        _ => return None,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(native(status, code, message))
}

/// 400 for a key that is not known.
pub(crate) fn invalid(key: &str) -> Refusal {
    Refusal::fixture("xai/errors/400_bad_key.json").with(FIXTURE_KEYS[0], &masked(key))
}

pub(crate) fn over_limit(breach: &Breach) -> Refusal {
    let (measure, limit) = breach.first();
    let team = team(breach.project);
    let (unit, actual) = match measure {
        Measure::Rpm => ("Requests per Minute", breach.used.minute_requests),
        Measure::Tpm => ("Tokens per Minute", breach.used.minute_tokens),
        Measure::Rpd => {
            return native(
                StatusCode::TOO_MANY_REQUESTS,
                "resource-exhausted",
                "Free usage quota exceeded.",
            );
        }
    };
    let message = format!(
        "Too many requests for team {team} and model {}. Your team's rate limit is - {unit} \
         (actual/limit): {actual}/{limit}.",
        breach.model
    );
    native(
        StatusCode::TOO_MANY_REQUESTS,
        "resource-exhausted",
        &message,
    )
}

/// Whether a key with this fault is still told about itself: it is known, and may show why it fails.
pub(crate) fn shows_info(fault: KeyFault) -> bool {
    !matches!(
        fault,
        KeyFault::Invalid
            | KeyFault::InvalidOld
            | KeyFault::Revoked
            | KeyFault::Challenge
            | KeyFault::Internal
            | KeyFault::BadGateway
            | KeyFault::Overloaded
            | KeyFault::Deadline
    )
}

/// The answer of `GET /v1/api-key`; `key` is `None` for one that is not listed.
pub(crate) fn key_info(listed: Option<&FakeKey>, key: &str) -> Value {
    let fault = listed.and_then(|listed| listed.fault);
    let project = FakeKey::project_name(listed.unwrap_or(&FakeKey::new(key)));
    let acls = if fault == Some(KeyFault::NoPermission) {
        json!(["api-key:model:*", "api-key:endpoint:models"])
    } else {
        json!(["api-key:model:*", "api-key:endpoint:*"])
    };
    let end: String = key
        .chars()
        .skip(key.chars().count().saturating_sub(3))
        .collect();
    json!({
        "redacted_api_key": format!("xai-****{end}"),
        "user_id": "00000000-0000-4000-8000-000000000001",
        "name": "stand-in",
        "create_time": "2026-03-01T09:30:00Z",
        "modify_time": "2026-03-01T09:30:00Z",
        "modified_by": "00000000-0000-4000-8000-000000000001",
        "team_id": team(&project),
        "acls": acls,
        "api_key_id": "00000000-0000-4000-8000-000000000003",
        "team_blocked": fault == Some(KeyFault::Suspended),
        "api_key_blocked": fault == Some(KeyFault::ServiceBlocked),
        "api_key_disabled": fault == Some(KeyFault::Leaked),
    })
}

/// A team's uuid: the project's name when a script gave it one, else made of its number.
fn team(project: &str) -> String {
    let is_number = project.len() == 12 && project.bytes().all(|b| b.is_ascii_digit());
    if is_number {
        return format!("00000000-0000-4000-8000-{project}");
    }
    project.to_owned()
}

fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let start: String = letters.iter().take(2).collect();
    let end: String = letters[letters.len().saturating_sub(2)..].iter().collect();
    format!("{start}***{end}")
}
