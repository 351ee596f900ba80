//! The outbound proxies in force, and which of them an attempt leaves by. Requests read a ranking that is never locked;
//! the set, and how its members stand, change behind a lock. How a proxy is spoken to is `../tunnel/`; what a failure
//! means for a request is decided in `gateway/ways.rs`.

mod members;
mod proxy;
mod ranking;
mod settings;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use config::ProxyUrl;
use domain::{Fingerprint, KeyId, Secret, UnixMs};

use members::Members;
pub(crate) use members::{Found, Member};
use proxy::{Address, Trust};
pub(crate) use proxy::{Egress, Proxy, ProxyId, State};
use ranking::Ranking;
pub(crate) use settings::ProxySettings;

/// How long a proxy is set aside after its first failure; doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause of a proxy in whose place there are others.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The longest pause of a proxy that a key names: without it the key lies unused.
const LONGEST_OWN_PAUSE: Duration = Duration::from_secs(30);
/// The longest time that a proxy of a list is not asked again after a failure.
const LONGEST_REST: Duration = Duration::from_secs(3600);
/// After this time without use a key's own proxy is forgotten, with what is known of it.
const FORGET_OWN: Duration = Duration::from_secs(10 * 60);

/// Why a proxy is set aside by which the provider refuses one key after the other, and by others it does not.
pub(crate) const REFUSED_EVERYBODY: &str = "refused_everybody";

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

/// What an attempt wants of its egress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving<'a> {
    pub(crate) key: LeavingKey<'a>,
    /// The proxy that the key names itself.
    pub(crate) own: Option<&'a Secret>,
    /// The provider is reached by https.
    pub(crate) is_encrypted: bool,
    /// Proxies that did not lead to the provider.
    pub(crate) failed: &'a [ProxyId],
    /// Proxies that others are preferred to: they led there, but it may be by them that it came to nothing.
    pub(crate) avoided: &'a [ProxyId],
    /// The proxy by which an upload began.
    pub(crate) preferred: Option<ProxyId>,
    /// No more proxies are to be tried for this request.
    pub(crate) is_enough: bool,
}

/// Whose proxy is chosen: the same key leaves by the same proxy, in every run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LeavingKey<'a> {
    /// A key of the store.
    Known(KeyId),
    /// A key that a caller brought.
    Brought(&'a Secret),
}

impl LeavingKey<'_> {
    fn seed(self) -> u64 {
        match self {
            Self::Known(id) => id.0.cast_unsigned(),
            Self::Brought(secret) => secret.fingerprint().number(),
        }
    }
}

/// Why an attempt cannot leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoEgress {
    /// No proxy can be used, and direct connections are not wanted.
    #[error("no outbound proxy is usable now, and egress.fallback_to_direct is off")]
    NoneUsable,
    /// What is sent would be readable for the proxy.
    #[error(
        "the provider's url is plain http, which is never sent through a proxy, and egress.fallback_to_direct is off"
    )]
    PlainHttp,
    /// The key's own proxy has failed.
    #[error("the proxy that the key names is not usable now")]
    OwnOut,
    /// The key's own proxy cannot be used for this provider.
    #[error(
        "the provider's url is plain http, which is never sent through the proxy that the key names"
    )]
    OwnPlainHttp,
    /// The key's own proxy is none.
    #[error("what the key names as its proxy is no proxy url")]
    OwnWrong,
}

impl NoEgress {
    /// Whether another key may leave.
    pub(crate) fn is_about_the_key(self) -> bool {
        matches!(self, Self::OwnOut | Self::OwnPlainHttp | Self::OwnWrong)
    }

