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
use store::UploadSession;

use super::caller::{self, Caller, Stranger};
use super::credentials::Credential;
use super::door::Door;
use super::error::GatewayError;
use super::exchange::Exchange;
use crate::egress::{Egress, ProxyId};

/// Where Google says how an upload goes on. The second is the older name of the first.
const UPLOAD_URLS: [HeaderName; 2] = [
    HeaderName::from_static("x-goog-upload-url"),
    HeaderName::from_static("x-goog-upload-control-url"),
];
const UPLOAD_ID: &str = "upload_id";
/// What is remembered at most; what begins when there is so much cannot go on.
const MOST: usize = 200_000;
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
    /// Takes over what an earlier run remembered.
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

    /// The upload that a query names.
    pub(crate) fn named_in(&self, query: &str, now: UnixMs) -> Option<Session> {
        let id = Fingerprint::of(upload_id(query)?.as_bytes());
        self.get(id, now)
    }

    /// Who began what has that secret name: a token, or the handle of a session.
    pub(crate) fn find(&self, name: &str, now: UnixMs) -> Option<Session> {
        self.get(id_of(name), now)
    }

    /// Remembers who began what has that secret name, with what, for as long as it lasts.
    pub(crate) fn learn(&self, name: &str, session: Session, now: UnixMs, lasts: Duration) {
        self.put(id_of(name), session, now, lasts);
    }

    fn get(&self, id: Fingerprint, now: UnixMs) -> Option<Session> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = sessions.get(&id)?;
        (now < entry.expires_at).then_some(entry.session)
    }

    fn put(&self, id: Fingerprint, session: Session, now: UnixMs, lasts: Duration) {
        let expires_at = now + lasts;
        let entry = Entry {
            session,
            expires_at,
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST || sessions.insert(id, entry).is_some() {
            return;
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
    }

    /// Looks at an answer on its way to the caller: remembers an upload that it begins, and turns its links round.
    pub(crate) fn watch(&self, exchange: &Exchange, credential: &Credential, head: &mut Parts) {
        let base = exchange.provider.origin.url();
        let Some(here) = &exchange.call.called_at else {
            return;
        };
        for name in UPLOAD_URLS.iter().chain([&LOCATION]) {
            let Some(value) = head.headers.get(name) else {
                continue;
            };
            let Some(rest) = value.to_str().ok().and_then(|url| url.strip_prefix(&base)) else {
                continue;
            };
            if exchange.call.transfer == Transfer::Upload {
                self.remember(rest, exchange, credential);
            }
            if let Ok(turned) = HeaderValue::try_from(format!("{here}{rest}")) {
                head.headers.insert(name, turned);
            }
        }
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

    fn remember(&self, url: &str, exchange: &Exchange, credential: &Credential) {
        let query = url.split_once('?').map(|(_, query)| query);
        let session = Session::begun(&exchange.caller, credential, exchange.last_egress());
        let (Some(id), Some(session)) = (query.and_then(upload_id), session) else {
            return;
        };
        let id = Fingerprint::of(id.as_bytes());
        self.put(id, session, exchange.app.clock.now(), LIFETIME);
    }
}

/// No upload's id has a blank, so whoever holds a token cannot pass it off as one.
fn id_of(name: &str) -> Fingerprint {
    Fingerprint::of(format!(" {name}").as_bytes())
}

fn upload_id(query: &str) -> Option<&str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(name, id)| *name == UPLOAD_ID && !id.is_empty())
        .map(|(_, id)| id)
}
