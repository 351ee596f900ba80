//! Checks of keys: which are due (`keypool`'s schedules, one for each provider), how many at once (`slots.rs`), how fast
//! (`pace.rs`), and one of them from its calls to what it changes (`run.rs`). `jobs/check_keys.rs` makes those that are
//! due; operators make others by hand. Requests never come here: what they prove is read out of their records.

mod board;
mod pace;
mod run;
mod slots;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::Config;
use domain::{CheckResult, Class, KeyCheck, KeyHealth, KeyId, RequestRecord, UnixMs};
use keypool::{CheckRow, CheckRules, Due, ModelChecks};
use store::StoreError;
use tokio::sync::Notify;

pub(crate) use pace::Pace;
pub(crate) use run::{Outcome, by_hand, due};
pub(crate) use slots::{Slot, Slots};

use crate::app::App;
use crate::snapshot::Snapshot;
use board::{Answered, Board};

/// Rows of a page that is read after the start.
const PAGE: u64 = 2000;

/// All checks.
///
/// A mutex around all of it: jobs and operators look here, requests do not. It is held for microseconds, and for
/// milliseconds while a list of hundreds of thousands is made.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    boards: Mutex<BTreeMap<Arc<str>, Board>>,
    pub(crate) slots: Slots,
    settings: Notify,
}

/// How a model fares with the keys of a provider.
#[derive(Clone, Debug)]
pub(crate) struct CheckedModel {
    pub(crate) checks: ModelChecks,
    /// The configuration names it.
    pub(crate) is_listed: bool,
}

/// A model that a provider's keys are checked with no more.
pub(crate) type Left = (Arc<str>, Arc<str>);

impl Checks {
    /// Follows keys, models and settings. Gives the models that are checked no more.
    pub(crate) fn follow(&self, snapshot: &Snapshot, now: UnixMs) -> Vec<Left> {
        let rules = rules(&snapshot.config);
        let within = snapshot.config.health_checks.interval;
        let mut boards = self.lock();
        boards.retain(|name, _| snapshot.provider(name).is_some());
        let mut left = Vec::new();
        for provider in snapshot.providers.iter() {
            let Some(settings) = snapshot.config.providers.get(&*provider.name) else {
                continue;
            };
            let board = boards
                .entry(provider.name.clone())
                .or_insert_with(|| Board::new(rules));
            board.schedule.set_rules(rules);
            let gone = board.follow(&provider.pools, &settings.health_check, within, now);
            left.extend(gone.into_iter().map(|model| (provider.name.clone(), model)));
        }
        left
    }

    /// Whether a provider's keys are checked with that model.
    pub(crate) fn holds(&self, provider: &str, model: &str) -> bool {
        self.lock()
            .get(provider)
            .is_some_and(|board| board.holds(model))
    }

    /// Settings may have changed: whoever makes checks looks at once.
    pub(crate) fn settings_changed(&self) {
        self.settings.notify_one();
    }

    /// Ends when settings may have changed.
    pub(crate) async fn changed_settings(&self) {
        self.settings.notified().await;
    }

    /// The next check that is due. Providers take turns: `after` is the one that was asked last. One that does not answer
    /// is asked one thing at a time, so that it does not hold the places of others.
    pub(crate) fn take(
        &self,
        after: &str,
        under_way: impl Fn(&str) -> usize,
        most: u32,
        now: UnixMs,
    ) -> Option<(Arc<str>, Due)> {
        let mut boards = self.lock();
        let names: Vec<Arc<str>> = boards.keys().cloned().collect();
        let (first, last) = names.split_at(names.partition_point(|name| **name <= *after));
        last.iter().chain(first).find_map(|name| {
            let board = boards.get_mut(name)?;
            if board.is_silent() && under_way(name) > 0 {
                return None;
            }
            Some((name.clone(), board.schedule.take(most, now)?))
        })
    }

    /// Checks that were under way are due again.
    pub(crate) fn give_up(&self) {
        self.lock()
            .values_mut()
            .for_each(|board| board.schedule.give_up());
    }

    /// Checks that are due, by provider.
    pub(crate) fn backlog(&self, now: UnixMs) -> Vec<(Arc<str>, usize)> {
        let mut boards = self.lock();
        let due = boards
            .iter_mut()
            .map(|(name, board)| (name.clone(), board.schedule.backlog(now)));
        due.collect()
    }

    /// What callers' requests have proved: their answers are as good as checks.
    pub(crate) fn learn(&self, records: &[RequestRecord]) {
        let mut boards = self.lock();
        for record in records {
            let (Some(provider), Some(model)) = (&record.provider, &record.model) else {
                continue;
            };
            let last = record.attempts.last();
            let good = last.filter(|attempt| attempt.outcome.class == Class::Ok);
            let Some((key, attempt)) = good.and_then(|attempt| Some((attempt.key?, attempt)))
            else {
                continue;
            };
            if let Some(board) = boards.get_mut(provider) {
                board.answered(&Answered {
                    key,
                    model: model.clone(),
                    latency_ms: u32::try_from(attempt.latency_us / 1000).unwrap_or(u32::MAX),
                    at: record.id.time() + Duration::from_micros(record.latency_us),
                });
            }
        }
    }

