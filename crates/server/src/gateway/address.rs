//! The address that a caller used, for links in answers that must lead back through keymux.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::HOST;
use ipnet::IpNet;

/// Scheme and authority as the caller wrote them, for example `http://127.0.0.1:8000`.
///
/// `X-Forwarded-Proto` and `X-Forwarded-Host` count only from a trusted proxy.
pub(crate) fn as_called(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> Option<String> {
    let is_trusted = trusted.iter().any(|net| net.contains(&peer));
    let forwarded = |name: &str| {
        let first = headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
        (is_trusted && is_plain(first)).then_some(first)
    };
    let host = forwarded("x-forwarded-host").or_else(|| headers.get(HOST)?.to_str().ok())?;
    let scheme = match forwarded("x-forwarded-proto") {
        Some("https") => "https",
        _ => "http",
    };
    is_plain(host).then(|| format!("{scheme}://{host}"))
}

/// A host, a port or a scheme, and nothing that could begin a path or another header.
fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &[(&'static str, &'static str)], trusted: &[&str], expected: Option<&str>) {
        let headers = list
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect();
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let peer = "10.0.0.5".parse().unwrap();
        assert_eq!(
            as_called(&headers, peer, &trusted).as_deref(),
            expected,
            "{list:?}"
        );
    }

    #[test]
    fn forwarded_headers_count_only_from_trusted_proxies() {
        let forwarded = [
            ("host", "keymux:8000"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "ai.example.com"),
        ];
        check(&forwarded, &["10.0.0.0/8"], Some("https://ai.example.com"));
        check(&forwarded, &["192.168.0.0/16"], Some("http://keymux:8000"));
        check(&[("host", "[::1]:8000")], &[], Some("http://[::1]:8000"));
        check(&[("host", "evil/path")], &[], None);
        check(&[], &[], None);
    }
}
