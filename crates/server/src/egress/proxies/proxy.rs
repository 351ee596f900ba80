//! One outbound proxy: an address that never changes, and how it stands, which does. Its standing is changed by
//! `mod.rs` beside this file alone; how it is spoken to is `../tunnel/`.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{Credentials, ProxyProtocol, ProxyUrl};
use domain::{Secret, UnixMs};
use rustls::ClientConfig;

use super::{LeavingKey, REFUSED_EVERYBODY, ranking};
use crate::egress::Reach;

/// How long the one request that tries a proxy after its pause keeps others from it.
const TRIAL: Duration = Duration::from_secs(15);

const HEALTHY: i64 = 0;
const UNTESTED: i64 = -1;
/// Not before a check has succeeded.
const HELD_BACK: i64 = i64::MAX;

/// What a proxy is known by in this program, until it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ProxyId(pub(crate) u64);

/// How an attempt leaves the machine.
#[derive(Clone, Debug)]
pub(crate) enum Egress {
    /// By itself.
    Direct,
    /// Through an outbound proxy.
    Proxy(Arc<Proxy>),
}

impl Egress {
    /// The proxy, where it is one.
    pub(crate) fn proxy(&self) -> Option<&Arc<Proxy>> {
        match self {
            Self::Direct => None,
            Self::Proxy(proxy) => Some(proxy),
        }
    }
}

/// An outbound proxy.
pub(crate) struct Proxy {
    pub(crate) id: ProxyId,
    /// What it is called everywhere: scheme, host and port, never its credentials.
    pub(crate) name: Arc<str>,
    pub(crate) url: ProxyUrl,
    /// Where its host may lead.
    pub(crate) reach: Reach,
    /// What `https://` proxies are verified by.
    pub(crate) tls: Arc<ClientConfig>,
    /// What keys are shared out by. It is made of the credentials too, and therefore never shown.
    pub(super) seed: u64,
    trust: Trust,
    /// Until when it is set aside; [`HEALTHY`] or [`UNTESTED`]: it is not; [`HELD_BACK`]: until a check succeeds. After that it is tried by one request at a time
    /// until one succeeds.
    out_until: AtomicI64,
    trial_until: AtomicI64,
    is_gone: AtomicBool,
    /// Connections of an earlier one are not used any more.
    generation: AtomicU32,
    attempts: AtomicU64,
    failures: AtomicU64,
    /// Read by those who look, written when it changes: requests read the atomics.
    standing: Mutex<Standing>,
}

/// How a proxy stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: State,
    /// Since when.
    pub(crate) since: UnixMs,
    /// Times in a row that it was set aside.
    pub(super) streak: u32,
    /// The last time that it was checked of keymux's own accord.
    pub(crate) checked: Option<Check>,
}

/// What is known of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not been used or checked yet.
    Untested,
    /// It worked when it was last used or checked.
    Healthy,
    /// It failed, and is not used before an instant.
    SetAside {
        /// When it is tried again.
        until: UnixMs,
        /// A short stable code, for example `proxy_unreachable`.
        reason: &'static str,
    },
}

/// A check of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) at: UnixMs,
    /// How long it took, or why it failed: a short stable code.
    pub(crate) outcome: Result<Duration, &'static str>,
}

/// Whether requests may leave by a proxy that nobody has checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// They may: an operator has named it.
    Given,
    /// Only after a check, and after a failure only after another one.
    Earned,
}

/// What a proxy has done since it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Attempts that left through it.
    pub(crate) attempts: u64,
    /// Those that failed by it.
    pub(crate) failures: u64,
}

/// What a proxy is made of.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) url: ProxyUrl,
    pub(super) reach: Reach,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) trust: Trust,
}

impl Proxy {
    pub(super) fn new(id: ProxyId, name: String, address: Address, now: UnixMs) -> Self {
        Self {
            id,
            name: name.into(),
            seed: seed(&address.url),
            url: address.url,
            reach: address.reach,
            tls: address.tls,
            trust: address.trust,
            out_until: AtomicI64::new(address.trust.untested()),
            trial_until: AtomicI64::new(0),
            is_gone: AtomicBool::new(false),
            generation: AtomicU32::new(0),
            attempts: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            standing: Mutex::new(Standing {
                state: State::Untested,
                since: now,
                streak: 0,
                checked: None,
            }),
        }
    }

    /// What it speaks.
    pub(crate) fn protocol(&self) -> ProxyProtocol {
        self.url.protocol()
    }

    /// Whether it has to earn trust by a check.
    pub(crate) fn must_be_checked(&self) -> bool {
        self.trust == Trust::Earned
    }

