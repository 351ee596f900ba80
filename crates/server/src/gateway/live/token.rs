//! Ephemeral tokens: whoever holds one opens Live sessions without a client key, on the account of the client that made it
//! and with the key that it was made with. How often and how long it is good is the provider's to say.

use std::borrow::Cow;
use std::time::Duration;

use domain::Fingerprint;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use serde::Deserialize;

use super::super::begun::{self, Session};
use super::super::caller::{self, Caller, Stranger, parameters};
use super::super::credential::Credential;
use super::super::door::Door;
use super::super::exchange::Exchange;
use super::super::hold::Answer;
use super::super::route::Route;

/// What tokens are called.
const NAMES: &str = "auth_tokens/";
/// No token lives longer.
const LONGEST_LIFE: Duration = Duration::from_secs(20 * 3600);

/// The id of the token that is shown for a Live session.
pub(crate) fn named_in(route: &Route, headers: &HeaderMap) -> Option<Fingerprint> {
    let token = route.is_live().then(|| find(headers, route.query()));
    Some(begun::id_of(&token.flatten()?))
}

/// Lets in whoever holds a token, as the client that made it.
pub(crate) fn admit(made: Session, door: &Door<'_>) -> Result<Caller, Stranger> {
    match made.client {
        None => door.identify(),
        Some(id) => {
            let maker = door.snapshot.client(id).ok_or(Stranger::WrongKey)?;
            caller::check(&maker, door.now)
        }
    }
}

/// Remembers a token that an answer brings. False: it brings none that is new.
pub(crate) fn learn(exchange: &Exchange, credential: &Credential, answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Made {
        name: String,
    }
    let outgoing = &exchange.call.outgoing;
    let path = outgoing.path_and_query.split('?').next();
    let is_made = outgoing.method == Method::POST
        && path.is_some_and(|path| path.ends_with("/auth_tokens"))
        && answer.head.status.is_success();
    if !is_made || answer.rest.is_some() {
        return false;
    }
    let made = serde_json::from_slice(&answer.flow.held()).ok();
    let by = Session::begun(&exchange.caller, credential, exchange.last_egress());
    let (Some(Made { name }), Some(by)) = (made, by) else {
        return false;
    };
    let now = exchange.app.clock.now();
    exchange.app.begun.learn(&name, by, now, LONGEST_LIFE)
}

/// The token in any of the places where SDKs show one.
pub(super) fn find(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let in_header = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("token")
            .then(|| Cow::Borrowed(token.trim()))
    });
    let in_query = parameters(query)
        .filter(|(name, _)| matches!(&**name, "access_token" | "key"))
        .map(|(_, value)| value);
    let as_key = headers.get("x-goog-api-key");
    let as_key = as_key.and_then(|value| value.to_str().ok().map(Cow::Borrowed));
    let mut found = in_header.into_iter().chain(as_key).chain(in_query);
    found
        .find(|token| token.starts_with(NAMES))
        .map(Cow::into_owned)
}
