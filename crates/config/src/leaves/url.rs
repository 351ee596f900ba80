//! URLs of providers. Whether an address may be used at all is asked in `check/addresses.rs`; outbound proxies are
//! `proxy_url.rs`.

use std::net::{IpAddr, Ipv6Addr};

use http::Uri;
use serde_json::Value as Json;

use crate::Shape;
use crate::value::Leaf;

/// An absolute http or https URL without credentials, query and trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// The URL; a path that begins with `/` can be appended.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is sent is readable on its way.
    pub fn is_plain_http(&self) -> bool {
        self.0.starts_with("http:")
    }

    /// The host's name or address, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        let authority = self.0.split("://").nth(1).unwrap_or_default();
        let authority = authority.split('/').next().unwrap_or_default();
        match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    /// The host's address where it is written as one; IPv4 inside of IPv6 is IPv4.
    pub fn address(&self) -> Option<IpAddr> {
        self.host()
            .parse()
            .ok()
            .map(|address: IpAddr| address.to_canonical())
    }

    /// The host is this machine.
    pub fn is_loopback(&self) -> bool {
        let name = self.host().trim_end_matches('.');
        let is_name = name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost");
        is_name || self.address().is_some_and(|address| address.is_loopback())
    }
}

impl Leaf for HttpUrl {
    fn shape() -> Shape {
        Shape::HttpUrl
    }

    fn listed(&self) -> Json {
        self.as_str().into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        const WRONG: &str = "is not an absolute http or https URL";
        let uri: Uri = text.parse().map_err(|_| WRONG)?;
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let is_http = matches!(scheme.as_str(), "http" | "https");
        let authority = uri.authority().filter(|_| is_http).ok_or(WRONG)?;
        if authority.as_str().contains('@') {
            return Err("has a user name or a password, which belong into the keys".to_owned());
        }
        if text.contains(['?', '#']) {
            return Err("has a query or a fragment; expected a URL without".to_owned());
        }
        let path = uri.path().trim_end_matches('/');
        let url = Self(format!("{scheme}://{authority}{path}"));
        if url.host().is_empty() || has_disguised_address(url.host()) {
            return Err("does not have a host's name or address".to_owned());
        }
        Ok(url)
    }
}

/// A host that resolvers take for an address though it is not written as one, such as `2852039166`.
///
/// They do so when the last label is a number (WHATWG URL, "ends in a number checker").
pub(super) fn has_disguised_address(host: &str) -> bool {
    let last = host
        .trim_end_matches('.')
        .rsplit('.')
        .next()
        .unwrap_or_default();
    let is_hex = last.starts_with("0x") || last.starts_with("0X");
    let is_number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    let is_ipv6 = host.parse::<Ipv6Addr>().is_ok();
    (is_number || is_hex) && !is_ipv6 && host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let host = HttpUrl::parse(text).map(|url| url.host().to_owned());
        assert_eq!(host.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn hosts_are_found() {
        check("https://api.x.ai/v1/", Ok("api.x.ai"));
        check("http://127.0.0.1:8080", Ok("127.0.0.1"));
        check("http://[::1]:8080/x", Ok("::1"));
    }

    #[test]
    fn what_is_no_base_url_says_why() {
        let no_url = Err("is not an absolute http or https URL");
        check("api.x.ai/v1", no_url);
        check("ftp://api.x.ai", no_url);
        check("https:///v1", no_url);
        let query = Err("has a query or a fragment; expected a URL without");
        check("https://api.x.ai/?key=1", query);
        let no_host = Err("does not have a host's name or address");
        check("http://2852039166/", no_host);
        check("http://0xa9.0xfe.0xa9.0xfe/", no_host);
        check("http://169.254.43518", no_host);
        let user = Err("has a user name or a password, which belong into the keys");
        check("https://me:pw@api.x.ai", user);
    }

    #[test]
    fn a_trailing_slash_is_dropped_and_the_scheme_is_in_lower_case() {
        let url = HttpUrl::parse("HTTPS://api.x.ai/v1/").map(|url| url.as_str().to_owned());
        assert_eq!(url.as_deref(), Ok("https://api.x.ai/v1"));
    }
}
