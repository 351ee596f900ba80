//! URLs of outbound proxies, with the credentials in them. Whether an address may be used at all is asked in
//! `check/addresses.rs`; how proxies are spoken to is the server's `egress/`.

use std::fmt;
use std::str::FromStr;

use domain::Secret;
use http::Uri;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::url::has_disguised_address;
use crate::value::Leaf;
use crate::{ProxyProtocol, Shape};

const WRONG: &str = "is not a proxy URL such as http://10.0.0.9:3128, https://… or socks5://user:password@10.0.0.9:1080";
/// RFC 1929 has one byte for each length; what HTTP proxies take is not longer in practice.
const LONGEST_CREDENTIAL: usize = 255;

/// An outbound proxy: `http://`, `https://` or `socks5://`, perhaps with credentials, which are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    text: Secret,
    protocol: ProxyProtocol,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// What a proxy is shown, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user name, 255 bytes at most.
    pub user: Secret,
    /// The password, 255 bytes at most; perhaps empty.
    pub password: Secret,
}

impl ProxyUrl {
    /// The whole URL as it was written, credentials included.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The URL as operators may see it, as it was written but for its credentials.
    pub fn masked(&self) -> String {
        let (scheme, rest) = self.expose().split_once("://").unwrap_or_default();
        let host = rest.rsplit('@').next().unwrap_or_default();
        let credentials = if rest.contains('@') { "…@" } else { "" };
        format!("{scheme}://{credentials}{host}")
    }

    /// What it is called: scheme, host and port, for example `socks5://10.0.0.9:1080`.
    pub fn name(&self) -> String {
        let (scheme, port) = (self.protocol.name(), self.port);
        if self.host.contains(':') {
            format!("{scheme}://[{}]:{port}", self.host)
        } else {
            format!("{scheme}://{}:{port}", self.host)
        }
    }

    /// What it speaks.
    pub fn protocol(&self) -> ProxyProtocol {
        self.protocol
    }

    /// The host's name or address, in lower case and without the brackets of IPv6.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; where none was written 80, 443 for `https://` and 1080 for `socks5://`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it is shown.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({})", self.masked())
    }
}

/// The error continues a sentence that begins with the bad value.
impl FromStr for ProxyUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| hint(text))?;
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let (protocol, usual_port) = match scheme.as_str() {
            "http" => (ProxyProtocol::Http, 80),
            "https" => (ProxyProtocol::Https, 443),
            "socks5" | "socks5h" => (ProxyProtocol::Socks5, 1080),
            _ => return Err(hint(text)),
        };
        let has_path = !matches!(uri.path(), "" | "/") || text.contains(['?', '#']);
        let authority = uri.authority().filter(|_| !has_path);
        let authority = authority.ok_or_else(|| hint(text))?;
        let host = authority.host().to_ascii_lowercase();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || has_disguised_address(host) {
            return Err("does not have a host's name or address".to_owned());
        }
        let place = authority.as_str();
        let (shown, place) = place
            .rsplit_once('@')
            .map_or((None, place), |(shown, place)| (Some(shown), place));
        let port = match place.strip_prefix(authority.host()) {
            None | Some("") => usual_port,
            Some(port) => port.trim_start_matches(':').parse().unwrap_or(0),
        };
        if port == 0 {
            return Err("has a port that is not from 1 to 65535".to_owned());
        }
        let credentials = shown.map(|shown| credentials(shown, protocol));
        Ok(Self {
            text: Secret::new(text),
            protocol,
            host: host.to_owned(),
            port,
            credentials: credentials.transpose()?,
        })
    }
}

/// Where there are credentials, they are the likely reason why a URL cannot be read.
fn hint(text: &str) -> String {
    let hint = if text.contains('@') {
        "; other characters than letters and digits in a user name or password are written as %40 and the like"
    } else {
        ""
    };
    format!("{WRONG}{hint}")
}

fn credentials(text: &str, protocol: ProxyProtocol) -> Result<Credentials, String> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let user = decoded("user name", user)?;
    if user.is_empty() && protocol == ProxyProtocol::Socks5 {
        return Err("has no user name before its password, which SOCKS5 needs".to_owned());
    }
    if user.contains(':') && protocol != ProxyProtocol::Socks5 {
        return Err(
            "has a user name with a colon, which HTTP proxies cannot be sent (RFC 7617)".to_owned(),
        );
    }
    Ok(Credentials {
        user: Secret::new(user),
        password: Secret::new(decoded("password", password)?),
    })
}