    /// A short stable code for records.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NoneUsable => "no_proxy_usable",
            Self::PlainHttp | Self::OwnPlainHttp => "plain_http_not_proxied",
            Self::OwnOut => "own_proxy_unusable",
            Self::OwnWrong => "own_proxy_wrong",
        }
    }
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

    /// The provider has answered through it.
    pub(crate) fn worked(&self, proxy: &Arc<Proxy>, now: UnixMs) {
        if !proxy.is_healthy() {
            self.bring_in(proxy, now);
        }
    }

    /// The provider was reached through it, and has not given an answer. That ends any pause but one for refusals.
    pub(crate) fn reached(&self, proxy: &Arc<Proxy>, now: UnixMs) {
        if !proxy.is_healthy() && !proxy.has_refused_everybody() {
            self.bring_in(proxy, now);
        }
    }

    /// It was set aside for refusals that were not its fault.
    pub(crate) fn acquit(&self, proxy: &Arc<Proxy>, now: UnixMs) {
        if proxy.has_refused_everybody() {
            self.bring_in(proxy, now);
        }
    }

    /// Whether keys that leave by it could leave otherwise. Where a key names it, they could not.
    pub(crate) fn have_another(&self, proxy: &Proxy, now: UnixMs) -> bool {
        let members = self.lock();
        let is_other = |it: &Member| it.proxy.id != proxy.id && !it.proxy.is_set_aside(now);
        members.has(proxy)
            && (members.settings.fallback_to_direct || members.all.values().any(is_other))
    }

    /// It has failed, certainly by its own fault: it is set aside, and its connections are not used any more.
    pub(crate) fn failed(&self, proxy: &Arc<Proxy>, reason: &'static str, now: UnixMs) {
        proxy.count_failure();
        // Whoever was under way when it was set aside says nothing new.
        if !proxy.is_set_aside(now) {
            self.set_aside(proxy, reason, now);
        }
    }

    /// It has been checked: how long that took, or why it failed.
    pub(crate) fn checked(
        &self,
        proxy: &Arc<Proxy>,
        outcome: Result<Duration, &'static str>,
        now: UnixMs,
    ) {
        proxy.note_check(outcome, now);
        match outcome {
            Ok(_) if proxy.has_refused_everybody() => self.have_tried(proxy, now),
            Ok(_) => self.worked(proxy, now),
            Err(reason) => {
                proxy.count_failure();
                self.set_aside(proxy, reason, now);
            }
        }
    }

    /// A check says nothing of refusals. Requests try it out, one at a time: now where it had to wait for the check, and else
    /// after its pause.
    fn have_tried(&self, proxy: &Arc<Proxy>, now: UnixMs) {
        let members = self.lock();
        if proxy.must_be_checked() && members.has(proxy) {
            proxy.set_on_trial(now);
            self.in_force.load().ranking.set(proxy, true);
        }
    }

    /// A check of it has failed for a reason that may lie beyond it: how it stands does not change.
    pub(crate) fn checked_in_vain(proxy: &Proxy, reason: &'static str, now: UnixMs) {
        proxy.note_check(Err(reason), now);
    }

    /// An operator wants it used: what was known of it does not count any more.
    pub(crate) fn reset(&self, proxy: &Arc<Proxy>, now: UnixMs) {
        self.put_to_use(proxy, |proxy| proxy.set_untested(now));
    }

    fn bring_in(&self, proxy: &Arc<Proxy>, now: UnixMs) {
        let before = self.put_to_use(proxy, |proxy| proxy.set_healthy(now));
        if before != State::Untested {
            tracing::info!(egress = &*proxy.name, "the proxy works again");
        }
    }

    /// Gives how it stood before.
    fn put_to_use(&self, proxy: &Arc<Proxy>, set: impl FnOnce(&Proxy)) -> State {
        let mut members = self.lock();
        let before = proxy.standing().state;
        set(proxy);
        if let State::SetAside { until, .. } = before {
            members.returns.remove(until, proxy.id);
            self.note_next_return(&members);
        }
        if members.has(proxy) {
            self.in_force.load().ranking.set(proxy, true);
        }
        before
    }

    fn set_aside(&self, proxy: &Arc<Proxy>, reason: &'static str, now: UnixMs) {
        let mut members = self.lock();
        if proxy.is_gone() {
            return;
        }
        let is_member = members.has(proxy);
        let must_be_checked = proxy.must_be_checked();
        let was_used = !must_be_checked || proxy.is_healthy();
        let (first, longest) = match is_member {
            false => (FIRST_PAUSE, LONGEST_OWN_PAUSE),
            true if must_be_checked => (members.settings.rest_of_found, LONGEST_REST),
            true => (FIRST_PAUSE, LONGEST_PAUSE),
        };
        if let State::SetAside { until, .. } = proxy.standing().state {
            members.returns.remove(until, proxy.id);
        }
        let until = proxy.set_aside(reason, |streak| pause(streak, first, longest), now);
        if is_member && !must_be_checked {
            members.returns.insert(until, proxy.id);
        }
        if is_member {
            self.in_force.load().ranking.set(proxy, false);
        }
        self.note_next_return(&members);
        drop(members);
        let pause_s = now.until(until).as_secs();
        if was_used {
            tracing::warn!(egress = &*proxy.name, reason, pause_s, "proxy set aside");
        } else {
            // Most of those in public lists are dead.
            tracing::debug!(egress = &*proxy.name, reason, pause_s, "proxy not taken");
        }
    }

    /// Puts those back into use, one request at a time, whose pause is over.
    fn bring_back(&self, now: UnixMs) {
        let mut members = self.lock();
        while let Some(id) = members.returns.take_due(now) {
            if let Some(member) = members.all.get(&id) {
                self.in_force.load().ranking.set(&member.proxy, true);
            }
        }
        self.note_next_return(&members);
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

fn pause(streak: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(2u32.saturating_pow(streak));
    doubled.min(longest.max(first))
}

#[cfg(test)]
mod tests;
