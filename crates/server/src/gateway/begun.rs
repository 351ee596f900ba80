//! What goes on with the key that it began with, and no other: uploads under way, ephemeral tokens, Live sessions that can
//! be resumed. Their names are secrets, and what lets a caller go on: SDKs send the pieces of an upload with whatever key
//! they were given, or none. Kept by the names' hashes, over restarts.
//! Links in answers are turned round here too, so that the next request comes back to keymux.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{ClientId, Fingerprint, KeyId, UnixMs};
use http::header::LOCATION;
use http::response::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use providers::Transfer;
use store::{Store, UploadSession};
use tokio::time::timeout;

use super::caller::{self, Caller, Stranger, parameters};
use super::credential::Credential;
use super::door::Door;
use super::error::GatewayError;
use super::exchange::Exchange;
use super::failover::Outcome;
use super::live::token;
use crate::egress::{Egress, ProxyId};

/// Where answers have links. Google says in the first two how an upload goes on; the second is the older name of the first.
static LINKS: [HeaderName; 3] = [
    HeaderName::from_static("x-goog-upload-url"),
    HeaderName::from_static("x-goog-upload-control-url"),
    LOCATION,
];
const UPLOAD_ID: &str = "upload_id";
/// What is remembered at most; what begins when there is so much cannot go on.
const MOST: usize = 200_000;
/// How long a request waits for the database.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long Google keeps an upload that is not finished: about a week.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a request goes on with: an upload, or a Live session that its token was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The key that began it.
    pub(crate) key: KeyId,
    /// Who began it; none: an anonymous caller.
    pub(crate) client: Option<ClientId>,
    /// The proxy by which it began; none: directly, or before the last start.
    pub(crate) egress: Option<ProxyId>,
}

impl Session {
    /// What this caller begins with that key on that way.
    pub(crate) fn begun(caller: &Caller, credential: &Credential, egress: &Egress) -> Option<Self> {
        Some(Self {
            key: credential.key()?.id,
            client: caller.client().map(|client| client.id),
            egress: egress.proxy().map(|proxy| proxy.id),
        })
    }

    /// Whether that caller began it.
    pub(crate) fn is_of(self, caller: &Caller) -> bool {
        self.client == caller.client().map(|client| client.id)
    }

    /// Lets the caller go on: whoever shows no key is the one that began it; whoever shows one must be.
    pub(crate) fn admit(self, door: &Door<'_>) -> Result<Caller, Stranger> {
        let owner = self.client.and_then(|id| door.snapshot.client(id));
        let shown = if caller::shows_key(door.headers, door.query) {
            Some(door.identify()?)
        } else {
            None
        };
        match (shown.as_ref().map(Caller::client), owner) {
            (None, None) if self.client.is_none() => door.identify(),
            (None, Some(owner)) => caller::check(&owner, door.now),
            (Some(Some(client)), Some(owner)) if client.id == owner.client.id => {
                Ok(Caller::Client(owner))
            }
            _ => Err(Stranger::Refused(GatewayError::caller(
                StatusCode::FORBIDDEN,
                "this was begun with another key",
            ))),
        }
    }
}

/// Everything that was begun and can go on, by the fingerprint of its name.
///
/// A mutex around a map: such things begin seldom, and other requests do not look here.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    sessions: Mutex<HashMap<Fingerprint, Entry>>,
    unsaved: Mutex<Vec<UploadSession>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    session: Session,
    expires_at: UnixMs,
}

impl Begun {
    /// Takes over what was written down by an earlier run, or by another instance.
    pub(crate) fn restore(&self, saved: Vec<UploadSession>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for row in saved {
            let session = Session {
                key: row.key,
                client: row.client,
                egress: None,
            };
            sessions.insert(
                row.upload,
                Entry {
                    session,
                    expires_at: row.expires_at,
                },
            );
        }
    }

    /// Who began that, where it is known here.
    pub(crate) fn known(&self, id: Fingerprint, now: UnixMs) -> Option<Session> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = sessions.get(&id)?;
        (now < entry.expires_at).then_some(entry.session)
    }

    /// The same, also where another instance has seen it begin.
    pub(crate) async fn find(
        &self,
        store: &Store,
        id: Fingerprint,
        now: UnixMs,
    ) -> Option<Session> {
        match self.known(id, now) {
            Some(known) => Some(known),
            None => self.look_up(store, id, now).await,
        }
    }

    /// Who began what is not known here, where another instance has seen it begin.
    pub(crate) async fn look_up(
        &self,
        store: &Store,
        id: Fingerprint,
        now: UnixMs,
    ) -> Option<Session> {
        let read = timeout(PATIENCE, store.upload(id, now)).await;
        let found = read.ok()?.inspect_err(|error| {
            tracing::warn!(%error, "who began an upload or a session could not be looked up");
        });
        self.restore(vec![found.ok()??]);
        self.known(id, now)
    }

    /// Remembers who began what has that secret name, with what, for as long as it lasts. Gives whether it is new, to be
    /// saved.
    pub(crate) fn learn(&self, name: &str, session: Session, now: UnixMs, lasts: Duration) -> bool {
        self.put(id_of(name), session, now, lasts)
    }

    fn put(&self, id: Fingerprint, session: Session, now: UnixMs, lasts: Duration) -> bool {
        let expires_at = now + lasts;
        let entry = Entry {
            session,
            expires_at,
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST || sessions.insert(id, entry).is_some() {
            return false;
        }
        let Session { key, client, .. } = session;
        let row = UploadSession {
            upload: id,
            client,
            key,
            expires_at,
        };
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        unsaved.push(row);
        true
    }

    /// What has begun since the last call, to be saved.
    pub(crate) fn take_unsaved(&self) -> Vec<UploadSession> {
        std::mem::take(&mut *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets what the provider has forgotten.
    pub(crate) fn forget_expired(&self, now: UnixMs) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, entry| entry.expires_at > now);
    }
}

