//! Tries that gave no answer for the caller: what the provider said, or why it said nothing, and what that means.
//! Which of them are repeated is `failover.rs`; how refusals are told in OpenAI's dialect, `refusal.rs`.

use std::time::Duration;

use bytes::Bytes;
use domain::{Certainty, Class, Verdict};
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http::{Response, StatusCode};

use super::hold::Answer;
use crate::egress::{CallersFault, Egress, EgressFault, Phase, SendError};
use crate::tokens;

/// How much of a body the log shows.
const LONGEST_EXCERPT: usize = 512;

/// A try that gave no answer for the caller.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// What the provider said, without secrets.
    pub(crate) refusal: Option<Refusal>,
    /// An answer without content: passed on as it is when it is not tried again.
    pub(crate) empty: Option<Answer>,
    /// Nothing can have been created by it.
    pub(crate) is_harmless: bool,
    /// What the caller is to know, where the provider has said nothing.
    pub(crate) told: Option<(StatusCode, String)>,
    /// The way that the attempt left by may be to blame, and no key is.
    pub(crate) egress: Option<EgressFault>,
    /// What only the log says.
    pub(crate) private: String,
}

impl Failure {
    /// What the provider said of its own.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self {
            private: excerpt(&refusal.body),
            refusal: Some(refusal),
            ..Self::default()
        }
    }
}

/// An error of the provider's, without secrets.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

/// The provider's status, what it means, and what there is for the caller.
pub(crate) type Judged = (Option<u16>, Verdict, Result<Box<Answer>, Box<Failure>>);

/// A key that no header can carry was mistyped by an operator.
pub(crate) fn unusable_key() -> Judged {
    let verdict =
        Verdict::new(Class::KeyInvalid, "key_not_sendable").certainty(Certainty::Decisive);
    (
        None,
        verdict,
        Err(Box::new(Failure {
            is_harmless: true,
            ..Failure::default()
        })),
    )
}

pub(crate) fn unreachable_provider(error: &SendError, egress: &Egress) -> Judged {
    let class = match error.callers_fault() {
        Some(CallersFault::TooLarge) => Class::BadRequest,
        Some(CallersFault::BrokeOff) => Class::ClientGone,
        None => Class::Network,
    };
    let egress = EgressFault::of(error, egress);
    let failure = Failure {
        is_harmless: error.phase() == Phase::Connect,
        told: no_way(egress.as_ref()),
        egress,
        private: error.to_string(),
        ..Failure::default()
    };
    (
        None,
        Verdict::new(class, error.reason()),
        Err(Box::new(failure)),
    )
}

/// What the caller is told where no proxy led to the provider.
fn no_way(fault: Option<&EgressFault>) -> Option<(StatusCode, String)> {
    let fault = fault.filter(|fault| fault.is_before_sending);
    let text = "the provider could not be reached through an outbound proxy; try again later";
    fault.map(|_| (StatusCode::BAD_GATEWAY, text.to_owned()))
}

/// The token was refused for a body that is gone by now. The next request finds another token.
pub(crate) fn token_over(status: Option<u16>) -> Judged {
    let told = "the provider's access token was over; send the upload again";
    let failure = Failure {
        told: Some((StatusCode::BAD_GATEWAY, told.to_owned())),
        ..Failure::default()
    };
    let verdict = Verdict::new(Class::Network, "token_over");
    (status, verdict, Err(Box::new(failure)))
}

/// The key could not be exchanged for a token.
pub(crate) fn no_token(refusal: &tokens::Refusal) -> Judged {
    let failure = Failure {
        is_harmless: true,
        told: no_way(refusal.egress.as_ref()),
        egress: refusal.egress.clone(),
        private: refusal.private.clone(),
        ..Failure::default()
    };
    (
        refusal.status,
        refusal.verdict.clone(),
        Err(Box::new(failure)),
    )
}

pub(crate) fn broke_off(status: Option<u16>, error: hyper::Error, egress: &Egress) -> Judged {
    let error = SendError::from(error);
    let failure = Failure {
        egress: EgressFault::of(&error, egress),
        private: error.to_string(),
        ..Failure::default()
    };
    (
        status,
        Verdict::new(Class::ServerError, "broke_off_before_content"),
        Err(Box::new(failure)),
    )
}

/// An answer that has to be read and came compressed, though that was not asked for.
pub(crate) fn unreadable(status: Option<u16>) -> Judged {
    let failure = Failure {
        private: "the answer is compressed, though it was asked for as it is".to_owned(),
        ..Failure::default()
    };
    let verdict = Verdict::new(Class::ServerError, "compressed");
    (status, verdict, Err(Box::new(failure)))
}

pub(crate) fn timed_out(limit: Duration) -> Judged {
    let private = format!("no useful chunk within {} ms", limit.as_millis());
    let failure = Failure {
        private,
        ..Failure::default()
    };
    (
        None,
        Verdict::new(Class::Timeout, "first_chunk_timeout"),
        Err(Box::new(failure)),
    )
}

/// A provider's error without what it was shown, and without the key behind that.
pub(crate) fn refusal(mut head: Parts, body: Bytes, secrets: &[&str]) -> Refusal {
    head.headers.remove(CONTENT_LENGTH);
    Refusal {
        head,
        body: wire::redact::redact(body, secrets),
    }
}

/// The beginning of a body that has been redacted, for the log.
fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(LONGEST_EXCERPT)]).into_owned()
}

impl From<Refusal> for Response<Bytes> {
    fn from(refusal: Refusal) -> Self {
        Self::from_parts(refusal.head, refusal.body)
    }
}
