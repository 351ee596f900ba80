//! Follows the folders of key files: at once when something happens in one, by a look every few seconds, and every five
//! minutes thoroughly. What that means is in `key_files/`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::key_files::{Beats, Look, Moment};
use crate::live::{self, Touched};

/// How often to look when nothing is heard of.
const LOOK: Duration = Duration::from_secs(5);
/// Looking takes no larger part of the time, however many files there are.
const ONE_PART_OF: u32 = 50;
/// How often everything is compared with the store, and what failed is tried again.
const THOROUGHLY: Duration = Duration::from_secs(300);
/// Changes often come in pairs.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// How often an instance among several gives a sign of life.
const BEAT: Duration = Duration::from_secs(15);

pub(super) async fn run(app: Arc<App>) {
    app.key_files.begin_watching().await;
    let mut turns = Turns::default();
    let mut look = Look::Again;
    loop {
        let began = Instant::now();
        let wait = turns.turn(&app, look).await;
        let at_most = LOOK.max(began.elapsed() * ONE_PART_OF);
        let wait = if app.key_files.has_folders().await {
            wait.min(at_most)
        } else {
            THOROUGHLY
        };
        tokio::select! {
            () = app.key_files.something() => {
                tokio::time::sleep(DEBOUNCE).await;
                look = Look::Settled;
            }
            () = app.key_files.asked() => look = Look::Again,
            () = tokio::time::sleep(wait) => look = Look::Settled,
            () = app.tasks.stopping() => break,
        }
    }
    app.key_files.finish().await;
}

#[derive(Debug, Default)]
struct Turns {
    beats: Beats,
    beaten: Option<Instant>,
    thorough: Option<Instant>,
    has_failed: bool,
}

impl Turns {
    /// Looks, and has keys follow. Says how long to wait at most until the next turn.
    async fn turn(&mut self, app: &App, look: Look) -> Duration {
        let is_due = self
            .thorough
            .is_none_or(|last| last.elapsed() >= THOROUGHLY);
        let look = if is_due || self.is_someone_gone(app).await {
            Look::Again
        } else {
            look
        };
        if look == Look::Again {
            self.thorough = Some(Instant::now());
        }
        match follow(app, look).await {
            Ok(wait) => {
                if std::mem::take(&mut self.has_failed) {
                    tracing::info!("keys follow the key files again");
                }
                wait.unwrap_or(LOOK)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::error!("keys cannot follow the key files: {error:#}; trying on");
                }
                LOOK
            }
        }
    }

    /// Whether another instance is gone; asked from time to time, where there may be others.
    async fn is_someone_gone(&mut self, app: &App) -> bool {
        let Some(place) = app.key_files.place() else {
            return false;
        };
        let is_due = self.beaten.is_none_or(|last| last.elapsed() >= BEAT);
        if !is_due || !app.key_files.has_folders().await {
            return false;
        }
        self.beaten = Some(Instant::now());
        // A database that is away is noticed when it is told of keys.
        self.beats.round(&app.store, place).await.unwrap_or(false)
    }
}

async fn follow(app: &App, look: Look) -> anyhow::Result<Option<Duration>> {
    let moment = Moment::now(look, app.clock.now());
    let wait = app.key_files.look(moment).await?;
    if let Some(statement) = app.key_files.state(&app.store, app.clock.now()).await? {
        let touched = Touched::Keys(statement.touched);
        live::publish(app, statement.change, touched).await?;
        app.key_files.stated(statement.version).await;
    }
    Ok(wait)
}
