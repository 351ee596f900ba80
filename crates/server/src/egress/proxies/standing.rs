//! How proxies stand: what requests and checks tell of one sets it aside or brings it back.

use std::sync::Arc;
use std::time::Duration;

use domain::UnixMs;

use super::{Member, Proxies, Proxy, State};

/// How long a proxy is set aside after its first failure; doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause of a proxy in whose place there are others.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The longest pause of a proxy that a key names: without it the key lies unused.
const LONGEST_OWN_PAUSE: Duration = Duration::from_secs(30);
/// The longest time that a proxy of a list is not asked again after a failure.
pub(super) const LONGEST_REST: Duration = Duration::from_secs(3600);

/// Why a proxy is set aside by which the provider refuses one key after the other, and by others it does not.
pub(crate) const REFUSED_EVERYBODY: &str = "refused_everybody";

impl Proxies {
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
    pub(super) fn bring_back(&self, now: UnixMs) {
        let mut members = self.lock();
        while let Some(id) = members.returns.take_due(now) {
            if let Some(member) = members.all.get(&id) {
                self.in_force.load().ranking.set(&member.proxy, true);
            }
        }
        self.note_next_return(&members);
    }
}

fn pause(streak: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(2u32.saturating_pow(streak));
    doubled.min(longest.max(first))
}
