//! What is done with many keys, step by step.

use domain::{Action, Event, Key, KeyId};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use super::super::edit::{KeyChange, refuse_fixed, refuse_stated};
use crate::admin::error::ApiError;
use crate::admin::jobs::Job;
use crate::admin::who::Who;
use crate::app::App;
use crate::checks::{self, Outcome};
use crate::live::{self, Touched};
use crate::selection;
use crate::snapshot::Snapshot;

/// Keys of one change: each is over soon, so that other changes and requests for keys come in between.
const STEP: usize = 250;
/// Ids in one answer: more would make it larger than a browser should be sent.
const MOST_TOLD: usize = 10_000;

/// What is done.
#[derive(Debug)]
pub(super) enum Deed {
    Delete,
    Reset,
    /// With this model, or the usual one.
    Test(Option<String>),
    Update(Box<KeyChange>),
}

/// What it came to.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) done: usize,
    /// Stated by a file or the environment, or gone meanwhile.
    pub(super) skipped: usize,
    /// None: the deed switches nothing.
    switched: Option<Switched>,
    works: usize,
    failed: usize,
    is_test: bool,
}

/// Keys that were switched on or off, as long as they are few enough to be told one by one.
#[derive(Debug, Default)]
pub(super) struct Switched(Vec<i64>);

impl Switched {
    fn extend(&mut self, keys: impl Iterator<Item = KeyId>) {
        let room = (MOST_TOLD + 1).saturating_sub(self.0.len());
        self.0.extend(keys.take(room).map(|key| key.0));
    }

    /// Their ids; none: there are too many.
    fn ids(&self) -> Option<Vec<i64>> {
        (self.0.len() <= MOST_TOLD).then(|| self.0.clone())
    }
}

impl Counts {
    /// How far it is.
    fn so_far(&self) -> Value {
        if self.is_test {
            return json!({"works": self.works, "failed": self.failed});
        }
        json!({"done": self.done, "skipped": self.skipped})
    }

    /// What it came to in the end.
    pub(super) fn to_json(&self) -> Value {
        let mut value = self.so_far();
        if let Some(ids) = self.switched() {
            value["switched"] = json!(ids);
        }
        value
    }

    /// The keys that were switched on or off; none: that was not what was done, or there are too many.
    pub(super) fn switched(&self) -> Option<Vec<i64>> {
        self.switched.as_ref().and_then(Switched::ids)
    }
}

impl Deed {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Delete => "bulk_delete",
            Self::Reset => "bulk_reset",
            Self::Test(_) => "bulk_test",
            Self::Update(_) => "bulk_update",
        }
    }

    /// Whether it waits for others.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Self::Test(_))
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
            if let Self::Test(model) = self {
                test(app, who, step, model.as_deref(), job, counts).await?;
                continue;
            }
            self.step(app, who, step, counts).await?;
            job.progress(step.len(), counts.so_far());
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
            Self::Delete => those_that(refuse_stated, app, keys),
            Self::Update(change) if change.is_more_than_switching() => {
                those_that(refuse_fixed, app, keys)
            }
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
            let patch = set.patch()?;
            if let Some(on) = patch.enabled {
                let before = known(app, &own).into_iter();
                let others = before.filter(|key| key.enabled != on);
                let switched = counts.switched.get_or_insert_default();
                switched.extend(others.map(|key| key.id));
            }
            change.update_keys(&own, &patch).await?
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

/// Keys to which that may be done, whatever states them.
fn those_that(refuse: fn(&Key) -> Result<(), ApiError>, app: &App, keys: &[KeyId]) -> Vec<KeyId> {
    let known = known(app, keys).into_iter();
    known
        .filter(|key| refuse(key).is_ok())
        .map(|key| key.id)
        .collect()
}

/// The keys of these ids, as far as they are there.
fn known(app: &App, keys: &[KeyId]) -> Vec<Key> {
    let snapshot = app.snapshot.load();
    let found = keys.iter().filter_map(|id| snapshot.key(*id));
    found.map(|(_, status)| status.cell.key.clone()).collect()
}

/// Checks some keys, a few at the same time: all jobs together and the schedule share the places that there are.
async fn test(
    app: &App,
    who: &Who,
    keys: &[KeyId],
    model: Option<&str>,
    job: &Job,
    counts: &mut Counts,
) -> Result<(), ApiError> {
    counts.is_test = true;
    let snapshot = app.snapshot.load_full();
    let at_once = snapshot.config.health_checks.concurrency;
    let ids: Vec<KeyId> = keys.to_vec();
    let tries = stream::iter(ids).map(|id| try_wherever(app, &snapshot, id, model));
    let mut results = tries.buffer_unordered(at_once);
    loop {
        let result = tokio::select! {
            result = results.next() => result,
            () = job.cancelled() => break,
            () = app.tasks.stopping() => break,
        };
        let Some(result) = result else { break };
        match result {
            Some(outcome) if outcome.works() => counts.works += 1,
            Some(_) => counts.failed += 1,
            None => {}
        }
        job.progress(1, counts.so_far());
    }
    app.saver.save(app).await?;
    let event = event(who, Action::Test, keys, "");
    app.store.log(&[event], app.clock.now()).await?;
    Ok(())
}

/// Checks a key in whichever provider's pools it is.
async fn try_wherever(
    app: &App,
    snapshot: &Snapshot,
    id: KeyId,
    model: Option<&str>,
) -> Option<Outcome> {
    let (provider, _) = snapshot.key(id)?;
    checks::by_hand(app, provider, id, model).await
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
