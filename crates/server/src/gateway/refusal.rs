//! A provider's own error on its way to a caller of OpenAI's dialect: the provider's words in the caller's shape.
//! Errors that are about keys never come here; `failover.rs` answers those itself.

use std::borrow::Cow;

use domain::{Class, Verdict};
use http::StatusCode;
use providers::Api;
use wire::openai::error::Fault;

use super::error::GatewayError;
use super::failure::Refusal;

const LONGEST_MESSAGE: usize = 4096;

/// The error as one of OpenAI's. Its text has been redacted.
pub(crate) fn in_openais_words(
    refusal: &Refusal,
    verdict: &Verdict,
    model: &str,
    api: Api,
) -> GatewayError {
    told(&refusal.body, refusal.head.status, verdict, model, api)
}

/// An error event of a stream that has begun: it too keeps to itself what is about keys.
pub(crate) fn inside_a_stream(
    object: &[u8],
    verdict: &Verdict,
    model: &str,
    api: Api,
) -> GatewayError {
    if verdict.is_private() {
        let text = "the provider stopped in mid-answer; try again";
        return GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, verdict.class, text);
    }
    let named = Fault::read_object(object).status;
    let status = named.and_then(|status| StatusCode::from_u16(status).ok());
    let given = status.unwrap_or(StatusCode::BAD_GATEWAY);
    told(object, given, verdict, model, api)
}

fn told(body: &[u8], given: StatusCode, verdict: &Verdict, model: &str, api: Api) -> GatewayError {
    let mut fault = Fault::read(body);
    let message = match verdict.class {
        // The provider's words name its account.
        Class::ModelUnavailable => format!("the model {model:?} is not available at its provider"),
        Class::RateLimited | Class::QuotaDaily => {
            format!("the provider's limit for {model:?} is reached; try again later")
        }
        _ if fault.is_html => "the provider answered with a page instead of an error".to_owned(),
        _ => match fault.message.trim() {
            "" => format!("the provider answered with status {}", given.as_u16()),
            text => text.chars().take(LONGEST_MESSAGE).collect(),
        },
    };
    let status = status(given, verdict.class);
    let error = GatewayError::upstream(status, verdict.class, message);
    let mut error = error.retry_after(verdict.delay.filter(|_| may_come_back(status)));
    error.code = code(verdict, &fault, api);
    if api == Api::OpenAi && says_more(verdict.class) && !fault.more.is_empty() {
        error.more = Some(Box::new(std::mem::take(&mut fault.more)));
    }
    error.param = (!fault.param.is_empty()).then(|| fault.param.into());
    error
}

/// The status that goes with the class: providers tell failures inside a success, and mean other things by some.
fn status(given: StatusCode, class: Class) -> StatusCode {
    match class {
        Class::Blocked => StatusCode::BAD_REQUEST,
        Class::ModelUnavailable => StatusCode::NOT_FOUND,
        Class::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        Class::RateLimited | Class::QuotaDaily => StatusCode::TOO_MANY_REQUESTS,
        Class::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Class::ServerError | Class::Network if given.is_client_error() => StatusCode::BAD_GATEWAY,
        Class::BadRequest if !given.is_client_error() => StatusCode::BAD_REQUEST,
        _ if !given.is_client_error() && !given.is_server_error() => StatusCode::BAD_GATEWAY,
        _ => given,
    }
}

fn may_come_back(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

/// Whether the provider's own words are passed on, and so its other members: not where they tell of its account.
fn says_more(class: Class) -> bool {
    !matches!(
        class,
        Class::ModelUnavailable | Class::RateLimited | Class::QuotaDaily
    )
}

/// Providers of OpenAI's kind have codes that their callers' clients may know.
fn code(verdict: &Verdict, fault: &Fault<'_>, api: Api) -> Option<Cow<'static, str>> {
    let class = verdict.class;
    if api == Api::OpenAi && says_more(class) && is_code(&fault.code) {
        return Some(fault.code.to_string().into());
    }
    match class {
        Class::Blocked => Some("content_policy_violation".into()),
        Class::ModelUnavailable => Some("model_not_found".into()),
        Class::Overloaded => Some("service_unavailable".into()),
        Class::RateLimited => Some("rate_limit_exceeded".into()),
        Class::BadRequest => is_code(&fault.code).then(|| fault.code.to_string().into()),
        _ => None,
    }
}

/// A code of OpenAI's is a word; some providers repeat the status there.
fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().any(|byte| byte.is_ascii_alphabetic())
}
