//! Deletes what is too old or too much, in small steps, so that requests never wait behind a large delete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Ban, RequestId, UnixMs};
use store::{Span, StoreError};

use crate::app::App;
use crate::figures;
use crate::live::{self, Touched};

const AT_ONCE: u64 = 1_000;
const BETWEEN: Duration = Duration::from_millis(50);
/// How often it is looked whether it is time: the shortest `logs.prune_interval`, so that a shorter one holds at once.
const LOOK: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long the activity log is kept.
const ACTIVITY: u32 = 400;
/// How long it is kept what client keys used in a day: budgets need the month.
const CLIENT_DAYS: u32 = 400;

pub(super) async fn run(app: Arc<App>) {
    let mut pruned = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = app.tasks.stopping() => return,
        }
        if pruned.elapsed() < app.snapshot.load().config.logs.prune_interval {
            continue;
        }
        pruned = Instant::now();
        let now = app.clock.now();
        app.begun.forget_expired(now);
        for (what, pruned) in [
            ("records", records(&app, now).await),
            ("figures", figures(&app, now).await),
            ("records beyond logs.max_size", size(&app).await),
            ("bans", bans(&app, now).await),
            ("other rows", others(&app, now).await),
        ] {
            if let Err(error) = pruned {
                tracing::warn!(%error, what, "what is too old could not be deleted");
            }
        }
    }
}

async fn records(app: &App, now: UnixMs) -> Result<(), StoreError> {
    let oldest = RequestId::first_at(now - app.snapshot.load().config.logs.retention);
    in_steps(app, || app.store.delete_records_before(oldest, AT_ONCE)).await
}

async fn figures(app: &App, now: UnixMs) -> Result<(), StoreError> {
    for span in Span::ALL {
        let oldest = now - figures::kept(span);
        in_steps(app, || {
            app.store.delete_rollups_before(span, oldest, AT_ONCE)
        })
        .await?;
    }
    Ok(())
}

/// The oldest records go until the others are small enough.
async fn size(app: &App) -> Result<(), StoreError> {
    let most = app.snapshot.load().config.logs.max_size.0;
    while app.store.size_bytes().await? > most && !app.tasks.are_stopping() {
        if app.store.delete_oldest_records(AT_ONCE).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(())
}

/// Bans that are over. It is looked for them in memory: nobody is kept from writing when there is none.
async fn bans(app: &App, now: UnixMs) -> Result<(), StoreError> {
    let is_over = |ban: &Ban| !ban.is_in_force(now);
    if !app.snapshot.load().bans.values().any(is_over) {
        return Ok(());
    }
    let change = app.store.change().await?;
    if change.delete_expired_bans(now).await? == 0 {
        return Ok(());
    }
    live::publish(app, change, Touched::Bans).await
}

async fn others(app: &App, now: UnixMs) -> Result<(), StoreError> {
    app.store.delete_expired_uploads(now).await?;
    app.store.delete_expired_sessions(now).await?;
    in_steps(app, || app.store.forget_expired_resources(now, AT_ONCE)).await?;
    let oldest = now - DAY * ACTIVITY;
    in_steps(app, || app.store.delete_activities_before(oldest, AT_ONCE)).await?;
    let day = ((now - DAY * CLIENT_DAYS).0 / DAY.as_millis() as i64) as i32;
    in_steps(app, || app.store.delete_client_days_before(day, AT_ONCE)).await
}

/// Deletes until there is nothing more to delete, with pauses.
async fn in_steps<F: Future<Output = Result<u64, StoreError>>>(
    app: &App,
    step: impl Fn() -> F,
) -> Result<(), StoreError> {
    while step().await? == AT_ONCE && !app.tasks.are_stopping() {
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(())
}