/// Takes down the upload or the token that an answer brings, before the caller hears of it.
pub(crate) async fn learn(exchange: &Exchange, outcome: &Outcome) {
    let Outcome::Answer(answer, credential) = outcome else {
        return;
    };
    let is_new = if exchange.call.transfer == Transfer::Upload {
        learn_upload(exchange, credential, &answer.head)
    } else {
        token::learn(exchange, credential, answer)
    };
    if !is_new {
        return;
    }
    let app = &exchange.app;
    let saved = timeout(PATIENCE, app.saver.save(app)).await;
    if !matches!(saved, Ok(Ok(_))) {
        tracing::warn!("what has begun could not be saved yet; trying on");
    }
}

/// Turns the links of an answer round.
pub(crate) fn turn_round(exchange: &Exchange, head: &mut Parts) {
    let Some(here) = &exchange.call.called_at else {
        return;
    };
    let base = exchange.provider.origin.url();
    for name in &LINKS {
        let Some(rest) = link(&base, head, name) else {
            continue;
        };
        if let Ok(turned) = HeaderValue::try_from(format!("{here}{rest}")) {
            head.headers.insert(name, turned);
        }
    }
}

/// Remembers an upload that an answer begins. False: it begins none, or only goes on with one.
fn learn_upload(exchange: &Exchange, credential: &Credential, head: &Parts) -> bool {
    let session = Session::begun(&exchange.caller, credential, exchange.last_egress());
    let Some(session) = session else {
        return false;
    };
    let base = exchange.provider.origin.url();
    let begun = LINKS.iter().filter_map(|name| {
        let (_, query) = link(&base, head, name)?.split_once('?')?;
        upload_in(query).ok()?
    });
    let now = exchange.app.clock.now();
    let mut is_new = false;
    for id in begun {
        is_new |= exchange.app.begun.put(id, session, now, LIFETIME);
    }
    is_new
}

/// A link to the provider, behind its host.
fn link<'a>(base: &str, head: &'a Parts, name: &HeaderName) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()?.strip_prefix(base)
}

/// The id of the upload that a query names, read as the provider reads it: what is escaped there is the same name here.
/// Whoever names two might be told from the one, and served with the other.
pub(crate) fn upload_in(query: &str) -> Result<Option<Fingerprint>, GatewayError> {
    let ids = parameters(Some(query)).filter(|(name, _)| name == UPLOAD_ID);
    let mut ids = ids.map(|(_, id)| id);
    let id = ids.next().filter(|id| !id.is_empty());
    if ids.next().is_some() {
        let text = "the query has more than one upload_id";
        return Err(GatewayError::caller(StatusCode::BAD_REQUEST, text).param(UPLOAD_ID));
    }
    // A plus may stand for a blank, or for itself.
    Ok(id.map(|id| Fingerprint::of(id.replace(' ', "+").as_bytes())))
}

/// The id of what has that secret name: a token, or the handle of a session. No upload's id has a blank, so whoever holds
/// one of these cannot pass it off as an upload.
pub(crate) fn id_of(name: &str) -> Fingerprint {
    Fingerprint::of(format!(" {name}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_has_one_id_however_it_is_spelled() {
        let id = |query| upload_in(query).unwrap();
        let plain = id("upload_id=AB-_1&upload_protocol=resumable");
        assert!(plain.is_some());
        for query in [
            "upload%5Fid=AB-_1",
            "%75pload_id=AB-_1",
            "upload_id=%41B-_1",
            "a=b&upload_id=AB%2d%5f1",
        ] {
            assert_eq!(id(query), plain, "{query}");
        }
        assert_eq!(id("upload_id=a+b"), id("upload_id=a%2Bb"));
        assert_eq!(id("upload_id=a+b"), id("upload_id=a%20b"));
        for query in [
            "",
            "upload_id",
            "upload_id=",
            "Xupload_id=AB",
            "upload_ids=AB",
        ] {
            assert_eq!(id(query), None, "{query}");
        }
        // No upload is taken for what else has begun.
        assert_ne!(id("upload_id=%20token"), Some(id_of("token")));
    }

    #[test]
    fn two_ids_are_refused() {
        for query in ["upload_id=a&upload_id=a", "upload_id=&upload%5Fid=a"] {
            let refused = upload_in(query).unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        }
    }
}
