//! Which headers pass: all of them, but for those that belong to one connection, show who called, or hold a credential.

use http::header::{CONNECTION, HeaderName};
use http::{HeaderMap, HeaderValue};

/// Makes a caller's headers fit to be sent to a provider.
pub(crate) fn clean_for_upstream(headers: &mut HeaderMap) {
    drop_named_by_connection(headers);
    drop_where(headers, |name, _| {
        is_of_one_connection(name) || is_credential(name) || tells_who_called(name)
    });
}

/// Makes a provider's headers fit to be sent to a caller: no value that holds `secret` passes.
pub(crate) fn clean_for_caller(headers: &mut HeaderMap, secret: &str) {
    drop_named_by_connection(headers);
    drop_where(headers, |name, value| {
        is_of_one_connection(name)
            || is_of_the_providers_host(name)
            || contains(value.as_bytes(), secret.as_bytes())
    });
}

/// Of one connection, not of the message (RFC 9110, section 7.6.1).
fn is_of_one_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// What keymux reads itself, or sets anew.
fn is_credential(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "content-length"
            | "cookie"
            | "expect"
            | "host"
            | "x-api-key"
            | "x-gigachat-api-key"
            | "x-goog-api-key"
            | "x-google-api-key"
            | "x-perplexity-api-key"
            | "x-server-key"
            | "x-xai-api-key"
    )
}

fn tells_who_called(name: &str) -> bool {
    matches!(
        name,
        "forwarded"
            | "true-client-ip"
            | "via"
            | "x-client-ip"
            | "x-goog-user-project"
            | "x-real-ip"
    ) || ["cf-", "x-envoy-", "x-forwarded-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// What a provider says of its own host, and its cookies.
fn is_of_the_providers_host(name: &str) -> bool {
    matches!(
        name,
        "alt-svc" | "set-cookie" | "strict-transport-security" | "x-goog-api-key"
    )
}

/// Looks at each header once: most requests have few, and lose two or three.
fn drop_where(headers: &mut HeaderMap, is_dropped: impl Fn(&str, &HeaderValue) -> bool) {
    let dropped: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| is_dropped(name.as_str(), value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in &dropped {
        headers.remove(name);
    }
}

/// Removes the headers that `Connection` names.
fn drop_named_by_connection(headers: &mut HeaderMap) {
    let Some(named) = headers.get(CONNECTION).cloned() else {
        return;
    };
    for name in named.to_str().unwrap_or_default().split(',') {
        headers.remove(name.trim());
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
