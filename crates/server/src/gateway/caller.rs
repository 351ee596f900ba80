//! Who asks. A client key is accepted in five places; one that is shown and wrong is refused even where none is needed.
//! Whom a key belongs to is looked up in `door.rs`.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{Class, Client, Secret, UnixMs};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use memchr::memmem;
use metering::Access;

use crate::gateway::error::GatewayError;
use crate::snapshot::KnownClient;

/// Headers in which a client key may be shown besides `Authorization: Bearer`.
pub(crate) const KEY_HEADERS: [&str; 3] = ["x-goog-api-key", "x-server-key", "x-api-key"];
/// Query parameters that hold credentials: read here, never forwarded.
///
/// A wrong credential of the caller's beside a key of the pool would make the provider refuse that key.
pub(crate) const KEY_PARAMETERS: [&str; 5] =
    ["key", "$key", "access_token", "api_key", "oauth_token"];
/// A shorter key may be part of an ordinary word.
const SHORTEST_IN_TEXT: usize = 8;

/// Keys of one request that are looked at: one in each place that there is, and some that proxies have added.
const MOST_SHOWN: usize = 8;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// The holder of a client key.
    Client(Arc<KnownClient>),
    /// Nobody in particular: `server.auth: open`.
    Anonymous,
}

impl Caller {
    pub(crate) fn client(&self) -> Option<&Client> {
        match self {
            Self::Client(known) => Some(&known.client),
            Self::Anonymous => None,
        }
    }

    /// What it may use; none: everything.
    pub(crate) fn access(&self) -> Option<&Access> {
        match self {
            Self::Client(known) => Some(&known.access),
            Self::Anonymous => None,
        }
    }
}

/// Why nobody is let in.
#[derive(Clone, Debug)]
pub(crate) enum Stranger {
    /// No key is shown, and one is needed.
    Keyless,
    /// None of the keys that are shown is known.
    WrongKey,
    /// The key is known, and does not hold or not for this.
    Refused(GatewayError),
}

impl From<Stranger> for GatewayError {
    fn from(stranger: Stranger) -> Self {
        match stranger {
            Stranger::Keyless => refused(
                "no client key: show one as `Authorization: Bearer`, `x-goog-api-key` or `?key=`",
            ),
            Stranger::WrongKey => refused("the client key is not known here"),
            Stranger::Refused(error) => error,
        }
    }
}

/// Whether a key is shown at all, right or wrong.
pub(crate) fn shows_key(headers: &HeaderMap, query: Option<&str>) -> bool {
    credentials(headers, query).next().is_some()
}

/// Every key that is shown, right or wrong.
pub(crate) fn shown_keys(headers: &HeaderMap, query: Option<&str>) -> Vec<Secret> {
    credentials(headers, query).map(Secret::new).collect()
}

/// The keys that a request shows where keys are read, right or wrong: they pass nowhere else either.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(Vec<Secret>);

/// What a request shows.
pub(crate) fn shown(headers: &HeaderMap, query: Option<&str>) -> Shown {
    Shown(shown_keys(headers, query))
}

impl Shown {
    /// Whether a header's or a parameter's value is one of them, or has one in it.
    pub(crate) fn is_in(&self, value: &[u8]) -> bool {
        self.0.iter().any(|key| {
            let key = key.expose().as_bytes();
            let is_part = key.len() >= SHORTEST_IN_TEXT && memmem::find(value, key).is_some();
            is_part || value.trim_ascii() == key
        })
    }
}

/// Whether the caller authenticates as OpenAI's clients do rather than as Google's.
pub(crate) fn speaks_openai(headers: &HeaderMap, query: Option<&str>) -> bool {
    let googles = ["x-goog-api-key", "x-server-key"];
    !googles.iter().any(|name| headers.contains_key(*name)) && parameter(query, "key").is_none()
}

/// The holder of a client key, if it holds.
pub(crate) fn check(known: &Arc<KnownClient>, now: UnixMs) -> Result<Caller, Stranger> {
    let client = &known.client;
    if !client.enabled {
        return Err(Stranger::Refused(refused("the client key is disabled")));
    }
    if client.expires_at.is_some_and(|end| end <= now) {
        return Err(Stranger::Refused(refused("the client key has expired")));
    }
    Ok(Caller::Client(known.clone()))
}

