//! GigaChat's words for faulty keys and passed limits: `{"status", "message"}`.

use http::StatusCode;
use serde_json::json;

use crate::fault::KeyFault;
use crate::keys::Measure;
use crate::quota::Breach;
use crate::refusal::Refusal;

pub(crate) fn refusal(fault: KeyFault) -> Option<Refusal> {
    let name = match fault {
        KeyFault::Invalid => "oauth_401",
        KeyFault::ScopeMismatch => "oauth_400_code7",
        KeyFault::TokenExpired => "401",
        KeyFault::PrepayDepleted => "402",
        KeyFault::NoPermission => "403",
        KeyFault::ModelDenied => "404",
        KeyFault::TooLong => "413",
        KeyFault::NoFunctions => "422_functions",
        KeyFault::BareQuota => "429",
        KeyFault::Internal => "500",
        KeyFault::Unauthorized => return Some(unauthorized()),
        KeyFault::BadGateway => {
            return Some(Refusal::html(StatusCode::BAD_GATEWAY, "502 Bad Gateway"));
        }
        KeyFault::Overloaded => {
            return Some(error(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service Unavailable",
            ));
        }
        KeyFault::Deadline => {
            return Some(Refusal::html(
                StatusCode::GATEWAY_TIMEOUT,
                "504 Gateway Time-out",
            ));
        }
        _ => return None,
    };
    Some(named(name))
}

/// The error of a fixture.
pub(crate) fn named(name: &str) -> Refusal {
    Refusal::fixture(&format!("gigachat/errors/{name}.json"))
}

/// A passed limit of a minute is "Too many requests", a used up package "Payment Required".
pub(crate) fn over_limit(breach: &Breach) -> Refusal {
    let by_day = breach
        .broken
        .iter()
        .any(|limit| limit.measure == Measure::Rpd);
    named(if by_day || breach.is_zero() {
        "402"
    } else {
        "429"
    })
}

pub(crate) fn unauthorized() -> Refusal {
    error(StatusCode::UNAUTHORIZED, "Unauthorized")
}

/// 422 for parameters that do not fit.
pub(crate) fn invalid_params(message: &str) -> Refusal {
    error(
        StatusCode::UNPROCESSABLE_ENTITY,
        &format!("Invalid params: {message}"),
    )
}

pub(crate) fn error(status: StatusCode, message: &str) -> Refusal {
    Refusal::json(
        status,
        &json!({"status": status.as_u16(), "message": message}),
    )
}
