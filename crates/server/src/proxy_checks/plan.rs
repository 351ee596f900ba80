//! Which proxies are due for a check. Those that are used are checked again and again; those that failed when their pause is
//! over. Of those that wait for a check before they are used, as many are checked as it takes until enough work.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use config::Egress;
use domain::UnixMs;

use crate::egress::{Member, Proxy, ProxyId, State};

/// After a check that says nothing of a proxy the next one waits for this time at least.
const SOONEST: Duration = Duration::from_secs(10);

/// The checks that are due.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Of proxies that are used.
    due: VecDeque<Arc<Proxy>>,
    /// Of those that are not used before a check; the ones that nothing is known of come first.
    candidates: VecDeque<Arc<Proxy>>,
    /// Candidates that have to pass until there are enough.
    missing: usize,
}

impl Plan {
    pub(crate) fn of(all: &[Member], settings: &Egress, now: UnixMs) -> Self {
        let interval = settings.health_check.recheck_interval;
        let healthy = all.iter().filter(|member| member.proxy.is_healthy());
        let mut plan = Self {
            missing: settings.min_healthy.saturating_sub(healthy.count()),
            ..Self::default()
        };
        let mut failed = Vec::new();
        for Member { proxy, .. } in all {
            let is_candidate = proxy.must_be_checked() && !proxy.is_healthy();
            if due_at(proxy, interval) > now {
                continue;
            }
            if !is_candidate {
                plan.due.push_back(proxy.clone());
            } else if proxy.standing().state == State::Untested {
                plan.candidates.push_back(proxy.clone());
            } else {
                failed.push(proxy.clone());
            }
        }
        plan.candidates.extend(failed);
        plan
    }

    /// The next proxy to be checked that is not being checked.
    pub(crate) fn next(&mut self, under_way: &HashSet<ProxyId>) -> Option<Arc<Proxy>> {
        let is_free = |proxy: &Arc<Proxy>| !under_way.contains(&proxy.id) && !proxy.is_gone();
        while let Some(proxy) = self.due.pop_front() {
            if is_free(&proxy) {
                return Some(proxy);
            }
        }
        while self.missing > 0 {
            let proxy = self.candidates.pop_front()?;
            if is_free(&proxy) {
                return Some(proxy);
            }
        }
        None
    }

    /// A check is over.
    pub(crate) fn ended(&mut self, proxy: &Proxy) {
        if proxy.must_be_checked() && proxy.is_healthy() {
            self.missing = self.missing.saturating_sub(1);
        }
    }
}

/// When a proxy is due. One that has not been checked yet is.
fn due_at(proxy: &Proxy, interval: Duration) -> UnixMs {
    let standing = proxy.standing();
    let after = |pause: Duration| standing.checked.map_or(UnixMs(0), |check| check.at + pause);
    match standing.state {
        State::SetAside { until, .. } => until.max(after(SOONEST.min(interval))),
        State::Healthy | State::Untested => {
            let at = standing.checked.map_or(0, |check| check.at.0);
            after(interval.mul_f64(spread(proxy.id, at)))
        }
    }
}

/// From 0.9 to 1.1, another for each proxy and check, so that they do not all come at once.
fn spread(id: ProxyId, at: i64) -> f64 {
    let mut dice = fastrand::Rng::with_seed(id.0 ^ at.cast_unsigned());
    0.9 + 0.2 * dice.f64()
}