    /// Whether it has the same address, is reached under the same rules, and verified and trusted alike.
    pub(super) fn is_at(&self, address: &Address) -> bool {
        self.url == address.url
            && self.trust == address.trust
            && self.reach == address.reach
            && Arc::ptr_eq(&self.tls, &address.tls)
    }

    /// How much a key is drawn to it: the key that is drawn most is likely to leave by it.
    pub(crate) fn draw(&self, key: LeavingKey<'_>) -> u64 {
        ranking::draw(self.seed, key.seed())
    }

    /// Whether an attempt may leave by it now. Of a proxy that comes back, the one that asks first has the trial.
    pub(super) fn admits(&self, now: UnixMs) -> bool {
        let out_until = self.out_until.load(Ordering::Acquire);
        if out_until <= HEALTHY {
            return true;
        }
        if now.0 < out_until {
            return false;
        }
        let trial = self.trial_until.load(Ordering::Acquire);
        let until = (now + TRIAL).0;
        now.0 >= trial
            && self
                .trial_until
                .compare_exchange(trial, until, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// Whether it has worked, and not failed since.
    pub(crate) fn is_healthy(&self) -> bool {
        self.out_until.load(Ordering::Acquire) == HEALTHY
    }

    /// Whether it is set aside now.
    pub(super) fn is_set_aside(&self, now: UnixMs) -> bool {
        now.0 < self.out_until.load(Ordering::Acquire)
    }

    /// Whether it was last set aside for refusals, and has not worked since.
    pub(crate) fn has_refused_everybody(&self) -> bool {
        let is_for_that =
            |state| matches!(state, State::SetAside { reason, .. } if reason == REFUSED_EVERYBODY);
        !self.is_healthy() && is_for_that(self.lock().state)
    }

    /// What connections through it are told apart by: they are of no use after it has failed.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether it is in use no more.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    /// An attempt leaves through it.
    pub(crate) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        self.lock().clone()
    }

    /// What it has done.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            attempts: self.attempts.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_check(&self, outcome: Result<Duration, &'static str>, at: UnixMs) {
        self.lock().checked = Some(Check { at, outcome });
    }

    pub(super) fn leave(&self) {
        self.is_gone.store(true, Ordering::Release);
    }

    /// It works.
    pub(super) fn set_healthy(&self, now: UnixMs) {
        self.set_usable(State::Healthy, HEALTHY, now);
    }

    /// What was known of it does not count any more, and it is used.
    pub(super) fn set_untested(&self, now: UnixMs) {
        self.set_usable(State::Untested, UNTESTED, now);
    }

    /// It is tried by one request at a time from now on.
    pub(super) fn set_on_trial(&self, now: UnixMs) {
        self.trial_until.store(0, Ordering::Release);
        self.out_until.store(now.0.max(1), Ordering::Release);
    }

    fn set_usable(&self, state: State, out_until: i64, now: UnixMs) {
        let mut standing = self.lock();
        *standing = Standing {
            state,
            since: now,
            streak: 0,
            checked: standing.checked,
        };
        self.trial_until.store(0, Ordering::Release);
        self.out_until.store(out_until, Ordering::Release);
    }

    /// It does not, for as long as `pause` says, which is told how often in a row this has happened before.
    pub(super) fn set_aside(
        &self,
        reason: &'static str,
        pause: impl FnOnce(u32) -> Duration,
        now: UnixMs,
    ) -> UnixMs {
        let mut standing = self.lock();
        let until = now + pause(standing.streak);
        *standing = Standing {
            state: State::SetAside { until, reason },
            since: now,
            streak: standing.streak.saturating_add(1),
            checked: standing.checked,
        };
        self.trial_until.store(0, Ordering::Release);
        let out_until = match self.trust {
            Trust::Given => until.0.max(1),
            Trust::Earned => HELD_BACK,
        };
        self.out_until.store(out_until, Ordering::Release);
        self.generation.fetch_add(1, Ordering::AcqRel);
        until
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trust {
    /// What is in `out_until` before anything is known.
    fn untested(self) -> i64 {
        match self {
            Self::Given => UNTESTED,
            Self::Earned => HELD_BACK,
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.name)
    }
}

/// The same for the same proxy in every run, so that keys keep to theirs over a restart. Proxies that differ in their
/// credentials alone are different ones: many services choose the address that one leaves by from the user name.
pub(super) fn seed(url: &ProxyUrl) -> u64 {
    let shown = url.credentials().map(|Credentials { user, password }| {
        let (user, password) = (user.expose(), password.expose());
        Secret::new(format!("\0{user}\0{password}"))
    });
    let shown = shown.as_ref().map_or("", Secret::expose);
    let whole = Secret::new(format!("{}{shown}", url.name()));
    whole.fingerprint().number()
}
