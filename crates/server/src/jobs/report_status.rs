//! Appends a report about the models to `logs.status_file`, for those who read files rather than dashboards: which keys
//! are usable, why others are not, and how many requests there were. How it reads is in `report.rs`; how the file is
//! kept short, in `file.rs`.

mod file;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::UnixMs;
use store::{Dimension, SeriesQuery, Span};

use crate::app::App;
use crate::snapshot::Provider;
use report::{ModelReport, Report, Requests};

/// The time that requests are told of.
const RECENT: Duration = Duration::from_secs(30 * 60);
/// How often it is looked whether it is time: the shortest interval, so that a shorter one holds at once.
const LOOK: Duration = Duration::from_secs(1);
/// Models of one provider that are reported: callers invent names.
const MOST_MODELS: usize = 200;

pub(super) async fn run(app: Arc<App>) {
    let mut reported = Instant::now();
    let mut has_failed = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = app.tasks.stopping() => return,
        }
        let logs = app.snapshot.load().config.logs.clone();
        let is_time = reported.elapsed() >= logs.status_interval;
        let Some(path) = logs.status_file.filter(|_| is_time) else {
            continue;
        };
        reported = Instant::now();
        let file = path.display().to_string();
        let written = tokio::select! {
            written = write(&app, path) => written,
            // A file system that hangs does not keep the program from stopping.
            () = app.tasks.stopping() => return,
        };
        match &written {
            Ok(()) if has_failed => tracing::info!(file, "logs.status_file is written again"),
            Err(error) if !has_failed => {
                tracing::warn!(
                    file,
                    "logs.status_file cannot be written, trying on: {error:#}"
                );
            }
            Ok(()) | Err(_) => {}
        }
        has_failed = written.is_err();
    }
}

async fn write(app: &Arc<App>, path: PathBuf) -> anyhow::Result<()> {
    let now = app.clock.now();
    let requests = requests(app, now).await;
    let app = app.clone();
    // All keys are looked at, and files may be slow.
    let written = tokio::task::spawn_blocking(move || {
        let report = look(&app, requests.as_ref(), now);
        file::append(&path, report.to_string().as_bytes())
    });
    Ok(written.await??)
}

/// What was asked of each model, by provider and model; none: the database does not say.
async fn requests(app: &App, now: UnixMs) -> Option<BTreeMap<(String, String), Requests>> {
    let query = SeriesQuery {
        dimension: Dimension::Model,
        values: None,
        from: now - RECENT,
        to: now,
        span: Span::Minute,
    };
    let totals = app.store.totals(&query, MOST_MODELS as u64).await.ok()?;
    let by_model = totals.into_iter().filter_map(|total| {
        let (provider, model) = total.value.split_once('/')?;
        let requests = Requests {
            all: total.figures.requests,
            failed: total.figures.failed,
        };
        Some(((provider.to_owned(), model.to_owned()), requests))
    });
    Some(by_model.collect())
}

fn look(app: &App, requests: Option<&BTreeMap<(String, String), Requests>>, now: UnixMs) -> Report {
    let snapshot = app.snapshot.load_full();
    let mut models = Vec::new();
    for provider in snapshot.providers.iter() {
        let settings = snapshot.config.providers.get(&*provider.name);
        let asked = requests.into_iter().flat_map(BTreeMap::keys);
        let asked = asked.filter(|(name, _)| **name == *provider.name);
        let mut known: BTreeSet<String> = asked.map(|(_, model)| model.clone()).collect();
        if let Some(settings) = settings {
            let checked = &settings.health_check.model;
            let named = settings.models.iter().chain(&settings.default_model);
            known.extend(named.chain(checked).cloned());
        }
        known.extend(with_state(provider));
        let known = known.into_iter().filter(|model| !model.is_empty());
        models.extend(known.take(MOST_MODELS).map(|model| {
            let pair = (provider.name.to_string(), model);
            let count = |all: &BTreeMap<_, Requests>| all.get(&pair).copied().unwrap_or_default();
            ModelReport {
                keys: provider.pool().outlook(&pair.1, now),
                requests: requests.map(count),
                provider: pair.0,
                model: pair.1,
            }
        }));
    }
    Report { at: now, models }
}

/// Models of which the pool knows something.
fn with_state(provider: &Provider) -> BTreeSet<String> {
    let pairs = provider.pool().pairs().into_iter();
    pairs.map(|(pair, _)| pair.model).collect()
}
