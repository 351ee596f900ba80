//! Everything that lives as long as the program. Built once by `boot`; what changes is inside its parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use arc_swap::ArcSwap;
use keypool::{RetryBudget, Warmth};
use metering::{Dice, Familiar, Visitors};
use store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{Jobs, Logins};
use crate::catalog::Catalog;
use crate::checks::Checks;
use crate::clock::Clock;
use crate::egress::Proxies;
use crate::events::Events;
use crate::fresh_bans::FreshBans;
use crate::gateway::{Begun, BodySink, RecordSink};
use crate::key_files::KeyFiles;
use crate::live::Live;
use crate::live_sessions::LiveSessions;
use crate::meters::Meters;
use crate::notices::Notices;
use crate::proxy_checks::ProxyChecks;
use crate::proxy_sources::ProxySources;
use crate::pulse::Pulse;
use crate::resources::Resources;
use crate::saver::Saver;
use crate::snapshot::Snapshot;
use crate::telemetry::Metrics;

/// The program's parts.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) clock: Clock,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) live: Live,
    pub(crate) store: Store,
    pub(crate) records: RecordSink,
    pub(crate) notices: Notices,
    pub(crate) bodies: BodySink,
    pub(crate) meters: Meters,
    pub(crate) saver: Saver,
    pub(crate) jobs: Jobs,
    pub(crate) begun: Begun,
    pub(crate) live_sessions: LiveSessions,
    pub(crate) resources: Resources,
    /// What projects have seen of requests.
    pub(crate) warmth: Warmth,
    pub(crate) key_files: KeyFiles,
    pub(crate) catalog: Catalog,
    pub(crate) checks: Checks,
    pub(crate) proxies: Proxies,
    pub(crate) proxy_checks: ProxyChecks,
    pub(crate) proxy_sources: ProxySources,
    pub(crate) retry_budget: RetryBudget,
    pub(crate) logins: Logins,
    /// What addresses ask without a valid client key.
    pub(crate) visitors: Visitors,
    /// Which client keys are at home behind which address.
    pub(crate) familiar: Familiar,
    pub(crate) fresh_bans: FreshBans,
    /// Chance for shedding.
    pub(crate) dice: Dice,
    pub(crate) events: Events,
    pub(crate) pulse: Pulse,
    pub(crate) metrics: Metrics,
    pub(crate) phase: Phase,
    pub(crate) database: DatabaseHealth,
    pub(crate) tasks: Tasks,
    /// The name of the egress that is no proxy, shared by all records.
    pub(crate) direct: Arc<str>,
}

/// Whether the program takes requests.
#[derive(Debug, Default)]
pub(crate) struct Phase(AtomicU8);

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

impl Phase {
    pub(crate) fn ready(&self) {
        self.0.store(READY, Ordering::Release);
    }

    pub(crate) fn draining(&self) {
        self.0.store(DRAINING, Ordering::Release);
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.0.load(Ordering::Acquire) {
            STARTING => "starting",
            READY => "ready",
            _ => "draining",
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.load(Ordering::Acquire) == DRAINING
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire) == READY
    }
}

/// Whether the database answered when it was last used.
#[derive(Debug, Default)]
pub(crate) struct DatabaseHealth(AtomicU8);

impl DatabaseHealth {
    /// Notes how a use of the database ended. Gives true when that has changed.
    pub(crate) fn note(&self, is_well: bool) -> bool {
        let now = u8::from(!is_well);
        self.0.swap(now, Ordering::AcqRel) != now
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.0.load(Ordering::Acquire) == 0 {
            "up"
        } else {
            "down"
        }
    }
}

/// Tasks that shutdown waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task that ends by itself, or soon after [`Tasks::stopping`] says so.
    pub(crate) fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(self.tracker.spawn(task));
    }

    /// Ends when the program is to stop.
    pub(crate) async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the program is to stop.
    pub(crate) fn are_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Tells every task to end, and waits until they have.
    pub(crate) async fn finish(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
