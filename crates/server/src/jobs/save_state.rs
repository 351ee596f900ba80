//! Saves what has changed in the pools, and uploads that have begun, so that a restart knows them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{KeyId, KeyState, PairId, PairState};
use store::UploadSession;

use crate::app::App;

const EVERY: Duration = Duration::from_millis(500);

/// What has not been saved yet. It is kept when the database fails, and goes with the next save.
#[derive(Default)]
struct Unsaved {
    keys: HashMap<KeyId, KeyState>,
    pairs: HashMap<PairId, PairState>,
    uploads: Vec<UploadSession>,
}

pub(super) async fn run(app: Arc<App>) {
    let mut unsaved = Unsaved::default();
    let mut tick = tokio::time::interval(EVERY);
    loop {
        let is_stopping = tokio::select! {
            _ = tick.tick() => false,
            () = app.tasks.stopping() => true,
        };
        unsaved.gather(&app);
        unsaved.save(&app).await;
        if is_stopping {
            return;
        }
    }
}

impl Unsaved {
    fn gather(&mut self, app: &App) {
        for provider in app.snapshot.load().providers.iter() {
            let changes = provider.pool.take_changes();
            self.keys.extend(changes.keys);
            self.pairs.extend(changes.pairs);
        }
        self.uploads.extend(app.uploads.take_unsaved());
    }

    async fn save(&mut self, app: &App) {
        let is_stateful = !self.keys.is_empty() || !self.pairs.is_empty();
        if is_stateful {
            let keys: Vec<_> = self.keys.clone().into_iter().collect();
            let pairs: Vec<_> = self.pairs.clone().into_iter().collect();
            let saved = app.store.save_states(&keys, &pairs, app.clock.now()).await;
            if note(app, &saved) {
                self.keys.clear();
                self.pairs.clear();
            }
        }
        if !self.uploads.is_empty() {
            let saved = app.store.save_uploads(&self.uploads).await;
            if note(app, &saved) {
                self.uploads.clear();
            }
        }
    }
}

fn note<E: std::fmt::Display>(app: &App, saved: &Result<(), E>) -> bool {
    let changed = app.database.note(saved.is_ok());
    match saved {
        Ok(()) if changed => tracing::info!("the database takes state again"),
        Err(error) if changed => tracing::error!(%error, "state cannot be saved; trying on"),
        Ok(()) | Err(_) => {}
    }
    saved.is_ok()
}
