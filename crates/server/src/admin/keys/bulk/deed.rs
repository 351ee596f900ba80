//! What is done with many keys, step by step.

use domain::{Action, Class, Event, Key, KeyId};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use super::super::edit::{KeyChange, refuse_fixed};
use super::super::probe::{TestResult, try_key};
use crate::admin::error::ApiError;
use crate::admin::jobs::Job;
use crate::admin::who::Who;
use crate::app::App;
use crate::live::{self, Touched};
use crate::selection;
use crate::snapshot::Snapshot;

/// Keys of one change: each is over soon, so that other changes and requests for keys come in between.
const STEP: usize = 250;

/// What is done.
#[derive(Debug)]
pub(super) enum Deed {
    Delete,
    Reset,
    Test,
    Update(Box<KeyChange>),
}

/// What it came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) done: usize,
    /// Stated by a file or the environment, or gone meanwhile.
    pub(super) skipped: usize,
    works: usize,
    failed: usize,
    is_test: bool,
}

impl Counts {
    pub(super) fn to_json(self) -> Value {
        if self.is_test {
            return json!({"works": self.works, "failed": self.failed});
        }
        json!({"done": self.done, "skipped": self.skipped})
    }
}

impl Deed {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Delete => "bulk_delete",
            Self::Reset => "bulk_reset",
            Self::Test => "bulk_test",
            Self::Update(_) => "bulk_update",
        }
    }

    /// Whether it waits for others.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Self::Test)
    }

    /// Does it for all keys, until it is cancelled.
    pub(super) async fn run(
        &self,
        app: &App,
        who: &Who,
        keys: &[KeyId],
        job: &Job,
        counts: &mut Counts,
    ) -> Result<(), ApiError> {
        for step in keys.chunks(STEP) {
            if job.is_cancelled() || app.tasks.are_stopping() {
                return Ok(());
            }
            if matches!(self, Self::Test) {
                test(app, who, step, job, counts).await?;
                continue;
            }
            self.step(app, who, step, counts).await?;
            job.progress(step.len(), counts.to_json());
        }
        Ok(())
    }

    /// Does it for some keys, as one change.
    pub(super) async fn step(
        &self,
        app: &App,
        who: &Who,
        keys: &[KeyId],
        counts: &mut Counts,
    ) -> Result<(), ApiError> {
        let now = app.clock.now();
        let own = match self {
            Self::Delete => not_fixed(app, keys),
            Self::Update(change) if change.is_more_than_switching() => not_fixed(app, keys),
            _ => keys.to_vec(),
        };
        counts.skipped += keys.len() - own.len();
        if own.is_empty() {
            return Ok(());
        }
        if matches!(self, Self::Reset) {
            for provider in app.snapshot.load().providers.iter() {
                provider.pools.reset(&own, now);
            }
            app.saver.save(app).await?;
            app.store
                .log(&[event(who, Action::Reset, &own, "")], now)
                .await?;
            counts.done += own.len();
            return Ok(());
        }
        let change = app.store.change().await?;
        let mut touched = own.clone();
        let changed = if let Self::Update(set) = self {
            let line = event(who, Action::Update, &own, &set.describe());
            change.log(&line, now).await?;
            change.update_keys(&own, &set.patch()?).await?
        } else {
            let line = event(who, Action::Delete, &own, "");
            change.log(&line, now).await?;
            let keys = known(app, &own);
            let deleted = selection::delete_keys(&app.store, &change, &keys, now).await?;
            touched.extend(deleted.selected);
            deleted.count
        };
        live::publish(app, change, Touched::Keys(touched)).await?;
        counts.done += changed as usize;
        Ok(())
    }
}

/// Keys that no file and no variable states.
fn not_fixed(app: &App, keys: &[KeyId]) -> Vec<KeyId> {
    let known = known(app, keys).into_iter();
    known
        .filter(|key| refuse_fixed(key).is_ok())
        .map(|key| key.id)
        .collect()
}

/// The keys of these ids, as far as they are there.
fn known(app: &App, keys: &[KeyId]) -> Vec<Key> {
    let snapshot = app.snapshot.load();
    let found = keys.iter().filter_map(|id| snapshot.key(*id));
    found.map(|(_, status)| status.cell.key.clone()).collect()
}

/// Tries some keys, a few at the same time.
async fn test(
    app: &App,
    who: &Who,
    keys: &[KeyId],
    job: &Job,
    counts: &mut Counts,
) -> Result<(), ApiError> {
    counts.is_test = true;
    let snapshot = app.snapshot.load_full();
    let at_once = snapshot.config.health_checks.concurrency;
    let ids: Vec<KeyId> = keys.to_vec();
    let tries = stream::iter(ids).map(|id| try_wherever(app, &snapshot, id));
    let mut results = tries.buffer_unordered(at_once);
    loop {
        let result = tokio::select! {
            result = results.next() => result,
            () = job.cancelled() => break,
            () = app.tasks.stopping() => break,
        };
        let Some(result) = result else { break };
        match result {
            Some(result) if result.class == Class::Ok.name() => counts.works += 1,
            Some(_) => counts.failed += 1,
            None => {}
        }
        job.progress(1, counts.to_json());
    }
    app.saver.save(app).await?;
    let event = event(who, Action::Test, keys, "");
    app.store.log(&[event], app.clock.now()).await?;
    Ok(())
}

/// Tries a key in whichever provider's pools it is.
async fn try_wherever(app: &App, snapshot: &Snapshot, id: KeyId) -> Option<TestResult> {
    let (provider, _) = snapshot.key(id)?;
    try_key(app, provider, id).await
}

/// One line for all of them, by their ids.
fn event(who: &Who, action: Action, keys: &[KeyId], details: &str) -> Event {
    let ids: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let which = format!("{} keys ({})", keys.len(), ids.join(", "));
    Event::new(who.name(), action, "keys")
        .of(who.only())
        .details(if details.is_empty() {
            which
        } else {
            format!("{which}: {details}")
        })
}
