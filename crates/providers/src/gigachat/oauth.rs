//! The token that a GigaChat key is exchanged for: what is sent, how the answer is read, what a refusal means.
//! The exchange itself, and keeping one token for each key and scope, is the server's; so is the header
//! `RqUID`, a new UUID for each request, without which it is refused.

use std::time::Duration;

use domain::{Certainty, Class, Secret, UnixMs, Verdict};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use super::error::is_html;

/// How long a token lives where the answer does not say (GigaChat's documentation).
pub const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// How long before its end a token is renewed, as Sber's own SDK does.
pub const RENEW_BEFORE: Duration = Duration::from_secs(60);
/// The media type of [`token_request`].
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Expiries below are in seconds, others in milliseconds: both have been seen.
const LEAST_MS: i64 = 100_000_000_000;
/// Tokens have one or two kilobytes; what is larger fits no header.
const LONGEST_TOKEN: usize = 16 * 1024;
/// The endpoint takes ten requests a second.
const PAUSE: Duration = Duration::from_secs(1);

const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.');

/// A token and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What is sent as bearer.
    pub secret: Secret,
    /// When it is over; where the answer does not say, [`LIFETIME`] from now is right.
    pub expires_at: Option<UnixMs>,
}

/// Why an answer with status 200 is no token. It says nothing of what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// It is not JSON, or not an object.
    #[error("the answer is not a JSON object")]
    NotAnObject,
    /// It has neither `access_token` nor `tok`.
    #[error("the answer has neither access_token nor tok")]
    Missing,
    /// The token is empty, longer than 16 KiB, or has characters that no header takes.
    #[error("the token in the answer fits no header")]
    Unfit,
}

/// The body of the request for a token of this scope, for example `GIGACHAT_API_PERS`.
pub fn token_request(scope: &str) -> Vec<u8> {
    format!("scope={}", utf8_percent_encode(scope, FORM)).into_bytes()
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<Value>,
    tok: Option<Value>,
    expires_at: Option<Value>,
    exp: Option<Value>,
}

/// Reads the answer to a request for a token: `{"access_token", "expires_at"}`, on some premises `{"tok", "exp"}`.
pub fn read_token(body: &[u8]) -> Result<Token, NoToken> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| NoToken::NotAnObject)?;
    let Some(Value::String(token)) = answer.access_token.or(answer.tok) else {
        return Err(NoToken::Missing);
    };
    // From here on the text is wiped when it is dropped.
    let secret = Secret::new(token);
    let text = secret.expose();
    let is_fit = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > LONGEST_TOKEN || !is_fit {
        return Err(NoToken::Unfit);
    }
    Ok(Token {
        secret,
        expires_at: answer.expires_at.or(answer.exp).as_ref().and_then(instant),
    })
}

/// An instant in seconds or milliseconds.
fn instant(value: &Value) -> Option<UnixMs> {
    let number = value
        .as_i64()
        .or_else(|| value.as_f64().map(|number| number as i64))
        .or_else(|| value.as_str()?.parse().ok())
        .filter(|number| *number > 0)?;
    Some(UnixMs(if number < LEAST_MS {
        number * 1000
    } else {
        number
    }))
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    code: Option<i64>,
}

/// What the endpoint's refusal (status 300 or more) means for the key; codes are those of `{"code": 7, "message": "…"}`.
pub fn judge_refusal(status: u16, body: &[u8]) -> Verdict {
    let is_page = is_html(body);
    let code = serde_json::from_slice::<Refusal>(body)
        .unwrap_or_default()
        .code;
    match (status, code) {
        (300..=399, _) => Verdict::new(Class::GatewayBug, "token_redirect"),
        (408 | 425 | 504, _) => Verdict::new(Class::Timeout, "token_timeout"),
        (429, _) => Verdict::new(Class::RateLimited, "token_requests_too_many").delay(Some(PAUSE)),
        // A balancer's page says nothing of the key.
        (400..=499, _) if is_page => Verdict::new(Class::ServerError, "token_html"),
        (400..=499, Some(1)) => decisive("token_scope_malformed"),
        (400..=499, Some(5)) => decisive("token_scope_empty"),
        (400..=499, Some(7)) => decisive("token_scope_of_another_kind_of_key"),
        (400..=499, Some(4)) => decisive("authorization_key_malformed"),
        (401, _) | (400..=499, Some(6)) => {
            Verdict::new(Class::KeyInvalid, "authorization_key_unknown")
        }
        (403, _) => Verdict::new(Class::KeyRestricted, "token_forbidden"),
        (400..=499, _) => Verdict::new(Class::GatewayBug, "token_request_refused"),
        _ => Verdict::new(Class::ServerError, "token_server_error"),
    }
}

/// The operator has to mend the key or its scope: waiting does not help.
fn decisive(reason: &'static str) -> Verdict {
    Verdict::new(Class::KeyInvalid, reason).certainty(Certainty::Decisive)
}
