//! The outbound proxies in force, and which of them an attempt leaves by. Requests read a ranking that is never locked;
//! the set, and how its members stand (`standing.rs`), change behind a lock. How a proxy is spoken to is `../tunnel/`;
//! what a failure means for a request is decided in `gateway/ways.rs`.

mod leaving;
mod members;
mod proxy;
mod ranking;
mod settings;
mod standing;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use config::ProxyUrl;
use domain::{Fingerprint, Secret, UnixMs};

pub(crate) use leaving::{Leaving, LeavingKey, NoEgress};
use members::Members;
pub(crate) use members::{Found, Member};
use proxy::{Address, Trust};
pub(crate) use proxy::{Egress, Proxy, ProxyId, State};
use ranking::Ranking;
pub(crate) use settings::ProxySettings;
pub(crate) use standing::REFUSED_EVERYBODY;

/// After this time without use a key's own proxy is forgotten, with what is known of it.
const FORGET_OWN: Duration = Duration::from_secs(10 * 60);

/// The proxies in force.
#[derive(Debug)]
pub(crate) struct Proxies {
    in_force: ArcSwap<InForce>,
    /// Proxies that keys name themselves, by the fingerprint of their URL.
    own: ArcSwap<HashMap<Fingerprint, Arc<Own>>>,
    /// Held while the set or the standing of a proxy changes: requests read `in_force`.
    members: Mutex<Members>,
    /// When the first of those that are set aside is tried again, in milliseconds; the largest number: none is.
    next_return: AtomicI64,
}

/// What requests read.
#[derive(Debug)]
struct InForce {
    ranking: Ranking,
    are_wanted: bool,
    fallback_to_direct: bool,
}

#[derive(Debug)]
struct Own {
    proxy: Arc<Proxy>,
    used_at: AtomicI64,
}

/// The proxies that are used for all keys, counted by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Nothing has left by them yet.
    pub(crate) untested: usize,
    /// They have worked, and not failed since.
    pub(crate) healthy: usize,
    /// They have failed, and not worked since.
    pub(crate) set_aside: usize,
}

impl Proxies {
    /// Those of the settings.
    pub(crate) fn new(settings: &Arc<ProxySettings>, now: UnixMs) -> Self {
        let proxies = Self {
            in_force: ArcSwap::from_pointee(InForce {
                ranking: Ranking::of([], 0, 0),
                are_wanted: settings.are_wanted,
                fallback_to_direct: settings.fallback_to_direct,
            }),
            own: ArcSwap::default(),
            members: Mutex::new(Members::new(settings.clone())),
            next_return: AtomicI64::new(i64::MAX),
        };
        let mut members = proxies.lock();
        proxies.rebuild(&mut members, now);
        drop(members);
        proxies
    }

    /// Follows other settings. Proxies that stay keep what is known of them.
    pub(crate) fn follow(&self, settings: &Arc<ProxySettings>, now: UnixMs) {
        let mut members = self.lock();
        if Arc::ptr_eq(&members.settings, settings) {
            return;
        }
        let is_reached_alike = members.settings.reach == settings.reach
            && Arc::ptr_eq(&members.settings.tls, &settings.tls);
        members.settings = settings.clone();
        self.rebuild(&mut members, now);
        if !is_reached_alike {
            // They are made anew when they are needed.
            let before = self.own.swap(Arc::default());
            before.values().for_each(|own| own.proxy.leave());
        }
    }

    /// Replaces the proxies that were found in lists; those of the configuration stay, and come first.
    pub(crate) fn set_found(&self, found: Vec<Found>, now: UnixMs) {
        let mut members = self.lock();
        members.found = found;
        self.rebuild(&mut members, now);
    }

    /// How an attempt leaves.
    pub(crate) fn choose(&self, leaving: &Leaving<'_>, now: UnixMs) -> Result<Egress, NoEgress> {
        if let Some(url) = leaving.own {
            return self.own(url, leaving, now).map(Egress::Proxy);
        }
        let in_force = self.in_force.load();
        if !in_force.are_wanted {
            return Ok(Egress::Direct);
        }
        let otherwise = |why| {
            let is_allowed = in_force.fallback_to_direct;
            is_allowed.then_some(Egress::Direct).ok_or(why)
        };
        if !leaving.is_encrypted {
            return otherwise(NoEgress::PlainHttp);
        }
        if leaving.is_enough {
            return otherwise(NoEgress::NoneUsable);
        }
        if now.0 >= self.next_return.load(Ordering::Acquire) {
            self.bring_back(now);
        }
        let admits = |proxy: &Arc<Proxy>| !leaving.failed.contains(&proxy.id) && proxy.admits(now);
        let is_new = |proxy: &Arc<Proxy>| !leaving.avoided.contains(&proxy.id) && admits(proxy);
        let preferred = leaving.preferred.and_then(|id| self.get(id));
        let mut chosen = preferred.filter(|proxy| !proxy.is_gone() && is_new(proxy));
        if chosen.is_none() {
            let key = leaving.key.seed();
            chosen = in_force.ranking.first(key, is_new);
            if chosen.is_none() && !leaving.avoided.is_empty() {
                chosen = in_force.ranking.first(key, admits);
            }
        }
        chosen.map_or_else(
            || otherwise(NoEgress::NoneUsable),
            |proxy| Ok(Egress::Proxy(proxy)),
        )
    }

