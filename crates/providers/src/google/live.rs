//! Judges how the Live API closes a WebSocket: the reason's text says what the code does not.

use std::time::Duration;

use domain::{Class, Verdict};
use wire::gemini::error::Fault;

use super::case::Case;
use super::{quota, texts};
use crate::Place;

/// Closed for an invalid frame, or for a bad key.
const INVALID: u16 = 1007;
/// Closed for a policy of the server's.
const POLICY: u16 = 1008;
/// Closed for a failure of the server, or for want of credits or quota.
const INTERNAL: u16 = 1011;
/// How long a model is off that a project does not have.
const HOUR: Duration = Duration::from_secs(3600);

/// What a close frame from Google means.
pub fn judge_close(code: u16, reason: &str) -> Verdict {
    let fault = Fault {
        message: reason.into(),
        ..Fault::default()
    };
    let case = Case::new(code, Some(fault), Place::Live, None);
    if let Some(verdict) = texts::judge(&case).or_else(|| quota::judge_billing(&case)) {
        return verdict;
    }
    match code {
        1000 | 1001 => Verdict::ok(),
        INVALID => Verdict::new(Class::BadRequest, "invalid_argument"),
        POLICY if case.text.contains("is not found for api version") => {
            Verdict::new(Class::ModelUnavailable, "model_not_found").delay(Some(HOUR))
        }
        POLICY => Verdict::new(Class::BadRequest, "policy"),
        INTERNAL if case.text.contains("spend") => {
            Verdict::new(Class::Billing, "spend_cap").project_wide()
        }
        INTERNAL if case.text.contains("quota") => quota::judge(&case),
        INTERNAL => Verdict::new(Class::Overloaded, "overloaded"),
        _ => Verdict::new(Class::ServerError, "server_error"),
    }
}
