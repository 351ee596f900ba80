//! Checks of outbound proxies: whether one leads to a provider, asked with a key that would leave by it. What is asked is
//! `question.rs`; when, and of which proxies, is `jobs/check_proxies.rs`. What a check says of the key counts for nothing:
//! keys are checked in `checks/`.

mod plan;
mod question;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::UnixMs;
use tokio::sync::Notify;

use crate::app::App;
use crate::checks::Slots;
use crate::egress::{Culprit, Egress, EgressFault, Proxies, Proxy, SendError};
pub(crate) use plan::Plan;
use question::Question;

/// After this time the success of one proxy says nothing of the provider any more.
const SAYS_MUCH_FOR: Duration = Duration::from_secs(60);

/// What checks share.
#[derive(Debug, Default)]
pub(crate) struct ProxyChecks {
    pub(crate) slots: Slots,
    /// When a proxy last led to what is asked for, in milliseconds.
    arrived_at: AtomicI64,
    settings: Notify,
}

/// There is nothing that could be asked for through a proxy.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "there is nothing to ask for through a proxy: no provider with a usable key is reached by https, and egress.health_check.url is not set"
)]
pub(crate) struct NothingToAsk;

/// Why a check failed.
#[derive(Clone, Copy, Debug)]
struct Failure {
    /// A short stable code, for example `proxy_unreachable`.
    reason: &'static str,
    /// It may have failed for what is asked for, which cannot be reached or does not answer.
    is_doubtful: bool,
}

/// Checks a proxy because somebody wants to know. It takes its turn with all other checks.
pub(crate) async fn by_hand(app: &App, proxy: &Arc<Proxy>) -> Result<(), NothingToAsk> {
    let most = || app.snapshot.load().config.egress.health_check.concurrency;
    let _slot = app.proxy_checks.slots.take(most).await;
    check(app, proxy).await
}

/// Checks a proxy, and lets it stand as that says.
pub(crate) async fn check(app: &App, proxy: &Arc<Proxy>) -> Result<(), NothingToAsk> {
    let snapshot = app.snapshot.load_full();
    let question = Question::of(&snapshot, proxy, &app.clock).ok_or(NothingToAsk)?;
    let began = Instant::now();
    let patience = snapshot.config.egress.health_check.timeout;
    let egress = Egress::Proxy(proxy.clone());
    let asked = tokio::time::timeout(patience, question.ask(&egress)).await;
    let outcome = asked.unwrap_or(Err(Failure::doubtful("check_timeout")));
    let now = app.clock.now();
    match outcome {
        Ok(()) => {
            app.proxy_checks.arrived_at.store(now.0, Ordering::Relaxed);
            app.proxies.checked(proxy, Ok(began.elapsed()), now);
        }
        Err(failure)
            if failure.is_doubtful && is_trusted(proxy) && !app.proxy_checks.has_arrived(now) =>
        {
            Proxies::checked_in_vain(proxy, failure.reason, now);
        }
        Err(failure) => app.proxies.checked(proxy, Err(failure.reason), now),
    }
    Ok(())
}

/// Whether it is used: one that is not has to show that it works, and nothing is lost while it does not.
fn is_trusted(proxy: &Proxy) -> bool {
    proxy.is_healthy() || !proxy.must_be_checked()
}

impl ProxyChecks {
    /// Settings may have changed: whoever makes checks looks at once.
    pub(crate) fn settings_changed(&self) {
        self.settings.notify_one();
    }

    /// Ends when settings may have changed.
    pub(crate) async fn changed_settings(&self) {
        self.settings.notified().await;
    }

    /// Whether what is asked for has been reached of late: then a proxy that does not reach it is to blame.
    fn has_arrived(&self, now: UnixMs) -> bool {
        let at = UnixMs(self.arrived_at.load(Ordering::Relaxed));
        at + SAYS_MUCH_FOR >= now
    }
}

impl Failure {
    fn certain(reason: &'static str) -> Self {
        Self {
            reason,
            is_doubtful: false,
        }
    }

    fn doubtful(reason: &'static str) -> Self {
        Self {
            reason,
            is_doubtful: true,
        }
    }

    /// What an exchange that came to nothing says of its way.
    fn of(error: &SendError, egress: &Egress) -> Self {
        let fault = EgressFault::of(error, egress);
        let is_certain = fault.is_some_and(|fault| fault.culprit == Culprit::Proxy);
        Self {
            reason: error.reason(),
            is_doubtful: !is_certain,
        }
    }
}
