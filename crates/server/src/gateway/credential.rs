//! The key of one attempt: the caller's own, or one out of a pool, which hears what becomes of it. `credentials.rs` says
//! which comes next.

use std::sync::Arc;
use std::time::Duration;

use domain::{Fingerprint, Harm, Key, KeyHealth, KeyId, Secret, UnixMs, Verdict};
use keypool::{Lease, Pool};

use crate::egress::{LeavingKey, Refused};
use crate::turns::Turn;

/// The key of one attempt.
#[derive(Debug)]
pub(crate) struct Credential {
    origin: Origin,
    /// Where the account may have only so many requests under way.
    _turn: Option<Turn>,
}

#[derive(Debug)]
enum Origin {
    /// The caller's own: what becomes of it hurts nobody here.
    Brought(Secret),
    /// A key out of a pool.
    Pooled(Drawn),
}

/// A key out of a pool, and the pool that hears what becomes of it.
#[derive(Debug)]
struct Drawn {
    lease: Lease,
    pool: Arc<Pool>,
    source: Source,
}

/// Why a key was drawn from where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It began the upload, whoever owns it.
    Upload,
    /// It is of the project that what is named belongs to, whoever owns it.
    Project,
    /// The client key's owner has it.
    Owner,
    /// It is everybody's.
    Shared,
}

impl Credential {
    /// The caller's own key.
    pub(super) fn brought(secret: Secret) -> Self {
        Self {
            origin: Origin::Brought(secret),
            _turn: None,
        }
    }

    /// A key out of that pool.
    pub(super) fn drawn(lease: Lease, pool: Arc<Pool>, source: Source) -> Self {
        Self {
            origin: Origin::Pooled(Drawn {
                lease,
                pool,
                source,
            }),
            _turn: None,
        }
    }

    /// The caller's own key again, or the id of one out of a pool.
    pub(super) fn into_brought(self) -> Result<Secret, KeyId> {
        match self.origin {
            Origin::Brought(secret) => Ok(secret),
            Origin::Pooled(drawn) => Err(drawn.lease.key().id),
        }
    }

    pub(crate) fn secret(&self) -> &Secret {
        match &self.origin {
            Origin::Brought(secret) => secret,
            Origin::Pooled(drawn) => &drawn.lease.key().secret,
        }
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        self.pooled().map(|drawn| drawn.lease.key())
    }

    /// What the provider knows its account by, as far as it is known here: its project, or else the key itself.
    pub(crate) fn account(&self) -> Fingerprint {
        let project = self.key().and_then(|key| key.project.as_ref());
        project.map_or_else(
            || self.secret().fingerprint(),
            |project| Fingerprint::of(project.as_bytes()),
        )
    }

    /// What the proxy that it leaves by is chosen by.
    pub(crate) fn leaving_key(&self) -> LeavingKey<'_> {
        match &self.origin {
            Origin::Pooled(drawn) => LeavingKey::Known(drawn.lease.key().id),
            Origin::Brought(secret) => LeavingKey::Brought(secret),
        }
    }

    /// Whether both came from the same place in the order of keys.
    pub(crate) fn is_of_the_same_source(&self, other: &Self) -> bool {
        self.source() == other.source()
    }

    /// Keeps the turn of its account for as long as it is in use.
    pub(crate) fn with_turn(self, turn: Turn) -> Self {
        Self {
            _turn: Some(turn),
            ..self
        }
    }

    /// Leaves the turn to the next in line: it is kept to be told of, not to be used.
    pub(crate) fn without_turn(self) -> Self {
        Self {
            _turn: None,
            ..self
        }
    }

    /// The key, where it was drawn because the client key's owner has it.
    pub(crate) fn owners_key(&self) -> Option<KeyId> {
        let drawn = self.pooled()?;
        (drawn.source == Source::Owner).then(|| drawn.lease.key().id)
    }

    /// Why this key, for the record.
    pub(crate) fn chosen(&self) -> String {
        match &self.origin {
            Origin::Brought(_) => "brought by the caller".to_owned(),
            Origin::Pooled(drawn) => drawn.chosen(),
        }
    }

    /// Tells the pool that the key came from what became of it. Gives what the pool has made of that; none: the caller
    /// brought the key.
    pub(crate) fn report<'a>(
        &'a self,
        model: &str,
        verdict: &'a Verdict,
        took: Duration,
        now: UnixMs,
    ) -> Option<Refused<'a>> {
        let drawn = self.pooled()?;
        let receipt = drawn.pool.report(&drawn.lease, model, verdict, took, now);
        Some(Refused {
            key: drawn.lease.key(),
            pool: &drawn.pool,
            verdict,
            receipt,
        })
    }

    /// Whether a verdict, once reported, has taken the key or its project for the model out of use.
    pub(crate) fn is_out(&self, verdict: &Verdict) -> bool {
        let Some(drawn) = self.pooled() else {
            return false;
        };
        match verdict.harm() {
            Harm::Pair => true,
            Harm::Key => {
                // A refusal that is only counted leaves the key in use until there are too many.
                let status = drawn.pool.status(drawn.lease.key().id);
                status.is_some_and(|status| status.state.health != KeyHealth::Active)
            }
            Harm::Briefly | Harm::Nobody => false,
        }
    }

    fn pooled(&self) -> Option<&Drawn> {
        match &self.origin {
            Origin::Brought(_) => None,
            Origin::Pooled(drawn) => Some(drawn),
        }
    }

    /// None: the caller.
    fn source(&self) -> Option<Source> {
        self.pooled().map(|drawn| drawn.source)
    }
}

impl Drawn {
    fn chosen(&self) -> String {
        let chosen = self.lease.chosen;
        match self.source {
            Source::Owner if self.lease.key().selected => {
                format!("owner's selected key{}", chosen.why)
            }
            Source::Owner => format!("owner's key{}", chosen.why),
            Source::Upload | Source::Project | Source::Shared => chosen.to_string(),
        }
    }
}
