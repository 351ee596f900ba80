//! Texts that may be a name, or the address of what has one, however they are spelt. Who reads them next may forgive more
//! than the letter of a URL allows, so blanks, escapes, backslashes and odd hosts do not hide a name here.

use domain::ResourceName;
use percent_encoding::percent_decode_str;

use super::path::{named_by, segments};
use super::{COLLECTIONS, INTERACTIONS, plain_text};

/// How closely a text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It may be anything. It is a name where it begins like one.
    Anything,
    /// It is there to name something, as `fileUri` is. A name counts wherever it stands.
    Reference,
}

/// What a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// No name of anything.
    Nothing,
    /// The name of that, or its address.
    Name(ResourceName),
    /// A name that cannot be made out.
    Hidden,
}

/// Which hosts are the provider's.
pub(super) struct Addresses<F>(pub(super) F);

/// How often a text may be escaped.
const LAYERS: usize = 4;
/// What is looked at of a text that is too long to be kept.
const BEGINNING: usize = 512;
/// A host that has it is Google's own, whatever stands around it.
const GOOGLE: &str = "generativelanguage";

impl<F: Fn(&str) -> bool> Addresses<F> {
    /// What a text is.
    pub(super) fn read(&self, text: &str, look: Look) -> Reading {
        if !text.contains(['/', '\\', '%']) {
            return Reading::Nothing;
        }
        let Some(plain) = tidy(text) else {
            return match look {
                Look::Anything => Reading::Nothing,
                Look::Reference => Reading::Hidden,
            };
        };
        let (scheme, rest) = split_scheme(&plain);
        match (scheme, look) {
            (Some(scheme), _) if scheme.eq_ignore_ascii_case("data") => Reading::Nothing,
            // Nobody fetches from there.
            (Some(scheme), Look::Reference) if !is_fetched(scheme) => {
                anywhere(rest).unwrap_or(Reading::Nothing)
            }
            (Some(_), _) => {
                let (host, path) = split_host(rest);
                self.at(&host, path, look)
            }
            (None, Look::Anything) => begins_like_one(&plain),
            (None, Look::Reference) => anywhere(&plain).unwrap_or(Reading::Nothing),
        }
    }

    /// What is at a path of a host.
    fn at(&self, host: &str, path: &str, look: Look) -> Reading {
        let is_googles = host.contains(GOOGLE);
        if !is_googles && !self.is_providers(host) {
            return Reading::Nothing;
        }
        match look {
            Look::Reference if is_googles => anywhere(path).unwrap_or(Reading::Hidden),
            _ => begins_like_one(path),
        }
    }

    /// Whether a text that is too long to be kept may hide a name, by what it begins with: data in an address of its own
    /// does not, nor does the address of another host.
    pub(super) fn may_hide(&self, beginning: &[u8], look: Look) -> bool {
        let beginning = &beginning[..beginning.len().min(BEGINNING)];
        let Some(plain) = of_whole_escapes(beginning).as_deref().and_then(tidy) else {
            return true;
        };
        match split_scheme(&plain) {
            (Some(scheme), _) if scheme.eq_ignore_ascii_case("data") => false,
            (Some(_), rest) => {
                let (host, path) = split_host(rest);
                path.is_empty() || host.contains(GOOGLE) || self.is_providers(&host)
            }
            (None, _) => look == Look::Reference,
        }
    }

    fn is_providers(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, Some(port))
            }
            _ => (host, None),
        };
        let name = name.trim_end_matches('.');
        let whole = port.map(|port| format!("{name}:{port}"));
        whole.is_some_and(|whole| (self.0)(&whole)) || (self.0)(name)
    }
}

/// A text without what some readers leave out or read otherwise: blanks, control characters, escapes, backslashes. None
/// where it is escaped over and over.
pub(super) fn tidy(text: &str) -> Option<String> {
    let is_seen = |c: &char| {
        let is_invisible =
            matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
        !c.is_whitespace() && !c.is_control() && !is_invisible
    };
    let mut plain: String = text.chars().filter(is_seen).collect();
    for _ in 0..LAYERS {
        let decoded = percent_decode_str(&plain).decode_utf8_lossy();
        if *decoded == plain {
            return Some(plain.replace('\\', "/"));
        }
        plain = decoded.chars().filter(is_seen).collect();
    }
    None
}

/// The scheme of an address, and what is behind its colon.
fn split_scheme(text: &str) -> (Option<&str>, &str) {
    let Some((scheme, rest)) = text.split_once(':') else {
        return (None, text);
    };
    let is_short = ["http", "https", "data"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    if scheme.contains(['/', '?', '#']) || !(is_short || rest.starts_with("//")) {
        return (None, text);
    }
    (Some(scheme), rest)
}

/// Whether the provider fetches from addresses of that scheme.
fn is_fetched(scheme: &str) -> bool {
    let mut known = ["http", "https", "gs"].iter();
    known.any(|known| scheme.eq_ignore_ascii_case(known))
}

/// The host of an address, and what is behind it.
fn split_host(address: &str) -> (String, &str) {
    let address = address.trim_start_matches('/');
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let (host, path) = address.split_at(end);
    let host = host.rsplit('@').next().unwrap_or_default();
    (host.to_ascii_lowercase(), path)
}

fn begins_like_one(path: &str) -> Reading {
    let (is_openai, segments) = segments(path);
    let name = (!is_openai).then(|| named_by(&segments)).flatten();
    name.map_or(Reading::Nothing, Reading::Name)
}

/// The first name that stands anywhere in a path or a query; none where there is none.
fn anywhere(path: &str) -> Option<Reading> {
    let is_one = |segment: &&str| !segment.is_empty() && *segment != ".";
    let segments: Vec<&str> = path
        .split(['/', '?', '#', '&', '='])
        .filter(is_one)
        .collect();
    if segments.contains(&"..") {
        return Some(Reading::Hidden);
    }
    (0..segments.len()).find_map(|at| {
        let [first, id, ..] = segments[at..] else {
            return None;
        };
        if first == "models" {
            return named_by(&segments[at..]).map(Reading::Name);
        }
        let mut known = COLLECTIONS.iter().chain(&INTERACTIONS);
        let collection = known.find(|known| known.eq_ignore_ascii_case(first))?;
        let name = named_by(&[*collection, id]);
        Some(name.map_or(Reading::Hidden, Reading::Name))
    })
}

/// A cut text of JSON up to its last whole escape, as it is meant.
fn of_whole_escapes(text: &[u8]) -> Option<String> {
    let from = text.len().saturating_sub(12);
    let cut = text[from..].iter().position(|byte| *byte == b'\\');
    let whole = &text[..cut.map_or(text.len(), |cut| from + cut)];
    let whole = String::from_utf8_lossy(whole);
    plain_text(whole.as_bytes()).map(std::borrow::Cow::into_owned)
}
