//! With which keys a request is tried, in order: the key of an upload session; the caller's own; those of the client
//! key's owner, the selected one first; the shared pool.

use std::sync::Arc;
use std::time::Duration;

use domain::{Class, Harm, Key, KeyHealth, KeyId, Secret, UnixMs, UserId, Verdict};
use keypool::{Exhausted, Lease, Pool, Want};

use crate::pools::Pools;

/// The key of one attempt.
#[derive(Debug)]
pub(crate) enum Credential {
    /// The caller's own: what becomes of it hurts nobody here.
    Brought(Secret),
    /// A key out of a pool.
    Pooled(Drawn),
}

/// A key out of a pool, and the pool that hears what becomes of it.
#[derive(Debug)]
pub(crate) struct Drawn {
    lease: Lease,
    pool: Arc<Pool>,
    source: Source,
}

/// Why a key was drawn from where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// It began the upload, whoever owns it.
    Upload,
    /// The client key's owner has it.
    Owner,
    /// It is everybody's.
    Shared,
}

impl Credential {
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Brought(secret) => secret,
            Self::Pooled(drawn) => &drawn.lease.key().secret,
        }
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Brought(_) => None,
            Self::Pooled(drawn) => Some(drawn.lease.key()),
        }
    }

    /// The key, where it was drawn because the client key's owner has it.
    pub(crate) fn owners_key(&self) -> Option<KeyId> {
        match self {
            Self::Pooled(drawn) if drawn.source == Source::Owner => Some(drawn.lease.key().id),
            Self::Pooled(_) | Self::Brought(_) => None,
        }
    }

    /// Why this key, for the record.
    pub(crate) fn chosen(&self) -> String {
        match self {
            Self::Brought(_) => "brought by the caller".to_owned(),
            Self::Pooled(drawn) => drawn.chosen(),
        }
    }

    /// Tells the pool that the key came from what became of it.
    pub(crate) fn report(&self, model: &str, verdict: &Verdict, took: Duration, now: UnixMs) {
        if let Self::Pooled(drawn) = self {
            drawn.pool.report(&drawn.lease, model, verdict, took, now);
        }
    }

    /// Whether a verdict, once reported, has taken the key or its project for the model out of use.
    pub(crate) fn is_out(&self, verdict: &Verdict) -> bool {
        let Self::Pooled(drawn) = self else {
            return false;
        };
        match verdict.class.harm() {
            Harm::Pair => true,
            Harm::Key => {
                // A refusal that is only counted leaves the key in use until there are too many.
                let status = drawn.pool.status(drawn.lease.key().id);
                status.is_some_and(|status| status.state.health != KeyHealth::Active)
            }
            Harm::Briefly | Harm::Nobody => false,
        }
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
            Source::Upload | Source::Shared => chosen.to_string(),
        }
    }
}

/// The keys that a request has tried, and those it may still try.
#[derive(Debug)]
pub(crate) struct Credentials {
    brought: Option<Secret>,
    /// The key that began an upload: no other can go on with it.
    pinned: Option<Pinned>,
    /// The pool of the client key's owner, where they have one.
    own: Option<Arc<Pool>>,
    shared: Arc<Pool>,
    tried: Vec<KeyId>,
}

#[derive(Debug)]
struct Pinned {
    key: KeyId,
    /// The pool that it is in; none: it is gone.
    pool: Option<Arc<Pool>>,
}

impl Credentials {
    pub(crate) fn new(
        pools: &Pools,
        owner: Option<UserId>,
        brought: Option<Secret>,
        pinned: Option<KeyId>,
    ) -> Self {
        Self {
            brought,
            pinned: pinned.map(|key| Pinned {
                key,
                pool: pools.holding(key),
            }),
            own: owner.and_then(|owner| pools.of(owner)),
            shared: pools.shared.clone(),
            tried: Vec::new(),
        }
    }

    /// Forgets what was tried.
    pub(crate) fn start_over(&mut self) {
        self.tried.clear();
    }

    /// Whether the model is overloaded for everyone, so that trying other keys is useless.
    pub(crate) fn is_overloaded(&self, model: &str, now: UnixMs) -> bool {
        let mut pools = self.own.iter().chain([&self.shared]);
        pools.any(|pool| pool.is_overloaded(model, now))
    }

    /// The key for the next attempt. `again` allows one that was tried, when there is no other.
    pub(crate) fn next(
        &mut self,
        model: &str,
        again: bool,
        now: UnixMs,
    ) -> Result<Credential, Exhausted> {
        if let Some(pinned) = &self.pinned {
            if self.tried.contains(&pinned.key) && !again {
                return Err(Exhausted::AllTried);
            }
            let pool = pinned.pool.clone().ok_or(Exhausted::NoKeys)?;
            self.tried.push(pinned.key);
            let lease = pool.lease_key(pinned.key, now)?;
            let source = Source::Upload;
            return Ok(Credential::Pooled(Drawn {
                lease,
                pool,
                source,
            }));
        }
        if let Some(secret) = self.brought.take() {
            return Ok(Credential::Brought(secret));
        }
        match self.draw(model, false, now) {
            Err(_) if again => self.draw(model, true, now),
            drawn => drawn,
        }
        .map(Credential::Pooled)
    }

    /// A key of the owner's, or else one of the shared pool.
    fn draw(&mut self, model: &str, again: bool, now: UnixMs) -> Result<Drawn, Exhausted> {
        let want = Want {
            model,
            tried: &self.tried,
            again,
        };
        let mut exhausted = Exhausted::NoKeys;
        let own = self.own.iter().map(|pool| (pool, Source::Owner));
        for (pool, source) in own.chain([(&self.shared, Source::Shared)]) {
            match pool.lease(&want, now) {
                Ok(lease) => {
                    let pool = pool.clone();
                    self.tried.push(lease.key().id);
                    return Ok(Drawn {
                        lease,
                        pool,
                        source,
                    });
                }
                Err(why) => exhausted = of_both(exhausted, why),
            }
        }
        Err(exhausted)
    }
}

/// Why two pools have nothing, as if they were one.
fn of_both(one: Exhausted, other: Exhausted) -> Exhausted {
    let end = |exhausted: Exhausted| match exhausted {
        Exhausted::Cooling { until, class } => Some((until, class)),
        _ => None,
    };
    let is = |what: Exhausted| one == what || other == what;
    if is(Exhausted::AllTried) {
        return Exhausted::AllTried;
    }
    match (end(one).into_iter().chain(end(other))).min_by_key(|(until, _): &(UnixMs, Class)| *until)
    {
        Some((until, class)) => Exhausted::Cooling { until, class },
        None if is(Exhausted::AllRetired) => Exhausted::AllRetired,
        None => Exhausted::NoKeys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pools_are_exhausted_as_one_would_be() {
        let cooling = |until| Exhausted::Cooling {
            until: UnixMs(until),
            class: Class::RateLimited,
        };
        let check = |one, other, expected| {
            assert_eq!(of_both(one, other), expected, "{one:?} and {other:?}");
            assert_eq!(of_both(other, one), expected, "{other:?} and {one:?}");
        };
        check(Exhausted::NoKeys, Exhausted::NoKeys, Exhausted::NoKeys);
        check(
            Exhausted::NoKeys,
            Exhausted::AllRetired,
            Exhausted::AllRetired,
        );
        check(Exhausted::AllRetired, cooling(5), cooling(5));
        check(cooling(7), cooling(5), cooling(5));
        check(cooling(5), Exhausted::AllTried, Exhausted::AllTried);
    }
}
