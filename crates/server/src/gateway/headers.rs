//! Which headers pass: all of them, but for those that belong to one connection, show who called, hold a credential, or
//! tell of the provider's account what is not the caller's business.

use http::header::{CONNECTION, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::caller::{self, Shown};

/// Makes a caller's headers fit to be sent to a provider: no key passes that is shown in one of them.
pub(crate) fn clean_for_upstream(headers: &mut HeaderMap) {
    let shown = caller::shown(headers, None);
    clean_of(headers, &shown);
}

/// The same where it is known what keys the caller has shown, in the query too.
pub(crate) fn clean_of(headers: &mut HeaderMap, shown: &Shown) {
    drop_named_by_connection(headers);
    drop_where(headers, |name, value| {
        is_of_one_connection(name)
            || is_credential(name)
            || tells_who_called(name)
            || is_for_keymux(name)
            || shown.is_in(value.as_bytes())
    });
}

/// Makes a provider's headers fit to be sent to a caller: no value passes that holds one of `secrets`, or what looks like
/// a key of anybody's.
pub(crate) fn clean_for_caller(headers: &mut HeaderMap, secrets: &[&str]) {
    drop_named_by_connection(headers);
    drop_where(headers, |name, value| {
        let holds = |secret: &&str| contains(value.as_bytes(), secret.as_bytes());
        is_of_one_connection(name)
            || is_of_the_providers_host(name)
            || is_of_the_providers_account(name)
            || secrets.iter().any(holds)
            || wire::redact::holds_key(value.as_bytes())
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
        "api-key"
            | "authorization"
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
            | "referer"
            | "true-client-ip"
            | "via"
            | "x-client-ip"
            | "x-goog-user-project"
            | "x-real-ip"
    ) || ["cf-", "x-envoy-", "x-forwarded-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// What callers say to keymux, and to its dashboard.
fn is_for_keymux(name: &str) -> bool {
    name == "x-csrf-token" || name.starts_with("x-keymux-")
}

/// What a provider says of its own host and the way to it, its cookies, and whom of other origins it lets read answers:
/// at keymux that is for `server.cors_origins` to say.
fn is_of_the_providers_host(name: &str) -> bool {
    matches!(
        name,
        "alt-svc" | "set-cookie" | "strict-transport-security" | "via" | "x-goog-api-key"
    ) || name.starts_with("access-control-")
}

/// Whose the key of the pool is, what is left of its limits, and how it is to be shown. Callers have limits of their own.
fn is_of_the_providers_account(name: &str) -> bool {
    matches!(
        name,
        "openai-organization" | "openai-project" | "www-authenticate"
    ) || ["anthropic-ratelimit-", "x-keymux-", "x-ratelimit-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
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

/// Removes the headers that `Connection` names, in any of its lines.
fn drop_named_by_connection(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let lines = headers.get_all(CONNECTION).iter().cloned();
    for line in lines.collect::<Vec<_>>() {
        for name in line.as_bytes().split(|byte| *byte == b',') {
            if let Ok(name) = HeaderName::from_bytes(name.trim_ascii()) {
                headers.remove(name);
            }
        }
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
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn upstream_gets_neither_credentials_nor_the_way() {
        let mut sent = headers(&[
            ("authorization", "Bearer sk-1"),
            ("x-goog-api-key", "sk-1"),
            ("x-google-api-key", "AIza-own"),
            ("cookie", "session=1"),
            ("connection", "close, x-hop"),
            ("connection", "x-second , X-Third"),
            ("x-hop", "1"),
            ("x-second", "1"),
            ("x-third", "1"),
            ("api-key", "whatever"),
            ("referer", "https://app.example.com/?key=sk-1"),
            ("x-csrf-token", "t"),
            ("x-keymux-anything", "1"),
            ("x-other", "sk-1"),
            ("x-forwarded-for", "1.2.3.4"),
            ("via", "1.1 somewhere"),
            ("x-goog-api-client", "google-genai-sdk/3.3.0"),
            ("x-goog-upload-protocol", "resumable"),
            ("content-type", "application/json"),
        ]);
        clean_for_upstream(&mut sent);
        assert_eq!(
            names(&sent),
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
            ("x-another", "sk-proj-0123456789abcdefghijklmnop"),
            ("server-timing", "gfet4t7; dur=12"),
        ]);
        clean_for_caller(&mut sent, &["AIza-secret"]);
        assert_eq!(names(&sent), ["server-timing"]);
    }

    #[test]
    fn callers_get_neither_the_providers_permissions_nor_its_accounts_limits() {
        let mut sent = headers(&[
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("x-ratelimit-remaining-requests", "41"),
            ("openai-organization", "org-of-the-pool"),
            ("openai-project", "proj_1"),
            ("openai-processing-ms", "12"),
            ("via", "1.1 google"),
            ("www-authenticate", "Bearer"),
            ("x-keymux-key", "7"),
            ("connection", "x-hop"),
            ("connection", "x-second"),
            ("x-second", "1"),
            ("retry-after", "3"),
            ("x-request-id", "req_1"),
        ]);
        clean_for_caller(&mut sent, &[]);
        assert_eq!(
            names(&sent),
            ["openai-processing-ms", "retry-after", "x-request-id"]
        );
    }

    #[test]
    fn a_short_key_is_only_the_value_that_it_is() {
        let mut sent = headers(&[
            ("x-api-key", "dev"),
            ("x-one", "dev"),
            ("x-two", "developer"),
        ]);
        clean_for_upstream(&mut sent);
        assert_eq!(names(&sent), ["x-two"]);
    }
}