    /// A key's standing has changed.
    pub(crate) fn stands(&self, provider: &str, key: KeyId, health: &KeyHealth, now: UnixMs) {
        if let Some(board) = self.lock().get_mut(provider) {
            board.schedule.stands(key, health, now);
        }
    }

    /// What was found since the last call, to be saved.
    pub(crate) fn take_unsaved(&self) -> Vec<KeyCheck> {
        let mut boards = self.lock();
        let unsaved = boards
            .values_mut()
            .flat_map(|board| board.schedule.take_unsaved());
        unsaved.collect()
    }

    /// The last check of a key with each model.
    pub(crate) fn of_key(&self, provider: &str, key: KeyId) -> Vec<CheckRow> {
        let boards = self.lock();
        let board = boards.get(provider);
        board.map_or_else(Vec::new, |board| board.schedule.rows_of(key).collect())
    }

    /// The last check of each key of a provider with each model, of those that are wanted.
    pub(crate) fn of_provider(
        &self,
        provider: &str,
        is_wanted: impl Fn(&CheckRow) -> bool,
    ) -> Vec<CheckRow> {
        let boards = self.lock();
        let rows = boards.get(provider).into_iter();
        rows.flat_map(|board| board.schedule.rows())
            .filter(is_wanted)
            .collect()
    }

    /// How the models fare that a provider's keys are checked with.
    pub(crate) fn models(&self, provider: &str) -> Vec<CheckedModel> {
        let boards = self.lock();
        let Some(board) = boards.get(provider) else {
            return Vec::new();
        };
        let all = board.schedule.summary().into_iter();
        all.map(|checks| CheckedModel {
            is_listed: board.is_listed(&checks.model),
            checks,
        })
        .collect()
    }

    /// The model that a key is tested with when none is named; empty: the key alone.
    fn usual_model(&self, provider: &str) -> Arc<str> {
        let boards = self.lock();
        let usual = boards.get(provider).and_then(|board| board.usual_model());
        usual.unwrap_or_default().into()
    }

    /// A key has said that a model does not exist: whether others have it. A listed model that nobody has is a mistake
    /// of the configuration's, and told of once.
    fn missed(&self, provider: &str, model: &str) -> bool {
        let missed = self.lock().get_mut(provider).map(|it| it.missed(model));
        let (model_exists, is_news) = missed.unwrap_or_default();
        if is_news {
            tracing::warn!(
                provider,
                model,
                "keys are checked with a model that none of them has; no key is judged by it. \
                 Correct providers.{provider}.health_check"
            );
        }
        model_exists
    }

    fn done(
        &self,
        provider: &str,
        due: &Due,
        result: &CheckResult,
        delay: Option<Duration>,
        health: &KeyHealth,
        now: UnixMs,
    ) {
        if let Some(board) = self.lock().get_mut(provider) {
            board.heard(result);
            if result.class == Class::Ok {
                board.found(&due.model);
            }
            board.schedule.done(due, result, delay, health, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Board>> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what was found before the start: nothing is checked anew because of a restart.
pub(crate) async fn load(app: &App) -> Result<(), StoreError> {
    let checks = &app.checks;
    let snapshot = app.snapshot.load_full();
    let now = app.clock.now();
    checks.follow(&snapshot, now);
    for (provider, model) in app.store.checked_models().await? {
        if let Some(board) = checks.lock().get_mut(&*provider) {
            board.used(&model, now);
        }
    }
    checks.follow(&snapshot, now);
    let mut last = None;
    loop {
        let page = app.store.load_checks(last.as_ref(), PAGE).await?;
        {
            let mut boards = checks.lock();
            for check in &page.checks {
                // A key is one provider's: the others do not know it.
                for board in boards.values_mut() {
                    board.schedule.restore(check);
                }
            }
        }
        match page.last {
            Some(place) => last = Some(place),
            None => break,
        }
    }
    let mut boards = checks.lock();
    boards
        .values_mut()
        .for_each(|board| board.schedule.restored());
    Ok(())
}

/// What checks follow.
pub(crate) fn rules(config: &Config) -> CheckRules {
    let settings = &config.health_checks;
    CheckRules {
        after_ok: settings.after_ok,
        after_403: settings.after_403,
        after_4xx: settings.after_4xx,
        after_5xx: settings.after_5xx,
        recheck_interval: config.pool.recheck_interval,
    }
}
