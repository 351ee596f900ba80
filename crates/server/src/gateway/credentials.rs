//! With which keys a request is tried, in order: the key of an upload session; the caller's own; those of the client
//! key's owner, the selected one first; the shared pool. A request may also be for one key of the caller's and no other.

use std::sync::Arc;
use std::time::Duration;

use domain::{Class, Fingerprint, Harm, Key, KeyHealth, KeyId, Secret, UnixMs, UserId, Verdict};
use keypool::{Exhausted, Lease, Place, Pool, Want};

use super::affinity::Destination;
use crate::egress::{LeavingKey, Refused};
use crate::pools::Pools;
use crate::turns::Turn;

/// The key of one attempt.
#[derive(Debug)]
pub(crate) enum Credential {
    /// The caller's own: what becomes of it hurts nobody here.
    Brought {
        secret: Secret,
        /// Where the account may have only so many requests under way.
        _turn: Option<Turn>,
    },
    /// A key out of a pool.
    Pooled(Drawn),
}

/// A key out of a pool, and the pool that hears what becomes of it.
#[derive(Debug)]
pub(crate) struct Drawn {
    lease: Lease,
    pool: Arc<Pool>,
    source: Source,
    /// Where the account may have only so many requests under way.
    _turn: Option<Turn>,
}

