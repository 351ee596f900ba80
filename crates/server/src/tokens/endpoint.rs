//! The endpoint that gives tokens, asked for one: a request, its answer, and what that means.
//! It keeps nothing; `tokens.rs` does.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{Certainty, Class, Secret, Verdict};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use providers::gigachat::oauth::{self, Token};

use super::Refusal;
use crate::egress::{
    Egress, EgressFault, Origin, OriginOptions, Outgoing, OutgoingBody, SendError, UpstreamBody,
};

/// A request is known to the endpoint by a UUID of its own, without which it is refused.
const REQUEST_ID: HeaderName = HeaderName::from_static("rquid");
const LIMIT: Duration = Duration::from_secs(30);
pub(super) const LARGEST_ANSWER: usize = 64 * 1024;
pub(super) const LONGEST_EXCERPT: usize = 512;

/// Where keys are exchanged for tokens.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    origin: Arc<Origin>,
    form: Bytes,
    /// For a whole exchange.
    pub(super) limit: Duration,
}

impl Endpoint {
    /// The endpoint that `origin` is, path included, asked for tokens of this scope.
    pub(super) fn new(origin: Arc<Origin>, scope: &str) -> Self {
        Self {
            origin,
            form: oauth::token_request(scope).into(),
            limit: LIMIT,
        }
    }

    pub(super) fn is(&self, options: &OriginOptions, scope: &str) -> bool {
        self.origin.options() == options && self.form == oauth::token_request(scope)
    }

    pub(super) fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// Asks for a token of the key by that egress, for at most the limit.
    pub(super) async fn ask(&self, key: &Secret, egress: &Egress) -> Result<Token, Arc<Refusal>> {
        tokio::time::timeout(self.limit, self.exchange(key, egress))
            .await
            .unwrap_or_else(|_| {
                let private = format!("no token within {} ms", self.limit.as_millis());
                let verdict = Verdict::new(Class::Timeout, "token_timeout");
                Err(refusal(None, verdict, private))
            })
    }

    async fn exchange(&self, key: &Secret, egress: &Egress) -> Result<Token, Arc<Refusal>> {
        let mut request = self.request(key).map_err(|_| unusable_key())?;
        let sent = self.origin.send(&mut request, egress).await;
        let (head, body) = sent
            .map_err(|error| unreachable(&error, egress))?
            .into_parts();
        let status = head.status.as_u16();
        if head.status != StatusCode::OK {
            let body = collect_error(body).await;
            let verdict = oauth::judge_refusal(status, &body);
            return Err(refusal(Some(status), verdict, excerpt(body, key)));
        }
        let token = match collect(body).await {
            Ok(body) => {
                oauth::read_token(&body).map_err(|error| ("token_unreadable", error.to_string()))
            }
            Err(fault) => Err(fault),
        };
        token.map_err(|(reason, private)| {
            refusal(
                Some(status),
                Verdict::new(Class::ServerError, reason),
                private,
            )
        })
    }

    fn request(&self, key: &Secret) -> Result<Outgoing, InvalidHeaderValue> {
        let mut basic = HeaderValue::try_from(format!("Basic {}", key.expose()))?;
        basic.set_sensitive(true);
        let form = HeaderValue::from_static(oauth::CONTENT_TYPE);
        let headers = [
            (AUTHORIZATION, basic),
            (REQUEST_ID, HeaderValue::try_from(random_uuid())?),
            (CONTENT_TYPE, form),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ];
        Ok(Outgoing {
            method: Method::POST,
            path_and_query: String::new(),
            headers: HeaderMap::from_iter(headers),
            body: OutgoingBody::Buffered([self.form.clone()].into()),
            creates: false,
        })
    }
}

/// The body of a success; what is wrong with it, as a code and a text.
async fn collect(body: UpstreamBody) -> Result<Bytes, (&'static str, String)> {
    match Limited::new(body, LARGEST_ANSWER).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let private = format!("the answer is larger than {LARGEST_ANSWER} bytes");
            Err(("token_too_large", private))
        }
        Err(error) => Err(("token_broke_off", error.to_string())),
    }
}

/// The body of an error, as far as it comes and is worth reading: its status alone already says that it is one.
async fn collect_error(mut body: UpstreamBody) -> Bytes {
    let mut whole = BytesMut::new();
    while whole.len() < LARGEST_ANSWER
        && let Some(Ok(frame)) = body.frame().await
    {
        let chunk = frame.into_data().unwrap_or_default();
        let room = LARGEST_ANSWER - whole.len();
        whole.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    whole.freeze()
}

fn refusal(status: Option<u16>, verdict: Verdict, private: String) -> Arc<Refusal> {
    Arc::new(Refusal {
        verdict,
        private,
        status,
        egress: None,
    })
}

/// A key that no header can carry was mistyped by an operator.
fn unusable_key() -> Arc<Refusal> {
    let verdict =
        Verdict::new(Class::KeyInvalid, "key_not_sendable").certainty(Certainty::Decisive);
    let private = "the key has characters that no header can carry";
    refusal(None, verdict, private.to_owned())
}

fn unreachable(error: &SendError, egress: &Egress) -> Arc<Refusal> {
    let hint = match error {
        SendError::Tls { .. } => "; hint: set the provider's ca_file to its issuer's certificate",
        _ => "",
    };
    Arc::new(Refusal {
        verdict: Verdict::new(Class::Network, error.reason()),
        private: format!("{error}{hint}"),
        status: None,
        egress: EgressFault::of(error, egress),
    })
}

/// The beginning of an error's body, without the key, for the log.
fn excerpt(body: Bytes, key: &Secret) -> String {
    let body = wire::redact::redact(body, &[key.expose()]);
    String::from_utf8_lossy(&body[..body.len().min(LONGEST_EXCERPT)]).into_owned()
}

/// A version 4 UUID (RFC 9562). It only tells requests apart, so nobody needs to be unable to guess it.
fn random_uuid() -> String {
    let random = fastrand::u128(..) & !(0xf << 76 | 0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{random:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
