//! Lists with a proxy on each line: `host:port`, `host:port:user:password`, or a URL, and after it, behind a blank or a
//! comma, whatever the list adds. Comments begin with `#`, `;` or `//`.

use config::{ProxyProtocol, ProxyUrl};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Flaw, Gathering, protocol_named, proxy};

/// Longer lines are not looked into.
const LONGEST_LINE: usize = 1_024;

pub(super) fn read(list: &[u8], gathering: &mut Gathering<'_>) {
    for (index, line) in list.split(|byte| *byte == b'\n').enumerate() {
        read_line(index + 1, line, gathering);
    }
}

fn read_line(number: usize, line: &[u8], gathering: &mut Gathering<'_>) {
    let line = line.trim_ascii();
    if line.is_empty()
        || line.starts_with(b"#")
        || line.starts_with(b";")
        || line.starts_with(b"//")
    {
        return;
    }
    if gathering.is_full() {
        gathering.listing.left_out.too_many += 1;
        return;
    }
    let text = String::from_utf8_lossy(&line[..line.len().min(LONGEST_LINE)]);
    let read = if line.len() > LONGEST_LINE {
        Err(Flaw::Malformed("it is too long"))
    } else {
        entry(&text, gathering.reading.protocol)
    };
    gathering.take(number, &text, read);
}

/// Reads one proxy.
pub(super) fn entry(text: &str, protocol: ProxyProtocol) -> Result<ProxyUrl, Flaw> {
    let first = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '|'))
        .next()
        .unwrap_or_default();
    if let Some((scheme, rest)) = first.split_once("://") {
        return url(scheme, rest);
    }
    let wrong = Flaw::Malformed("it is neither host:port nor a url");
    if first.starts_with('[') {
        let (host, port) = first.rsplit_once(':').ok_or(wrong)?;
        return proxy(protocol, None, host, port_of(port)?);
    }
    let parts: Vec<&str> = first.splitn(5, ':').collect();
    match parts.as_slice() {
        [host, port] => proxy(protocol, None, host, port_of(port)?),
        [host, port, user, password] if !user.is_empty() => {
            let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
            let credentials = format!("{}:{}", encoded(user), encoded(password));
            proxy(protocol, Some(&credentials), host, port_of(port)?)
        }
        _ => Err(wrong),
    }
}

fn url(scheme: &str, rest: &str) -> Result<ProxyUrl, Flaw> {
    let Some(protocol) = protocol_named(scheme) else {
        let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_scheme = is_scheme && (1..=16).contains(&scheme.len());
        return Err(if is_scheme {
            Flaw::Unsupported
        } else {
            Flaw::Malformed("it is no proxy's url")
        });
    };
    let (credentials, place) = match rest.rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials), place),
        None => (None, rest),
    };
    let place = place.trim_end_matches('/');
    let behind_host = place.rsplit_once(']').map_or(place, |(_, behind)| behind);
    let port = behind_host.split_once(':').map(|(_, port)| port_of(port));
    let port = port.transpose()?;
    // Read as a URL for what `ProxyUrl` knows of those, and written anew so that equal ones are equal.
    let read: ProxyUrl = format!("{}://{rest}", protocol.name())
        .parse()
        .map_err(|_| Flaw::Malformed("it is no proxy's url"))?;
    let port = port.unwrap_or_else(|| read.port());
    proxy(protocol, credentials, read.host(), port)
}

/// A port from 1 to 65535.
pub(super) fn port_of(text: &str) -> Result<u16, Flaw> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port > 0);
    port.ok_or(Flaw::Malformed("its port is not from 1 to 65535"))
}
