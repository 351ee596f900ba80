//! What a request learns about the keys of its client key's owner: which have failed, and whether another one answered.
//! Nothing is decided here: it is handed to the job that moves selections and writes the activity log.

use std::sync::Arc;

use domain::{UserId, Verdict};
use keypool::Exhausted;

use super::credential::Credential;
use crate::egress::{Egress, ProxyId};
use crate::notices::{Ending, FailedKey, Notice};

/// The failures of an owner's keys in one request.
#[derive(Debug)]
pub(crate) struct OwnKeys {
    owner: Option<UserId>,
    failed: Vec<Failed>,
    is_exhausted: bool,
}

#[derive(Debug)]
struct Failed {
    key: FailedKey,
    /// The proxy that it left by.
    by: Option<ProxyId>,
}

impl OwnKeys {
    pub(crate) fn new(owner: Option<UserId>) -> Self {
        Self {
            owner,
            failed: Vec::new(),
            is_exhausted: false,
        }
    }

    /// A key has failed by this way, and the pool has heard of it.
    pub(crate) fn failed(&mut self, credential: &Credential, verdict: &Verdict, by: &Egress) {
        if let Some(id) = credential.owners_key() {
            let key = FailedKey {
                id,
                reason: verdict.reason,
                is_out: credential.is_out(verdict),
            };
            let by = by.proxy().map(|proxy| proxy.id);
            self.failed.push(Failed { key, by });
        }
    }

    /// The way was to blame for what the provider said by it, and not the keys.
    pub(crate) fn forgive(&mut self, way: &Egress) {
        let proxy = way.proxy().map(|proxy| proxy.id);
        self.failed.retain(|failed| failed.by != proxy);
    }

    /// A key has answered: the notice to give, when it stands in for another one of the owner's.
    pub(crate) fn answered(
        &mut self,
        credential: &Credential,
        provider: &Arc<str>,
    ) -> Option<Notice> {
        let answered = credential.owners_key()?;
        if !self.failed.iter().any(|failed| failed.key.is_out) {
            return None;
        }
        self.notice(provider, Ending::Answered(answered))
    }

    /// The request goes on with this key, or has none to go on with: the notice to give, once, when every key of the
    /// owner's has failed.
    pub(crate) fn went_on(
        &mut self,
        next: Result<&Credential, &Exhausted>,
        provider: &Arc<str>,
    ) -> Option<Notice> {
        let has_own = next.is_ok_and(|next| next.owners_key().is_some());
        if has_own || self.failed.is_empty() || self.is_exhausted {
            return None;
        }
        self.is_exhausted = true;
        self.notice(provider, Ending::Exhausted)
    }

    fn notice(&mut self, provider: &Arc<str>, ending: Ending) -> Option<Notice> {
        Some(Notice {
            owner: self.owner?,
            provider: provider.clone(),
            failed: self.failed.drain(..).map(|failed| failed.key).collect(),
            ending,
        })
    }
}
