//! With which keys a request is tried, in order: the key of an upload session; the caller's own; those of the client
//! key's owner, the selected one first; the shared pool. A request may also be for one key of the caller's and no other.

use std::sync::Arc;

use domain::{Class, KeyId, Secret, UnixMs, UserId};
use keypool::{Exhausted, Place, Pool, Want};

use super::affinity::Destination;
use super::credential::{Credential, Source};
use crate::pools::Pools;

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

    /// Whether it goes on with a key that has begun it.
    pub(crate) fn is_pinned(&self) -> bool {
        self.pinned.is_some()
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
        match unused.into_brought() {
            Ok(secret) => self.brought = Some(secret),
            Err(id) => {
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
            return Ok(Credential::brought(only.key.clone()));
        }
        if let Some(pinned) = &self.pinned {
            if self.tried.contains(&pinned.key) && !again {
                return Err(Exhausted::AllTried);
            }
            let pool = pinned.pool.clone().ok_or(Exhausted::NoKeys)?;
            self.tried.push(pinned.key);
            let lease = pool.lease_key(pinned.key, now)?;
            return Ok(Credential::drawn(lease, pool, Source::Upload));
        }
        if let Some(secret) = self.brought.take() {
            return Ok(Credential::brought(secret));
        }
        match self.draw(model, false, now) {
            Err(_) if again => self.draw(model, true, now),
            drawn => drawn,
        }
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
    fn draw(&mut self, model: &str, again: bool, now: UnixMs) -> Result<Credential, Exhausted> {
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
                    drawn = Some((lease, pool.clone(), source));
                    break;
                }
                Err(why) => exhausted = of_both(exhausted, why),
            }
        }
        let (lease, pool, source) = drawn.ok_or(exhausted)?;
        self.tried.push(lease.key().id);
        Ok(Credential::drawn(lease, pool, source))
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