/// Why a key was drawn from where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
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
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Brought { secret, .. } => secret,
            Self::Pooled(drawn) => &drawn.lease.key().secret,
        }
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Brought { .. } => None,
            Self::Pooled(drawn) => Some(drawn.lease.key()),
        }
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
        match self {
            Self::Pooled(drawn) => LeavingKey::Known(drawn.lease.key().id),
            Self::Brought { secret, .. } => LeavingKey::Brought(secret),
        }
    }

    /// Whether both came from the same place in the order of keys.
    pub(crate) fn is_of_the_same_source(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pooled(one), Self::Pooled(other)) => one.source == other.source,
            (Self::Brought { .. }, Self::Brought { .. }) => true,
            _ => false,
        }
    }

    /// Keeps the turn of its account for as long as it is in use.
    pub(crate) fn with_turn(self, turn: Turn) -> Self {
        match self {
            Self::Brought { secret, .. } => Self::Brought {
                secret,
                _turn: Some(turn),
            },
            Self::Pooled(drawn) => Self::Pooled(Drawn {
                _turn: Some(turn),
                ..drawn
            }),
        }
    }

    /// Leaves the turn to the next in line: it is kept to be told of, not to be used.
    pub(crate) fn without_turn(self) -> Self {
        match self {
            Self::Brought { secret, .. } => Self::Brought {
                secret,
                _turn: None,
            },
            Self::Pooled(drawn) => Self::Pooled(Drawn {
                _turn: None,
                ..drawn
            }),
        }
    }

    /// The key, where it was drawn because the client key's owner has it.
    pub(crate) fn owners_key(&self) -> Option<KeyId> {
        match self {
            Self::Pooled(drawn) if drawn.source == Source::Owner => Some(drawn.lease.key().id),
            Self::Pooled(_) | Self::Brought { .. } => None,
        }
    }

    /// Why this key, for the record.
    pub(crate) fn chosen(&self) -> String {
        match self {
            Self::Brought { .. } => "brought by the caller".to_owned(),
            Self::Pooled(drawn) => drawn.chosen(),
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
        let Self::Pooled(drawn) = self else {
            return None;
        };
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
        let Self::Pooled(drawn) = self else {
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

/// The keys that a request has tried, and those it may still try.
#[derive(Debug)]
pub(crate) struct Credentials {
    brought: Option<Secret>,
    /// The caller's own key, where no other may be used.
    only: Option<Only>,
    /// The key that began an upload: no other can go on with it.
    pinned: Option<Pinned>,
    /// The pool of the client key's owner, where they have one.
    own: Option<Arc<Pool>>,
    shared: Arc<Pool>,
    /// The pool that the project is in that the request is bound to.
    home: Option<Arc<Pool>>,
    destination: Destination,
    tried: Vec<KeyId>,
}

#[derive(Debug)]
struct Only {
    key: Secret,
    is_tried: bool,
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
            only: None,
            pinned: pinned.map(|key| Pinned {
                key,
                pool: pools.holding(key),
            }),
            own: owner.and_then(|owner| pools.of(owner)),
            shared: pools.shared.clone(),
            home: None,
            destination: Destination::Anywhere,
            tried: Vec::new(),
        }
    }

    /// The request has to go somewhere, or had better go there.
    pub(crate) fn go(&mut self, pools: &Pools, destination: &Destination) {
        self.home = match destination {
            Destination::Bound(bound) => pools.with_project(&bound.project),
            Destination::Anywhere
            | Destination::Rather(_)
            | Destination::Warm(_)
            | Destination::WithOwnKey => None,
        };
        if *destination == Destination::WithOwnKey {
            let is_tried = false;
            self.only = self.brought.take().map(|key| Only { key, is_tried });
        }
        self.destination = destination.clone();
    }

    /// Whether the project that the request is bound to has a key here.
    pub(crate) fn has_home(&self) -> bool {
        self.home.is_some()
    }

    /// Whether the caller has brought a key of its own.
    pub(crate) fn has_brought(&self) -> bool {
        self.brought.is_some()
    }

    /// The caller's own key and nothing else, whatever becomes of it.
    pub(crate) fn only(pools: &Pools, key: Secret) -> Self {
        let is_tried = false;
        Self {
            only: Some(Only { key, is_tried }),
            ..Self::new(pools, None, None, None)
        }
    }

    /// Forgets what was tried.
    pub(crate) fn start_over(&mut self) {
        self.tried.clear();
        if let Some(only) = &mut self.only {
            only.is_tried = false;
        }
    }

    /// A key that was drawn and not used may be drawn again.
    pub(crate) fn give_back(&mut self, unused: Credential) {
        match unused {
            Credential::Brought { secret, .. } => self.brought = Some(secret),
            Credential::Pooled(drawn) => {
                let id = drawn.lease.key().id;
                if let Some(last) = self.tried.iter().rposition(|tried| *tried == id) {
                    self.tried.remove(last);
                }
            }
        }
    }

    /// Whether the model is overloaded for everyone, so that trying other keys is useless.
    pub(crate) fn is_overloaded(&self, model: &str, now: UnixMs) -> bool {
        let mut pools = self.own.iter().chain([&self.shared]);
        pools.any(|pool| pool.is_overloaded(model, now))
    }

    /// Why there is none for another attempt, where that is so of every key.
    pub(crate) fn exhausted(&mut self, model: &str, now: UnixMs) -> Option<Exhausted> {
        let is_bound = self.only.is_some()
            || self.pinned.is_some()
            || matches!(self.destination, Destination::Bound(_));
        let is_usable = |pool: &Arc<Pool>| pool.usable(model, now) > 0;
        if is_bound || is_usable(&self.shared) || self.own.as_ref().is_some_and(is_usable) {
            return None;
        }
        self.draw(model, true, now).err()
    }

    /// The key for the next attempt. `again` allows one that was tried, when there is no other.
    pub(crate) fn next(
        &mut self,
        model: &str,
        again: bool,
        now: UnixMs,
    ) -> Result<Credential, Exhausted> {
        if let Some(only) = &mut self.only {
            if only.is_tried && !again {
                return Err(Exhausted::AllTried);
            }
            only.is_tried = true;
            return Ok(Credential::Brought {
                secret: only.key.clone(),
                _turn: None,
            });
        }
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
                _turn: None,
            }));
        }
        if let Some(secret) = self.brought.take() {
            return Ok(Credential::Brought {
                secret,
                _turn: None,
            });
        }
        match self.draw(model, false, now) {
            Err(_) if again => self.draw(model, true, now),
            drawn => drawn,
        }
        .map(Credential::Pooled)
    }

    /// The pools to draw from, in order.
    fn pools(&self) -> impl Iterator<Item = (&Arc<Pool>, Source)> + use<'_> {
        let is_bound = matches!(self.destination, Destination::Bound(_));
        let home = self.home.iter().map(|pool| (pool, Source::Project));
        let own = self.own.iter().map(|pool| (pool, Source::Owner));
        let free = own.chain([(&self.shared, Source::Shared)]);
        home.chain(free.filter(move |_| !is_bound))
    }

    /// A key of the owner's, or else one of the shared pool; where the request is bound, one of its project.
    fn draw(&mut self, model: &str, again: bool, now: UnixMs) -> Result<Drawn, Exhausted> {
        let want = Want {
            model,
            tried: &self.tried,
            again,
            place: match &self.destination {
                Destination::Anywhere | Destination::WithOwnKey => Place::Anywhere,
                Destination::Rather(project) => Place::Rather(project),
                Destination::Warm(project) => Place::Warm(project),
                Destination::Bound(bound) => Place::Within(&bound.project),
            },
        };
        let mut exhausted = Exhausted::NoKeys;
        let mut drawn = None;
        for (pool, source) in self.pools() {
            match pool.lease(&want, now) {
                Ok(lease) => {
                    let pool = pool.clone();
                    drawn = Some(Drawn {
                        lease,
                        pool,
                        source,
                        _turn: None,
                    });
                    break;
                }
                Err(why) => exhausted = of_both(exhausted, why),
            }
        }
        let drawn = drawn.ok_or(exhausted)?;
        self.tried.push(drawn.lease.key().id);
        Ok(drawn)
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