    fn own(
        &self,
        url: &Secret,
        leaving: &Leaving<'_>,
        now: UnixMs,
    ) -> Result<Arc<Proxy>, NoEgress> {
        if !leaving.is_encrypted {
            return Err(NoEgress::OwnPlainHttp);
        }
        let fingerprint = url.fingerprint();
        let known = self.own.load().get(&fingerprint).cloned();
        let own = match known {
            Some(own) => own,
            None => self.new_own(url, fingerprint, now)?,
        };
        own.used_at.store(now.0, Ordering::Relaxed);
        let proxy = &own.proxy;
        let has_failed = leaving.is_enough || leaving.failed.contains(&proxy.id);
        if has_failed || !proxy.admits(now) {
            return Err(NoEgress::OwnOut);
        }
        Ok(proxy.clone())
    }

    fn new_own(
        &self,
        url: &Secret,
        fingerprint: Fingerprint,
        now: UnixMs,
    ) -> Result<Arc<Own>, NoEgress> {
        let parsed: ProxyUrl = url.expose().parse().map_err(|_| NoEgress::OwnWrong)?;
        let mut members = self.lock();
        if let Some(own) = self.own.load().get(&fingerprint) {
            return Ok(own.clone());
        }
        let name = parsed.name();
        let address = Address {
            url: parsed,
            reach: members.settings.reach,
            tls: members.settings.tls.clone(),
            trust: Trust::Given,
        };
        let own = Arc::new(Own {
            proxy: Arc::new(Proxy::new(members.next_id(), name, address, now)),
            used_at: AtomicI64::new(now.0),
        });
        let mut all = HashMap::clone(&self.own.load());
        all.insert(fingerprint, own.clone());
        self.own.store(Arc::new(all));
        Ok(own)
    }

    /// Forgets the proxies of keys that are used no more.
    pub(crate) fn forget_unused(&self, now: UnixMs) {
        let is_old = |own: &Own| {
            let used_at = UnixMs(own.used_at.load(Ordering::Relaxed));
            used_at + FORGET_OWN < now
        };
        if !self.own.load().values().any(|own| is_old(own)) {
            return;
        }
        let _members = self.lock();
        let mut all = HashMap::clone(&self.own.load());
        for (_, own) in all.extract_if(|_, own| is_old(own)) {
            own.proxy.leave();
        }
        self.own.store(Arc::new(all));
    }

    /// The proxy of that id, unless a key names it.
    fn get(&self, id: ProxyId) -> Option<Arc<Proxy>> {
        self.member(id).map(|member| member.proxy)
    }

    /// The proxy of that id, unless a key names it, and where it comes from.
    pub(crate) fn member(&self, id: ProxyId) -> Option<Member> {
        self.lock().all.get(&id).cloned()
    }

    /// Every proxy that is used for all keys, in the order of the configuration and then of the lists.
    pub(crate) fn list(&self) -> Vec<Member> {
        let members = self.lock();
        let mut all: Vec<Member> = members.all.values().cloned().collect();
        drop(members);
        all.sort_by_key(|member| member.place);
        all
    }

    /// How many there are of each kind.
    pub(crate) fn census(&self) -> Census {
        let mut census = Census::default();
        for member in self.lock().all.values() {
            match member.proxy.standing().state {
                State::Untested => census.untested += 1,
                State::Healthy => census.healthy += 1,
                State::SetAside { .. } => census.set_aside += 1,
            }
        }
        census
    }

    /// Whether requests may leave directly.
    pub(crate) fn may_leave_directly(&self) -> bool {
        let in_force = self.in_force.load();
        !in_force.are_wanted || in_force.fallback_to_direct
    }

    /// Makes what requests read anew.
    fn rebuild(&self, members: &mut Members, now: UnixMs) {
        members.take_in(now);
        let usable = members.all.values().map(|member| &member.proxy);
        let usable = usable.filter(|proxy| !proxy.is_set_aside(now)).cloned();
        let before = self.in_force.load().ranking.buckets();
        self.in_force.store(Arc::new(InForce {
            ranking: Ranking::of(usable, members.all.len(), before),
            are_wanted: members.settings.are_wanted,
            fallback_to_direct: members.settings.fallback_to_direct,
        }));
        self.note_next_return(members);
    }

    fn note_next_return(&self, members: &Members) {
        let next = members.returns.next().map_or(i64::MAX, |until| until.0);
        self.next_return.store(next, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
