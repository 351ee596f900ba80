//! Addresses behind proxies: the one that a caller used, for links that must lead back through keymux, and its own.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use http::header::HOST;
use ipnet::IpNet;

/// Scheme and authority as the caller wrote them, for example `http://127.0.0.1:8000`.
///
/// `X-Forwarded-Proto` and `X-Forwarded-Host` count only from a trusted proxy.
pub(crate) fn as_called(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> Option<String> {
    let is_trusted = trusted.iter().any(|net| net.contains(&peer.to_canonical()));
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

/// The address of whoever sent the request. `X-Forwarded-For` counts only from trusted proxies, and of it only the last
/// entry that is none of them: what stands before was written by the caller. What cannot be read hides whoever wrote it:
/// the proxy that passed it on counts instead. `Forwarded` and `X-Real-IP` are not read: proxies pass on what callers
/// write there.
pub(crate) fn sender(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let entries = entries.map(<[u8]>::trim_ascii);
    let mut nearest = peer;
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let Some(address) = read_address(entry) else {
            break;
        };
        nearest = address;
        if !is_trusted(address) {
            break;
        }
    }
    nearest
}

/// An address, perhaps with a port or in brackets as some proxies write it.
fn read_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let plain = text.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    plain
        .or_else(with_port)
        .or_else(in_brackets)
        .map(|address: IpAddr| address.to_canonical())
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

    fn check_sender(forwarded: &[&'static str], peer: &str, expected: &str) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", http::HeaderValue::from_static(line));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let sender = sender(&headers, peer.parse().unwrap(), &trusted);
        assert_eq!(sender.to_string(), expected, "{forwarded:?} from {peer}");
    }

    #[test]
    fn the_sender_is_the_last_address_that_no_trusted_proxy_has() {
        check_sender(&["203.0.113.9"], "198.51.100.7", "198.51.100.7");
        check_sender(&["203.0.113.9"], "10.0.0.5", "203.0.113.9");
        check_sender(
            &["1.2.3.4, 203.0.113.9, 10.0.0.6"],
            "10.0.0.5",
            "203.0.113.9",
        );
        check_sender(&["1.2.3.4", "203.0.113.9:4711"], "10.0.0.5", "203.0.113.9");
        check_sender(&["1.2.3.4, nonsense"], "10.0.0.5", "10.0.0.5");
        check_sender(&[], "::ffff:10.0.0.5", "10.0.0.5");
    }

    #[test]
    fn an_address_is_read_however_proxies_write_it() {
        for (entry, expected) in [
            ("[2001:db8::9]:4711", "2001:db8::9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("2001:db8::9", "2001:db8::9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
            ("203.0.113.9,", "203.0.113.9"),
            ("203.0.113.9 , ,\t", "203.0.113.9"),
            ("unknown", "10.0.0.5"),
            ("_hidden", "10.0.0.5"),
            ("203.0.113.9:", "10.0.0.5"),
            ("[203.0.113.9]", "10.0.0.5"),
            ("fe80::1%eth0", "10.0.0.5"),
            ("\"203.0.113.9\"", "10.0.0.5"),
            ("010.1.1.1", "10.0.0.5"),
            ("", "10.0.0.5"),
        ] {
            check_sender(&[entry], "10.0.0.5", expected);
        }
    }

    #[test]
    fn what_the_caller_wrote_before_its_address_changes_nothing() {
        for line in [
            "\u{ff}, 203.0.113.9",
            ", , 203.0.113.9",
            "10.0.0.9, 203.0.113.9",
        ] {
            let mut headers = HeaderMap::new();
            let value = http::HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append("x-forwarded-for", value);
            headers.append("forwarded", http::HeaderValue::from_static("for=192.0.2.1"));
            headers.append("x-real-ip", http::HeaderValue::from_static("192.0.2.1"));
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            let sender = sender(&headers, "10.0.0.5".parse().unwrap(), &trusted);
            assert_eq!(sender.to_string(), "203.0.113.9", "{line:?}");
        }
    }
}
