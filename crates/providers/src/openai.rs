//! Providers that speak OpenAI's dialect, and OpenAI itself: how a key is shown to them, and what they answer means.
//! A refusal is judged by its code and words before its status. `xai.rs` adds what xAI says differently; how long to
//! wait is in `limits.rs`.

use std::time::Duration;

use domain::{Certainty, Class, Secret, Verdict};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, InvalidHeaderValue};
use wire::gemini::Summary;
use wire::openai::error::Fault;

use crate::{ErrorAnswer, Place, limits, success};

const HOUR: Duration = Duration::from_secs(3600);

/// One refusal, laid out for judging.
pub(crate) struct Case<'a> {
    /// The HTTP status, or the one that an error inside a success stands for.
    pub(crate) status: u16,
    pub(crate) fault: Fault<'a>,
    /// The message in lower case.
    pub(crate) text: String,
    /// The part of the API that has answered.
    pub(crate) place: Place,
    headers: Option<&'a HeaderMap>,
}

/// Adds the key as bearer; the header is marked sensitive. Fails for a key that no header can carry.
pub fn authenticate(headers: &mut HeaderMap, key: &Secret) -> Result<(), InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose()))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}

/// What a refusal means.
pub fn judge_error(answer: &ErrorAnswer<'_>) -> Verdict {
    judge(&Case::of(answer))
}

/// What an answer that ended means; `summary` is final.
///
/// `streamed` tells an answer in events from one document.
pub fn judge_success(summary: &Summary, streamed: bool) -> Verdict {
    judge_success_by(summary, streamed, judge)
}

/// The same, where an error inside is judged by `judge`.
pub(crate) fn judge_success_by(
    summary: &Summary,
    streamed: bool,
    judge: fn(&Case<'_>) -> Verdict,
) -> Verdict {
    success::judge_openai(summary, streamed, |object| judge(&Case::inner(object)))
}

impl<'a> Case<'a> {
    pub(crate) fn of(answer: &ErrorAnswer<'a>) -> Self {
        let fault = Fault::read(answer.body);
        Self {
            place: answer.place,
            headers: Some(answer.headers),
            ..Self::new(answer.status, fault)
        }
    }

    fn inner(object: &'a [u8]) -> Self {
        let fault = Fault::read_object(object);
        let named = || status_of_name(&fault.code).or_else(|| status_of_name(&fault.kind));
        let status = fault.status.or_else(named).unwrap_or(500);
        Self::new(status, fault)
    }

    fn new(status: u16, fault: Fault<'a>) -> Self {
        Self {
            status,
            text: fault.message.trim().to_lowercase(),
            fault,
            place: Place::OpenAi,
            headers: None,
        }
    }

    /// The code or the type is this one.
    fn is(&self, name: &str) -> bool {
        self.fault.code == name || self.fault.kind == name
    }

    /// How long to wait.
    pub(crate) fn hint(&self) -> Option<Duration> {
        limits::wait(self.headers, &self.text)
    }

    /// The provider's own API has answered, with an error that says something.
    pub(crate) fn is_spoken(&self) -> bool {
        !self.fault.is_html && !self.text.is_empty()
    }
}

fn judge(case: &Case<'_>) -> Verdict {
    by_code(case).unwrap_or_else(|| by_status(case))
}

/// The verdict where code or words decide; codes as OpenAI lists them,
/// <https://platform.openai.com/docs/guides/error-codes>.
pub(crate) fn by_code(case: &Case<'_>) -> Option<Verdict> {
    let says = |start: &str| case.text.starts_with(start);
    Some(
        if case.is("invalid_api_key") || says("incorrect api key provided") {
            Verdict::new(Class::KeyInvalid, "invalid_api_key")
        } else if says("you have insufficient permissions for this operation") {
            // A key that was made for other endpoints than this one; sent as 401 and as 403.
            Verdict::new(Class::KeyRestricted, "missing_scope").certainty(Certainty::Counted)
        } else if case.is("insufficient_quota") || says("you exceeded your current quota, please") {
            Verdict::new(Class::Billing, "insufficient_quota").project_wide()
        } else if case.is("model_not_found") {
            Verdict::new(Class::ModelUnavailable, "model_not_found").delay(Some(HOUR))
        } else if case.is("unsupported_country_region_territory") {
            Verdict::new(Class::Region, "location_unsupported")
        } else if case.is("content_policy_violation") {
            Verdict::new(Class::Blocked, "content_policy_violation")
        } else if case.is("overloaded_error") {
            Verdict::new(Class::Overloaded, "overloaded").delay(case.hint())
        } else {
            return None;
        },
    )
}

/// The verdict where nothing but the status does.
pub(crate) fn by_status(case: &Case<'_>) -> Verdict {
    match case.status {
        300..=399 => Verdict::new(Class::GatewayBug, "redirect"),
        401 => unauthenticated(case),
        402 => Verdict::new(Class::Billing, "payment_required").project_wide(),
        403 => forbidden(case),
        404 if is_about_model(&case.text) => {
            Verdict::new(Class::ModelUnavailable, "model_not_found").delay(Some(HOUR))
        }
        408 | 425 => Verdict::new(Class::Timeout, "timeout"),
        429 => Verdict::new(Class::RateLimited, "rate_limit").delay(case.hint()),
        499 => Verdict::new(Class::ServerError, "cancelled"),
        501 => Verdict::new(Class::BadRequest, "unimplemented"),
        503 | 529 => Verdict::new(Class::Overloaded, "overloaded").delay(case.hint()),
        504 => Verdict::new(Class::Timeout, "deadline_exceeded"),
        400 | 404..=498 => Verdict::new(Class::BadRequest, "refused"),
        _ => Verdict::new(Class::ServerError, "server_error").delay(case.hint()),
    }
}

/// A refusal that says nothing may come from what stands before the provider.
fn unauthenticated(case: &Case<'_>) -> Verdict {
    let certainty = if case.is_spoken() {
        Certainty::Suspected
    } else {
        Certainty::Counted
    };
    Verdict::new(Class::KeyInvalid, "unauthenticated").certainty(certainty)
}

/// A web page is the challenge of what stands before the provider: it says nothing of the key.
fn forbidden(case: &Case<'_>) -> Verdict {
    if case.fault.is_html {
        return Verdict::new(Class::Network, "web_page");
    }
    Verdict::new(Class::KeyRestricted, "forbidden").certainty(Certainty::Counted)
}

fn is_about_model(text: &str) -> bool {
    text.contains("model") && (text.contains("does not exist") || text.contains("not found"))
}

/// The HTTP status that an error's code or type stands for: of OpenAI, and of `google.rpc.Code` in any spelling.
fn status_of_name(name: &str) -> Option<u16> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    Some(match name.split(':').next().unwrap_or_default() {
        "invalid_request_error"
        | "invalid_request"
        | "invalid_argument"
        | "context_length_exceeded"
        | "failed_precondition"
        | "out_of_range" => 400,
        "authentication_error" | "unauthenticated" => 401,
        "permission_error" | "permission_denied" => 403,
        "not_found_error" | "not_found" => 404,
        "rate_limit_error"
        | "rate_limit_exceeded"
        | "requests"
        | "tokens"
        | "resource_exhausted"
        | "too_many_requests" => 429,
        "cancelled" => 499,
        "service_unavailable" | "unavailable" => 503,
        "timeout_error" | "deadline_exceeded" => 504,
        _ => return None,
    })
}
