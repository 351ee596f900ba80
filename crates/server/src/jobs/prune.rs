//! Deletes what is too old, in small steps, so that requests never wait behind a large delete.

use std::sync::Arc;
use std::time::Duration;

use domain::RequestId;

use crate::app::App;

const AT_ONCE: u64 = 1_000;
const BETWEEN: Duration = Duration::from_millis(50);

pub(super) async fn run(app: Arc<App>) {
    loop {
        let every = app.snapshot.load().config.logs.prune_interval;
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = app.tasks.stopping() => return,
        }
        let now = app.clock.now();
        app.uploads.forget_expired(now);
        if let Err(error) = app.store.delete_expired_uploads(now).await {
            tracing::warn!(%error, "expired uploads could not be deleted");
        }
        prune_records(&app).await;
    }
}

async fn prune_records(app: &App) {
    let oldest = app.clock.now() - app.snapshot.load().config.logs.retention;
    loop {
        match app
            .store
            .delete_records_before(RequestId::first_at(oldest), AT_ONCE)
            .await
        {
            Ok(deleted) if deleted == AT_ONCE && !app.tasks.are_stopping() => {
                tokio::time::sleep(BETWEEN).await;
            }
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "old request records could not be deleted");
                return;
            }
        }
    }
}
