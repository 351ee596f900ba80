//! Uploads under way. The key that began one is the only one that can go on with it, and its upload id is what lets a
//! caller go on: SDKs send the chunks with whatever key they were given, or none.
//! Links in answers are turned round here too, so that the next request comes back to keymux.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{ClientId, Fingerprint, KeyId, UnixMs};
use http::header::LOCATION;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use providers::google::Transfer;
use store::UploadSession;

use super::caller::{self, Caller};
use super::credentials::Credential;
use super::error::GatewayError;
use super::exchange::Exchange;
use crate::snapshot::Snapshot;

/// Where Google says how an upload goes on. The second is the older name of the first.
const UPLOAD_URLS: [HeaderName; 2] = [
    HeaderName::from_static("x-goog-upload-url"),
    HeaderName::from_static("x-goog-upload-control-url"),
];
const UPLOAD_ID: &str = "upload_id";
/// How long Google keeps an upload that is not finished: about a week.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// An upload that a request goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The key that began it.
    pub(crate) key: KeyId,
    /// Who began it; none: an anonymous caller.
    client: Option<ClientId>,
}

impl Session {
    /// Lets the caller go on: whoever shows no key is the one that began it; whoever shows one must be.
    pub(crate) fn admit(
        self,
        headers: &HeaderMap,
        query: Option<&str>,
        snapshot: &Snapshot,
        now: UnixMs,
    ) -> Result<Caller, GatewayError> {
        let owner = self.client.and_then(|id| snapshot.client(id));
        let shown = if caller::shows_key(headers, query) {
            Some(caller::identify(headers, query, snapshot, now)?)
        } else {
            None
        };
        match (shown.as_ref().map(Caller::client), owner) {
            (None, None) if self.client.is_none() => {
                caller::identify(headers, query, snapshot, now)
            }
            (None, Some(owner)) => caller::check(&owner, now),
            (Some(Some(client)), Some(owner)) if client.id == owner.client.id => {
                Ok(Caller::Client(owner))
            }
            _ => Err(GatewayError::caller(
                StatusCode::FORBIDDEN,
                "this upload was begun with another key",
            )),
        }
    }
}

/// Every upload under way, by the fingerprint of its id.
///
/// A mutex around a map: uploads begin seldom, and other requests do not look here.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    sessions: Mutex<HashMap<Fingerprint, Entry>>,
    unsaved: Mutex<Vec<UploadSession>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    session: Session,
    expires_at: UnixMs,
}

impl Uploads {
    /// Takes over what an earlier run remembered.
    pub(crate) fn restore(&self, saved: Vec<UploadSession>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for row in saved {
            let session = Session {
                key: row.key,
                client: row.client,
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
    pub(crate) fn named_in(&self, query: &str) -> Option<Session> {
        let id = upload_id(query)?;
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions
            .get(&Fingerprint::of(id.as_bytes()))
            .map(|entry| entry.session)
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

    /// Forgets uploads that Google has forgotten.
    pub(crate) fn forget_expired(&self, now: UnixMs) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, entry| entry.expires_at > now);
    }

    fn remember(&self, url: &str, exchange: &Exchange, credential: &Credential) {
        let query = url.split_once('?').map(|(_, query)| query);
        let (Some(id), Some(key)) = (query.and_then(upload_id), credential.key()) else {
            return;
        };
        let id = Fingerprint::of(id.as_bytes());
        let session = Session {
            key: key.id,
            client: exchange.caller.client().map(|client| client.id),
        };
        let expires_at = exchange.app.clock.now() + LIFETIME;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions
            .insert(
                id,
                Entry {
                    session,
                    expires_at,
                },
            )
            .is_none()
        {
            let Session { key, client } = session;
            let row = UploadSession {
                upload: id,
                client,
                key,
                expires_at,
            };
            self.unsaved
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(row);
        }
    }
}

fn upload_id(query: &str) -> Option<&str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(name, id)| *name == UPLOAD_ID && !id.is_empty())
        .map(|(_, id)| id)
}
