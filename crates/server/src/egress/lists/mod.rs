//! Lists of proxies as others publish them, read without trust: whatever comes, the work is one pass over it, and what
//! is left out is counted and the first of it shown. Where a list comes from, and when, is not known here.
//! `text.rs` and `json.rs` are the two forms.

mod json;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::net::IpAddr;

use config::{ProxyProtocol, ProxyUrl, SourceFields, SourceFormat};

use crate::egress::Reach;
use crate::egress::address::OutOfReach;

/// How many malformed entries are shown.
const SHOWN: usize = 3;
/// How many characters of each.
const SHOWN_CHARACTERS: usize = 60;

/// How a list is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) format: SourceFormat,
    /// What proxies speak that come without a scheme.
    pub(crate) protocol: ProxyProtocol,
    pub(crate) fields: &'a SourceFields,
    /// How far from the public internet a proxy may be.
    pub(crate) reach: Reach,
    /// Proxies that are taken at most.
    pub(crate) at_most: usize,
}

/// What was in a list.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// In the order of the list, each once.
    pub(crate) proxies: Vec<ProxyUrl>,
    pub(crate) left_out: LeftOut,
    /// The first entries that are malformed.
    pub(crate) malformed: Vec<Malformed>,
}

/// How many entries were left out, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// They are no proxies.
    pub(crate) malformed: usize,
    /// They speak something else, such as SOCKS4.
    pub(crate) unsupported: usize,
    /// Their address is private, loopback, link-local or of a metadata service.
    pub(crate) out_of_reach: usize,
    /// They are there already.
    pub(crate) repeated: usize,
    /// They come after as many as are taken, and were not looked at.
    pub(crate) too_many: usize,
}

/// An entry that is no proxy, fit for a log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Its line, or its place in the array, from 1.
    pub(crate) at: usize,
    /// What it says, shortened, escaped, and without what may be a password.
    pub(crate) text: String,
    pub(crate) why: &'static str,
}

/// The whole of it is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoList {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// There is nothing to go through.
    #[error("it is neither a JSON array nor an object that holds one")]
    NoArray,
}

/// Why an entry is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Malformed(&'static str),
    Unsupported,
}

/// Reads a list.
pub(crate) fn read(list: &[u8], reading: &Reading<'_>) -> Result<Listing, NoList> {
    let list = list.strip_prefix(b"\xef\xbb\xbf").unwrap_or(list);
    let mut gathering = Gathering {
        reading,
        listing: Listing::default(),
        known: HashSet::new(),
    };
    match reading.format {
        SourceFormat::Text => text::read(list, &mut gathering),
        SourceFormat::Json => json::read(list, &mut gathering)?,
    }
    Ok(gathering.listing)
}

/// A list that is being read.
struct Gathering<'a> {
    reading: &'a Reading<'a>,
    listing: Listing,
    /// The URLs taken, credentials included: one gateway may have an exit for each user name.
    known: HashSet<String>,
}

impl Gathering<'_> {
    /// Whether as many are taken as may be; the rest is only counted then.
    fn is_full(&self) -> bool {
        self.listing.proxies.len() >= self.reading.at_most
    }

    /// Takes in what was read of an entry, whose text is only looked at when it is malformed.
    fn take(&mut self, at: usize, text: &str, read: Result<ProxyUrl, Flaw>) {
        let left_out = &mut self.listing.left_out;
        match read {
            Err(Flaw::Unsupported) => left_out.unsupported += 1,
            Err(Flaw::Malformed(why)) => {
                left_out.malformed += 1;
                if self.listing.malformed.len() < SHOWN {
                    let text = shown(text);
                    self.listing.malformed.push(Malformed { at, text, why });
                }
            }
            Ok(proxy) if !is_in_reach(proxy.host(), self.reading.reach) => {
                left_out.out_of_reach += 1;
            }
            Ok(proxy) => {
                if self.known.insert(proxy.expose().to_owned()) {
                    self.listing.proxies.push(proxy);
                } else {
                    left_out.repeated += 1;
                }
            }
        }
    }
}

/// The proxy at a host and port. Equal addresses give equal URLs, however they were written; `credentials` are those of
/// a URL, encoded.
fn proxy(
    protocol: ProxyProtocol,
    credentials: Option<&str>,
    host: &str,
    port: u16,
) -> Result<ProxyUrl, Flaw> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match bare.unwrap_or(host).parse::<IpAddr>() {
        Ok(address) => match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        },
        Err(_) if is_name(host) => host.trim_end_matches('.').to_ascii_lowercase(),
        Err(_) => return Err(Flaw::Malformed("its host is neither an address nor a name")),
    };
    let credentials = credentials
        .map(|text| format!("{text}@"))
        .unwrap_or_default();
    let url = format!("{}://{credentials}{host}:{port}", protocol.name());
    url.parse()
        .map_err(|_| Flaw::Malformed("it is no proxy's url"))
}

fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(is_inner)
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// Names are looked up when they are connected to, and asked about again then; those of one label are nobody's but a
/// network's own.
fn is_in_reach(host: &str, reach: Reach) -> bool {
    if let Ok(address) = host.parse() {
        return match reach.check(address) {
            Ok(()) => true,
            Err(OutOfReach::LinkLocal | OutOfReach::NotPublic) => false,
        };
    }
    let is_own = !host.contains('.') || host.ends_with(".localhost");
    match reach {
        Reach::Public => !is_own && !config::is_link_local_host(host),
        Reach::Private => !config::is_link_local_host(host),
        Reach::Anywhere => true,
    }
}

fn protocol_named(name: &str) -> Option<ProxyProtocol> {
    let name = name.trim();
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("http") {
        Some(ProxyProtocol::Http)
    } else if is("https") {
        Some(ProxyProtocol::Https)
    } else if is("socks5") || is("socks5h") {
        Some(ProxyProtocol::Socks5)
    } else {
        None
    }
}

/// The text of an entry for a log line: credentials, which lists write before an `@` or after a colon, are left out, and
/// so is whatever may be some.
fn shown(text: &str) -> String {
    let (before, text) = match text.rsplit_once('@') {
        Some((_, rest)) => ("…@", rest),
        None => ("", text),
    };
    let host = text.find("://").map_or(0, |scheme| scheme + 3);
    let host = text[host..]
        .find(']')
        .map_or(host, |bracket| host + bracket);
    let (kept, mut after) = match text[host..].find(':') {
        Some(colon) if !is_number(&text[host + colon + 1..]) => (&text[..host + colon], ":…"),
        _ => (text, ""),
    };
    let short: String = kept.chars().take(SHOWN_CHARACTERS).collect();
    if short.len() < kept.len() {
        after = "…";
    }
    format!("{before}{}{after}", short.escape_debug())
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
