//! The HTTP of a WebSocket's opening (RFC 6455, section 4): the caller's wish and how it is granted, and the same wish as
//! it is put to the provider. Extensions are not taken on: what is compressed could not be read as it passes.

use domain::Class;
use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::error::GatewayError;
use crate::http::Body;

/// The one version that there is.
const VERSION: HeaderValue = HeaderValue::from_static("13");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
/// Subprotocols that browsers put a credential into: they are no provider's business.
const CREDENTIALS: [&str; 2] = ["openai-insecure-api-key.", "xai-client-secret."];

/// A caller's wish for a WebSocket.
#[derive(Debug)]
pub(super) struct Wish {
    accept: String,
    /// The connection, once the wish is granted.
    pub(super) upgrade: OnUpgrade,
    /// What the caller would speak inside.
    protocols: Option<HeaderValue>,
}

impl Wish {
    /// Reads it from a request's head, and takes its connection out of there.
    pub(super) fn read(head: &mut Parts) -> Result<Self, GatewayError> {
        let headers = &head.headers;
        if head.method != Method::GET || !wants_websocket(headers) {
            let text = "this is a WebSocket; ask for it with `Upgrade: websocket`";
            return Err(refused(StatusCode::UPGRADE_REQUIRED, text));
        }
        if headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
            let text = "the WebSocket's version must be 13";
            return Err(refused(StatusCode::UPGRADE_REQUIRED, text));
        }
        let accept = headers
            .get(SEC_WEBSOCKET_KEY)
            .map(|key| derive_accept_key(key.as_bytes()));
        let protocols = without_credentials(headers);
        let upgrade = head.extensions.remove::<OnUpgrade>();
        let (Some(accept), Some(upgrade)) = (accept, upgrade) else {
            let text = "the request for a WebSocket has no Sec-WebSocket-Key";
            return Err(refused(StatusCode::BAD_REQUEST, text));
        };
        Ok(Self {
            accept,
            upgrade,
            protocols,
        })
    }

    /// The answer that grants it.
    pub(super) fn grant(&self, protocol: Option<HeaderValue>) -> Response<Body> {
        let mut response = Response::new(Body::full(""));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, WEBSOCKET);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(protocol) = protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }

    /// Makes the caller's headers, which have been cleaned, a wish of our own.
    pub(super) fn put_to_provider(&self, headers: &mut HeaderMap) {
        headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        headers.insert(UPGRADE, WEBSOCKET);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
        if let Ok(key) = HeaderValue::try_from(generate_key()) {
            headers.insert(SEC_WEBSOCKET_KEY, key);
        }
        if let Some(protocols) = &self.protocols {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols.clone());
        }
    }
}

/// Whether a request asks to go on as a WebSocket.
pub(super) fn wants_websocket(headers: &HeaderMap) -> bool {
    has_word(headers, &UPGRADE, "websocket") && has_word(headers, &CONNECTION, "upgrade")
}

/// Whether the provider's answer is to that key.
pub(super) fn is_answer_to(key: Option<&HeaderValue>, headers: &HeaderMap) -> bool {
    let accept = headers.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    let expected = key.map(|key| derive_accept_key(key.as_bytes()));
    accept.is_some() && accept == expected.as_deref().map(str::as_bytes)
}

fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// The subprotocols that are none in disguise.
fn without_credentials(headers: &HeaderMap) -> Option<HeaderValue> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let kept: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !CREDENTIALS.iter().any(|lead| name.starts_with(lead)))
        .collect();
    (!kept.is_empty()).then(|| HeaderValue::try_from(kept.join(", ")).ok())?
}

fn refused(status: StatusCode, text: &str) -> GatewayError {
    GatewayError::upstream(status, Class::BadRequest, text)
}
