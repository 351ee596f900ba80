//! Perplexity's words for faulty keys, passed limits and wrong requests: `{"error": {message, type,
//! code}}` with the HTTP status as code, and a validator's `{"detail": […]}` for missing members.

use http::StatusCode;
use serde_json::{Value, json};

use crate::dialect::wrong::Wrong;
use crate::fault::{KeyFault, Subject};
use crate::quota::Breach;
use crate::refusal::Refusal;

pub(crate) fn refusal(fault: KeyFault, subject: &Subject) -> Option<Refusal> {
    let forbidden = StatusCode::FORBIDDEN;
    Some(match fault {
        KeyFault::Invalid => Refusal::fixture("perplexity/errors/401.json"),
        KeyFault::InvalidOld => Refusal::fixture("perplexity/errors/401_html.html"),
        KeyFault::PrepayLegacy => error(
            StatusCode::UNAUTHORIZED,
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details.",
        ),
        KeyFault::PrepayDepleted => error(
            StatusCode::PAYMENT_REQUIRED,
            "payment_required",
            "Your credits are used up. Please add credits to continue.",
        ),
        KeyFault::WrongKind => error(
            forbidden,
            "permission_denied",
            "This endpoint does not accept organization API keys.",
        ),
        KeyFault::NoPermission => error(forbidden, "permission_denied", "Permission denied."),
        KeyFault::ModelDenied => no_model(subject.model.unwrap_or("sonar-pro")),
        KeyFault::PerMinute => Refusal::fixture("perplexity/errors/429.json"),
        KeyFault::Internal => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_server_error",
            "Internal server error",
        ),
        KeyFault::BadGateway => Refusal::html(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
        KeyFault::Overloaded => error(
            StatusCode::SERVICE_UNAVAILABLE,
            "service_unavailable",
            "Service temporarily unavailable.",
        ),
        KeyFault::Deadline => Refusal::html(StatusCode::GATEWAY_TIMEOUT, "504 Gateway Time-out"),
        _ => return None,
    })
}

pub(crate) fn over_limit(breach: &Breach) -> Refusal {
    let wait = breach.retry_after().to_string();
    Refusal::fixture("perplexity/errors/429.json").header("retry-after", &wait)
}

pub(crate) fn error(status: StatusCode, kind: &str, message: &str) -> Refusal {
    let error = json!({"message": message, "type": kind, "code": status.as_u16()});
    Refusal::json(status, &json!({"error": error}))
}

/// 400 for a value that does not fit.
pub(crate) fn validation(message: &str) -> Refusal {
    let message = format!("validation failed: {message}");
    error(StatusCode::BAD_REQUEST, "invalid_request", &message)
}

/// 400 for a model that is not offered; bare names such as `sonar` are not.
pub(crate) fn no_model(model: &str) -> Refusal {
    Refusal::fixture("perplexity/errors/400_model.json").with("sonar-pro", model)
}

/// 422 for a member that is missing.
pub(crate) fn missing(at: &str) -> Refusal {
    detail(at, "Field required", "missing")
}

/// The refusal of a mistake.
pub(crate) fn wrong(wrong: &Wrong) -> Refusal {
    match wrong {
        Wrong::Json(error) => detail("", &format!("JSON decode error: {error}"), "json_invalid"),
        Wrong::Missing(at) => missing(at),
        Wrong::Type { at, expected, .. } => {
            detail(at, &format!("Input should be {expected}"), "type_error")
        }
        Wrong::Value { message, .. } => validation(message),
        Wrong::Model(model) => no_model(model),
    }
}

fn detail(at: &str, message: &str, kind: &str) -> Refusal {
    let places = at.split('.').filter(|place| !place.is_empty());
    let loc: Vec<&str> = std::iter::once("body").chain(places).collect();
    let detail: Value = json!([{"loc": loc, "msg": message, "type": kind}]);
    Refusal::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"detail": detail}))
}