fn decoded(what: &str, text: &str) -> Result<String, String> {
    let is_escape = |rest: &str| {
        let mut digits = rest.bytes();
        (digits.next().is_some_and(|digit| digit.is_ascii_hexdigit()))
            && digits.next().is_some_and(|digit| digit.is_ascii_hexdigit())
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(format!(
            "has a {what} with a % that is no escape; a % itself is written as %25"
        ));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| format!("has a {what} that is not UTF-8"))?;
    if decoded.len() > LONGEST_CREDENTIAL {
        return Err(format!(
            "has a {what} of {} bytes; expected at most {LONGEST_CREDENTIAL}",
            decoded.len()
        ));
    }
    if decoded.chars().any(char::is_control) {
        return Err(format!("has a {what} with a control character"));
    }
    Ok(decoded.into_owned())
}

impl Leaf for ProxyUrl {
    const SECRET: bool = true;

    fn shape() -> Shape {
        Shape::ProxyUrl
    }

    fn listed(&self) -> Json {
        self.masked().into()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_never_shows_its_password() {
        let proxy: ProxyUrl = "socks5://user:hunter2@10.0.0.9:1080".parse().unwrap();
        assert_eq!(format!("{proxy:?}"), "ProxyUrl(socks5://…@10.0.0.9:1080)");
        assert_eq!(proxy.name(), "socks5://10.0.0.9:1080");
        assert_eq!(
            format!("{:?}", proxy.credentials()),
            "Some(Credentials { user: Secret(…), password: Secret(…) })"
        );
    }

    fn check(text: &str, name: &str, credentials: Option<(&str, &str)>) {
        let proxy: ProxyUrl = text.parse().expect(text);
        assert_eq!(proxy.name(), name, "{text}");
        let shown = proxy.credentials();
        let shown = shown.map(|both| (both.user.expose(), both.password.expose()));
        assert_eq!(shown, credentials, "{text}");
    }

    #[test]
    fn a_proxy_is_read_in_its_parts() {
        check("http://10.0.0.9:3128", "http://10.0.0.9:3128", None);
        check("http://Proxy.example", "http://proxy.example:80", None);
        check("HTTPS://proxy/", "https://proxy:443", None);
        check("socks5h://proxy", "socks5://proxy:1080", None);
        check("socks5://[::1]:1", "socks5://[::1]:1", None);
        check("http://me@h:1", "http://h:1", Some(("me", "")));
        check("http://me:p@w@h:1", "http://h:1", Some(("me", "p@w")));
        check("http://:pw@h:1", "http://h:1", Some(("", "pw")));
        check(
            "http://a%40b:p%3Aw:x@h:1",
            "http://h:1",
            Some(("a@b", "p:w:x")),
        );
        check(
            "socks5://a%3ab:%D0%BF@[fd00::9]",
            "socks5://[fd00::9]:1080",
            Some(("a:b", "п")),
        );
    }

    fn check_error(text: &str, expected: &str) {
        let error = text.parse::<ProxyUrl>().expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{text}: {error}");
    }

    #[test]
    fn what_is_no_proxy_url_says_why() {
        for wrong in [
            "10.0.0.9:1080",
            "ftp://10.0.0.9",
            "socks5://",
            "http://proxy/path",
            "http://user:12#hunter2@proxy",
        ] {
            check_error(wrong, WRONG);
        }
        check_error("http://me:hunter2 x@proxy", "are written as %40");
        check_error("http://proxy:0", "port");
        check_error("http://proxy:99999", "port");
        check_error("socks5://[::1]:99999", "port");
        check_error("http://proxy:", "port");
        check_error("http://2852039166:80", "host's name");
        check_error("http://me:hunter2%@proxy", "%25");
        check_error("http://me:hunter2%4@proxy", "%25");
        check_error("http://me:hunter2%0a@proxy", "control character");
        check_error("http://me:hunter2%ff@proxy", "UTF-8");
        check_error("http://a%3ab:hunter2@proxy", "colon");
        check_error("socks5://:hunter2@proxy", "user name");
        check_error(
            &format!("http://me:{}@proxy", "x".repeat(256)),
            "256 bytes; expected at most 255",
        );
    }
}