fn refused(public: &str) -> GatewayError {
    GatewayError::upstream(StatusCode::UNAUTHORIZED, Class::Refused, public).code("invalid_api_key")
}

/// Keys that are shown, in the order in which they are tried: more than [`MOST_SHOWN`] only guess.
pub(crate) fn credentials<'a>(
    headers: &'a HeaderMap,
    query: Option<&'a str>,
) -> impl Iterator<Item = Cow<'a, str>> {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let named = KEY_HEADERS
        .iter()
        .flat_map(|name| headers.get_all(*name))
        .filter_map(|value| value.to_str().ok());
    let given = |text: &&str| !text.is_empty();
    bearer
        .chain(named)
        .filter(given)
        .map(Cow::Borrowed)
        .chain(parameter(query, "key"))
        .take(MOST_SHOWN)
}

/// Every query parameter, percent-decoded.
pub(crate) fn parameters(
    query: Option<&str>,
) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let pairs = query.unwrap_or_default().split('&');
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// A query parameter's value; none when it is absent or empty.
fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    let mut given = parameters(query).filter(|(known, value)| known == name && !value.is_empty());
    given.next().map(|(_, value)| value)
}

/// Percent-decoded; a name may be encoded as well as a value.
fn decoded(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

/// The query without parameters that hold credentials; the rest untouched, byte for byte.
pub(crate) fn without_credentials(query: &str) -> Cow<'_, str> {
    without_shown(query, &Shown::default())
}

/// The same, and without any parameter whose value is a key that the caller has shown.
pub(crate) fn without_shown<'a>(query: &'a str, shown: &Shown) -> Cow<'a, str> {
    let is_credential = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        KEY_PARAMETERS.contains(&&*decoded(name)) || shown.is_in(decoded(value).as_bytes())
    };
    if !query.split('&').any(is_credential) {
        return Cow::Borrowed(query);
    }
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !is_credential(pair))
        .collect();
    Cow::Owned(kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_query_and_nothing_else_does() {
        for (query, kept) in [
            ("key=sk-1", ""),
            ("alt=sse&key=sk-1&pageSize=5", "alt=sse&pageSize=5"),
            ("alt=sse&&x=%20&keys=1", "alt=sse&&x=%20&keys=1"),
            ("access_token=auth_tokens%2Fx&a=b", "a=b"),
            ("key", ""),
            ("%6Bey=sk-1&a=b", "a=b"),
            ("%24key=sk-1&$key=sk-2&oauth_token=x", ""),
        ] {
            assert_eq!(without_credentials(query), kept, "{query}");
        }
    }

    #[test]
    fn a_key_that_is_shown_leaves_the_query_under_any_name() {
        let headers =
            HeaderMap::from_iter([(AUTHORIZATION, "Bearer sk-caller-1".parse().unwrap())]);
        let shown = shown(&headers, None);
        let query = "token=sk%2Dcaller-1&a=b&x=pre-sk-caller-1&api_key=else";
        assert_eq!(without_shown(query, &shown), "a=b");
    }

    #[test]
    fn a_key_is_found_wherever_it_may_be() {
        let check = |name: &'static str, value: &str, query: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            credentials(&headers, query)
                .map(Cow::into_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(check("authorization", "Bearer sk-1", None), ["sk-1"]);
        assert_eq!(check("authorization", "bearer  sk-1", None), ["sk-1"]);
        assert_eq!(check("x-goog-api-key", "sk-1", None), ["sk-1"]);
        assert_eq!(check("x-server-key", "sk-1", None), ["sk-1"]);
        assert_eq!(check("x-api-key", "sk-1", None), ["sk-1"]);
        assert_eq!(check("host", "h", Some("alt=sse&key=sk%2D1")), ["sk-1"]);
        assert!(check("authorization", "Basic c2stMQ==", Some("key=")).is_empty());
    }
}
