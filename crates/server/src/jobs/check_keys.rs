//! Checks keys when that is due. Checks are polled here, in one task, so that they end at once when they are switched off
//! or the program stops. What a check is, and which is next, is in `checks/`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::app::App;
use crate::checks::{self, Left, Pace};
use crate::snapshot::Snapshot;

/// How often keys, models and settings are followed.
const FOLLOW: Duration = Duration::from_secs(1);
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// Rows that are deleted at once.
const AT_ONCE: u64 = 1000;

pub(super) async fn run(app: Arc<App>) {
    while let Err(error) = checks::load(&app).await {
        tracing::warn!(%error, "earlier checks could not be read; trying on");
        tokio::select! {
            () = tokio::time::sleep(AFTER_FAILURE) => {}
            () = app.tasks.stopping() => return,
        }
    }
    let mut round = Round {
        running: FuturesUnordered::new(),
        under_way: HashMap::new(),
        pace: Pace::default(),
        followed: None,
        asked_last: "".into(),
        left: Vec::new(),
    };
    let mut wake = Instant::now();
    loop {
        let snapshot = app.snapshot.load_full();
        if !snapshot.config.health_checks.enabled && !round.running.is_empty() {
            round.running.clear();
            round.under_way.clear();
            app.checks.give_up();
        }
        tokio::select! {
            biased;
            () = app.tasks.stopping() => return,
            () = app.checks.changed_settings() => {
                round.followed = None;
                wake = Instant::now();
            }
            () = tokio::time::sleep_until(wake) => {
                let lateness = wake.elapsed();
                round.follow(&app, &snapshot).await;
                let lateness = if has_callers(&app) { lateness } else { Duration::ZERO };
                wake = Instant::now() + round.step(&app, &snapshot, lateness);
            }
            Some(provider) = round.running.next() => {
                if let Some(count) = round.under_way.get_mut(&provider) {
                    *count -= 1;
                }
            }
        }
    }
}

/// Whether requests have ended of late: a timer that rings late without any is late because of other programs, and
/// checks harm nobody.
fn has_callers(app: &App) -> bool {
    const OF_LATE: u64 = 5;
    app.pulse.last(OF_LATE, app.clock.now()).requests > 0
}

struct Round {
    /// Each gives its provider when it is over.
    running: FuturesUnordered<BoxFuture<'static, Arc<str>>>,
    under_way: HashMap<Arc<str>, usize>,
    pace: Pace,
    followed: Option<Instant>,
    /// The provider that was asked last.
    asked_last: Arc<str>,
    /// Checks to be deleted: of models that are checked no more.
    left: Vec<Left>,
}

impl Round {
    /// Begins the next check, if there is one. Gives the time to the next step.
    fn step(&mut self, app: &Arc<App>, snapshot: &Snapshot, lateness: Duration) -> Duration {
        let settings = &snapshot.config.health_checks;
        if !settings.enabled {
            return FOLLOW;
        }
        self.begin(app, snapshot);
        let due = app.checks.backlog(app.clock.now());
        let due = due.iter().map(|(_, count)| count).sum();
        self.pace.next(due, settings.interval, lateness)
    }

    fn begin(&mut self, app: &Arc<App>, snapshot: &Snapshot) {
        let settings = &snapshot.config.health_checks;
        let Some(slot) = app.checks.slots.try_take(settings.concurrency) else {
            return;
        };
        let most = settings.max_per_project_per_day;
        let under_way = |name: &str| self.under_way.get(name).copied().unwrap_or_default();
        let now = app.clock.now();
        let taken = app.checks.take(&self.asked_last, under_way, most, now);
        let Some((name, due)) = taken else { return };
        if let Some(provider) = snapshot.provider(&name) {
            *self.under_way.entry(name.clone()).or_default() += 1;
            let check = checks::due(app.clone(), provider.clone(), due, slot);
            let asked = name.clone();
            self.running.push(Box::pin(check.map(|()| asked)));
        }
        self.asked_last = name;
    }

    /// Follows keys, models and settings, once a second.
    async fn follow(&mut self, app: &Arc<App>, snapshot: &Arc<Snapshot>) {
        if self.followed.is_some_and(|at| at.elapsed() < FOLLOW) {
            return;
        }
        self.followed = Some(Instant::now());
        // Where many keys have come or gone that takes milliseconds, which requests must not wait for.
        let (follower, seen) = (app.clone(), snapshot.clone());
        let follow = move || follower.checks.follow(&seen, follower.clock.now());
        let left = tokio::task::spawn_blocking(follow).await;
        self.left.extend(left.unwrap_or_default());
        // One that has come back meanwhile keeps what is known.
        self.left
            .retain(|(provider, model)| !app.checks.holds(provider, model));
        // A step at a time: writers wait shortly, and what the database does not take is tried again.
        let Some((provider, model)) = self.left.last() else {
            return;
        };
        match app.store.forget_checks(provider, model, AT_ONCE).await {
            Ok(AT_ONCE) => {}
            Ok(_) => drop(self.left.pop()),
            Err(error) => {
                tracing::debug!(%error, "checks of a model that is checked no more stay for now");
            }
        }
    }
}
