//! Parameters that every Google API takes and that change how a request or its answer is to be read. keymux has read the
//! request by its method, path and body: what would have the provider read it otherwise is refused, and so is an answer in
//! a form that keymux cannot read. Source: Google Cloud, "System parameters".
//! Which calls a client key may make is `admission.rs`; parameters that hold credentials are dropped by `caller.rs`.

use http::request::Parts;
use http::{Method, StatusCode};

use super::admission::{self, Ask};
use super::caller::{Caller, parameters};
use super::error::GatewayError;

/// Headers that put another method in the place of the request's.
const OVERRIDES: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];
/// Forms of answers that are read, or are files.
const READ_FORMS: [&str; 3] = ["json", "sse", "media"];

/// Refuses what would hide from keymux what is asked or what it takes.
pub(crate) fn check(
    head: &Parts,
    query: Option<&str>,
    caller: &Caller,
    ask: &Ask<'_>,
) -> Result<(), GatewayError> {
    // Without its usage an answer cannot be counted.
    let may_mask = *ask.method != Method::POST || !admission::counts_answers(caller);
    if !may_mask && head.headers.contains_key("x-goog-fieldmask") {
        return Err(masked("x-goog-fieldmask"));
    }
    for (name, value) in parameters(query) {
        match name.strip_prefix('$').unwrap_or(&name) {
            "httpMethod" | "httpHeaders" => return Err(not_followed(&name)),
            "callback" => return Err(unreadable(&name, &value)),
            "alt" if !READ_FORMS.contains(&&*value) => return Err(unreadable(&name, &value)),
            "fields" if !may_mask => return Err(masked(&name)),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses what would have any provider read the request as one of another method, and `TRACE`, whose answer is the
/// request as the provider got it, key and all (RFC 9110, 9.3.8).
pub(crate) fn check_method(head: &Parts) -> Result<(), GatewayError> {
    if head.method == Method::TRACE {
        let text = "TRACE is not passed on; send the request itself";
        return Err(GatewayError::caller(StatusCode::NOT_IMPLEMENTED, text));
    }
    let mut names = head.headers.keys().map(http::HeaderName::as_str);
    let overrides = |name: &&str| OVERRIDES.contains(name);
    names
        .find(overrides)
        .map_or(Ok(()), |name| Err(not_followed(name)))
}

fn not_followed(name: &str) -> GatewayError {
    let text = format!("{name} is not followed; send the request with the method that is meant");
    GatewayError::caller(StatusCode::BAD_REQUEST, text)
}

fn unreadable(name: &str, value: &str) -> GatewayError {
    let text = format!("answers are passed on as JSON or as events, not as {name}={value:?} asks");
    GatewayError::caller(StatusCode::BAD_REQUEST, text)
}

fn masked(name: &str) -> GatewayError {
    let text = format!("this client key has a limit of tokens or money, so {name} may not be used");
    admission::forbidden(text)
}
