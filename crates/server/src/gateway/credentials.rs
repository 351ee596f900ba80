//! With which keys a request is tried, in order: the key of an upload session; the caller's own; the shared pool.

use domain::{Key, KeyId, Secret, UnixMs};
use keypool::{Exhausted, Lease, Pool, Want};

/// The key of one attempt.
#[derive(Debug)]
pub(crate) enum Credential {
    /// The caller's own: what becomes of it hurts nobody here.
    Brought(Secret),
    /// A key of the pool.
    Pooled(Lease),
}

impl Credential {
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Brought(secret) => secret,
            Self::Pooled(lease) => &lease.key().secret,
        }
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Brought(_) => None,
            Self::Pooled(lease) => Some(lease.key()),
        }
    }

    /// Why this key, for the record.
    pub(crate) fn chosen(&self) -> String {
        match self {
            Self::Brought(_) => "brought by the caller".to_owned(),
            Self::Pooled(lease) => lease.chosen.to_string(),
        }
    }
}

/// The keys that a request has tried, and those it may still try.
#[derive(Debug)]
pub(crate) struct Credentials {
    brought: Option<Secret>,
    /// The key that began an upload: no other can go on with it.
    pinned: Option<KeyId>,
    tried: Vec<KeyId>,
}

impl Credentials {
    pub(crate) fn new(brought: Option<Secret>, pinned: Option<KeyId>) -> Self {
        Self {
            brought,
            pinned,
            tried: Vec::new(),
        }
    }

    /// Forgets what was tried.
    pub(crate) fn start_over(&mut self) {
        self.tried.clear();
    }

    /// The key for the next attempt. `again` allows one that was tried, when there is no other.
    pub(crate) fn next(
        &mut self,
        pool: &Pool,
        model: &str,
        again: bool,
        now: UnixMs,
    ) -> Result<Credential, Exhausted> {
        if let Some(id) = self.pinned {
            if self.tried.contains(&id) && !again {
                return Err(Exhausted::AllTried);
            }
            self.tried.push(id);
            return pool.lease_key(id, now).map(Credential::Pooled);
        }
        if let Some(secret) = self.brought.take() {
            return Ok(Credential::Brought(secret));
        }
        let lease = pool.lease(
            &Want {
                model,
                tried: &self.tried,
                again,
            },
            now,
        )?;
        self.tried.push(lease.key().id);
        Ok(Credential::Pooled(lease))
    }
}
