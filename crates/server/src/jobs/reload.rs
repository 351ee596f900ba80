//! Takes over keys and client keys that were changed elsewhere: by the command line, or by another instance.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::boot;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(app: Arc<App>, mut known: i64) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = app.tasks.stopping() => return,
        }
        let Ok(revision) = app.store.revision().await else {
            continue;
        };
        if known == revision {
            continue;
        }
        match boot::reload(&app).await {
            Ok(()) => known = revision,
            Err(error) => tracing::error!(%error, "changed keys could not be read; trying on"),
        }
    }
}
