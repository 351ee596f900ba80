//! Judges GigaChat's refusals, `{"status": 404, "message": "No such model"}`: the status says nearly everything.
//! Pages of HTML come from the balancer before it, which knows neither keys nor models.

use std::borrow::Cow;
use std::time::Duration;

use domain::{Class, Scope, Verdict};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::Deserialize;
use wire::duration;

use crate::{ErrorAnswer, Place};

/// The reason of a verdict that a new token may mend: the token is to be fetched anew and the request sent once more,
/// before the verdict is believed.
pub const TOKEN_EXPIRED: &str = "token_expired";

/// The reason of a verdict that says no more than that the account has as many requests under way as it may.
pub const TURNS_TAKEN: &str = "streams_at_a_time";

/// Streams at a time are what is limited, and GigaChat gives no delay: a place is free when another stream ends.
const PAUSE: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// What a refusal means.
pub fn judge_error(answer: &ErrorAnswer<'_>) -> Verdict {
    let refusal = Refusal {
        status: answer.status,
        text: message(answer.body),
        is_page: is_html(answer.body),
        place: answer.place,
        headers: Some(answer.headers),
    };
    refusal.judge()
}

/// What an error object inside a success means, as `answer/failure.rs` writes it; without a status the provider
/// has failed to answer.
pub(super) fn judge_inner(object: &[u8]) -> Verdict {
    let fields: Fields<'_> = serde_json::from_slice(object).unwrap_or_default();
    let code = fields.code.and_then(|code| code.parse().ok());
    let refusal = Refusal {
        status: code.unwrap_or(500),
        text: fields.message.unwrap_or_default().to_lowercase(),
        is_page: false,
        place: Place::Model,
        headers: None,
    };
    refusal.judge()
}

/// A page and no JSON.
pub(super) fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

#[derive(Default, Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

/// The message in lower case; empty where there is none.
fn message(body: &[u8]) -> String {
    let message: Message<'_> = serde_json::from_slice(body).unwrap_or_default();
    message.message.unwrap_or_default().to_lowercase()
}

/// A refusal laid out for judging.
struct Refusal<'a> {
    status: u16,
    text: String,
    is_page: bool,
    place: Place,
    headers: Option<&'a HeaderMap>,
}

impl Refusal<'_> {
    fn judge(&self) -> Verdict {
        match self.status {
            300..=399 => Verdict::new(Class::GatewayBug, "redirect"),
            408 | 425 => Verdict::new(Class::Timeout, "timeout"),
            413 => Verdict::new(Class::BadRequest, "context_length_exceeded"),
            429 => Verdict::new(Class::RateLimited, TURNS_TAKEN).delay(Some(self.pause())),
            400..=499 if self.is_page => Verdict::new(Class::ServerError, "html"),
            401 => Verdict::new(Class::KeyInvalid, TOKEN_EXPIRED),
            // Tokens are bought for each model apart: others may have some left.
            402 => Verdict::new(Class::Billing, "payment_required").reaching(Scope::Pair),
            // Some methods are not for all kinds of accounts; that says nothing against the key.
            403 => Verdict::new(Class::KeyRestricted, "permission_denied").reaching(Scope::Nobody),
            404 => self.not_found(),
            422 => Verdict::new(Class::BadRequest, "invalid_params"),
            400..=499 => Verdict::new(Class::BadRequest, "bad_request"),
            _ => Verdict::new(Class::ServerError, "server_error").delay(self.retry_after()),
        }
    }

    fn not_found(&self) -> Verdict {
        if self.text.contains("model") {
            Verdict::new(Class::ModelUnavailable, "no_such_model").delay(Some(HOUR))
        } else if self.place == Place::Resource {
            Verdict::new(Class::AffinityMiss, "resource_not_found")
        } else {
            Verdict::new(Class::BadRequest, "not_found")
        }
    }

    fn pause(&self) -> Duration {
        self.retry_after().unwrap_or(PAUSE)
    }

    fn retry_after(&self) -> Option<Duration> {
        let value = self.headers?.get(RETRY_AFTER)?;
        duration::retry_after(value.to_str().ok()?)
    }
}
