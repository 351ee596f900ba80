//! Which headers pass: all of them, but for those that belong to one connection, show who called, or hold a credential.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};

/// Of one connection, not of the message (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Never sent to a provider: credentials, and what tells it who called and by which way.
const NOT_UPSTREAM: [HeaderName; 18] = [
    header::HOST,
    header::AUTHORIZATION,
    header::COOKIE,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::FORWARDED,
    header::TRAILER,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("x-server-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-google-api-key"),
    HeaderName::from_static("x-xai-api-key"),
    HeaderName::from_static("x-gigachat-api-key"),
    HeaderName::from_static("x-perplexity-api-key"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
];

/// Never sent to a caller: what a provider says of its own host, and its cookies.
const NOT_DOWNSTREAM: [HeaderName; 4] = [
    header::SET_COOKIE,
    header::ALT_SVC,
    header::STRICT_TRANSPORT_SECURITY,
    HeaderName::from_static("x-goog-api-key"),
];

/// Makes a caller's headers fit to be sent to a provider.
pub(crate) fn clean_for_upstream(headers: &mut HeaderMap) {
    drop_hop_by_hop(headers);
    for name in &NOT_UPSTREAM {
        headers.remove(name);
    }
    let forwarded: Vec<HeaderName> = headers
        .keys()
        .filter(|name| tells_the_way(name.as_str()))
        .cloned()
        .collect();
    for name in forwarded {
        headers.remove(name);
    }
}

/// Makes a provider's headers fit to be sent to a caller: no value that holds `secret` passes.
pub(crate) fn clean_for_caller(headers: &mut HeaderMap, secret: &str) {
    drop_hop_by_hop(headers);
    for name in &NOT_DOWNSTREAM {
        headers.remove(name);
    }
    let holds_secret = |value: &HeaderValue| contains(value.as_bytes(), secret.as_bytes());
    let leaking: Vec<HeaderName> = headers
        .iter()
        .filter(|(_, value)| holds_secret(value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in leaking {
        headers.remove(name);
    }
}

fn tells_the_way(name: &str) -> bool {
    name.starts_with("x-forwarded-") || name.starts_with("cf-") || name.starts_with("x-envoy-")
}

/// Removes what is of one connection, with what `Connection` names besides.
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    if let Some(named) = headers.get(header::CONNECTION).cloned() {
        for name in named.to_str().unwrap_or_default().split(',') {
            headers.remove(name.trim());
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty()
        && haystack.len() >= needle.len()
        && haystack
            .windows(needle.len())
            .any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn upstream_gets_neither_credentials_nor_the_way() {
        let mut sent = headers(&[
            ("authorization", "Bearer sk-1"),
            ("x-goog-api-key", "sk-1"),
            ("x-google-api-key", "AIza-own"),
            ("cookie", "session=1"),
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("x-forwarded-for", "1.2.3.4"),
            ("via", "1.1 somewhere"),
            ("x-goog-api-client", "google-genai-sdk/3.3.0"),
            ("x-goog-upload-protocol", "resumable"),
            ("content-type", "application/json"),
        ]);
        clean_for_upstream(&mut sent);
        let mut left: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(
            left,
            [
                "content-type",
                "x-goog-api-client",
                "x-goog-upload-protocol"
            ]
        );
    }

    #[test]
    fn callers_never_get_the_providers_key() {
        let mut sent = headers(&[
            ("set-cookie", "NID=1"),
            ("alt-svc", "h3=\":443\""),
            ("x-debug", "key AIza-secret used"),
            ("location", "https://host/?key=AIza-secret"),
            ("server-timing", "gfet4t7; dur=12"),
        ]);
        clean_for_caller(&mut sent, "AIza-secret");
        assert_eq!(
            sent.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["server-timing"]
        );
    }
}
