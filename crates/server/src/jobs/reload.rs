//! Takes over what was changed elsewhere: by the command line, or by another instance.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::live;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(app: Arc<App>) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = app.tasks.stopping() => return,
        }
        let Ok(revision) = app.store.revision().await else {
            continue;
        };
        if revision == app.live.revision() {
            continue;
        }
        match live::reload(&app, revision).await {
            // Another instance may have disabled what is in a file here.
            Ok(()) => app.key_files.look_again(),
            Err(error) => tracing::error!(%error, "changes could not be read; trying on"),
        }
    }
}
