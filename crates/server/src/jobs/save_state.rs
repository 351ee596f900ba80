//! Saves what the program has learnt, so that a restart knows it. What and how is in `saver.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::saver::Saved;

const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(app: Arc<App>) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        let is_stopping = tokio::select! {
            _ = tick.tick() => false,
            () = app.tasks.stopping() => true,
        };
        match app.saver.save(&app).await {
            // That says nothing of the database.
            Ok(Saved::Nothing) => {}
            Ok(Saved::Something) => {
                if app.database.note(true) {
                    tracing::info!("the database takes state again");
                }
            }
            Err(error) => {
                if app.database.note(false) {
                    tracing::error!(%error, "state cannot be saved; trying on");
                }
            }
        }
        if is_stopping {
            return;
        }
    }
}
