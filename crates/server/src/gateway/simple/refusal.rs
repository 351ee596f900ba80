//! What went wrong with a question of the simple dialect, in words for its caller. Status and class are those of the
//! matter; the code that a caller reads is found from them in `wire::simple::Failure`.

use domain::{Class, Verdict};
use http::StatusCode;
use wire::gemini::error::Fault;

use crate::gateway::error::GatewayError;
use crate::gateway::failure::Refusal;

const LONGEST_MESSAGE: usize = 4096;

/// The provider's own error, whose text has been redacted. Errors that are about keys never come here.
pub(super) fn in_our_words(refusal: &Refusal, verdict: &Verdict) -> GatewayError {
    let status = refusal.head.status;
    let fault = Fault::read(&refusal.body).unwrap_or_default();
    let message = match fault.message.trim() {
        "" => format!("the provider answered with status {}", status.as_u16()),
        text => text.chars().take(LONGEST_MESSAGE).collect(),
    };
    // Whatever else is wrong is not mended by waiting.
    let may_come_back = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    GatewayError::upstream(status, verdict.class, message)
        .retry_after(verdict.delay.filter(|_| may_come_back))
}

/// The same failure where the key was the caller's own: whoever owns it may know what is wrong with it.
pub(super) fn of_own_key(error: GatewayError) -> GatewayError {
    let (status, text) = match error.class {
        Class::KeyInvalid => (
            StatusCode::UNAUTHORIZED,
            "the provider refuses the api_key of this request as not valid",
        ),
        Class::KeyRestricted => (
            StatusCode::UNAUTHORIZED,
            "the provider does not let the api_key of this request be used for this",
        ),
        Class::AcctSuspended => (
            StatusCode::UNAUTHORIZED,
            "the provider has suspended the account of this request's api_key",
        ),
        Class::Billing => (
            StatusCode::PAYMENT_REQUIRED,
            "the account of this request's api_key has to be paid for or topped up",
        ),
        _ => return error,
    };
    GatewayError::upstream(status, error.class, text)
}

/// The prompt or the answer was held back.
pub(super) fn blocked(reason: Option<String>) -> GatewayError {
    let text = format!(
        "the model's safety settings held this back{}",
        because(reason)
    );
    GatewayError::upstream(StatusCode::UNPROCESSABLE_ENTITY, Class::Blocked, text)
}

/// There was nothing in the answer, also after trying again.
pub(super) fn empty(reason: Option<String>) -> GatewayError {
    let text = format!("the model answered nothing{}; try again", because(reason));
    GatewayError::upstream(StatusCode::BAD_GATEWAY, Class::EmptyAnswer, text)
}

/// The answer stopped coming.
pub(super) fn too_slow() -> GatewayError {
    let text = "the provider's answer paused for too long; try again";
    GatewayError::upstream(StatusCode::GATEWAY_TIMEOUT, Class::Timeout, text)
}

/// The answer cannot be read to its end.
pub(super) fn broken() -> GatewayError {
    let text = "the provider's answer broke off, is too long, or is no answer; try again";
    GatewayError::upstream(StatusCode::BAD_GATEWAY, Class::Truncated, text)
}

fn because(reason: Option<String>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}
