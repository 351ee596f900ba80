//! Reads the lists of proxies of `egress.sources` when they are due, and at once when the settings change.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::proxy_sources::{self, Which};

/// Without lists nothing is due; a change of the settings comes at once.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) async fn run(app: Arc<App>) {
    loop {
        tokio::select! {
            () = proxy_sources::read(&app, Which::Due) => {}
            () = app.tasks.stopping() => return,
        }
        let now = app.clock.now();
        let next = app.proxy_sources.next_at();
        let pause = next.map_or(IDLE, |next| now.until(next));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = app.proxy_sources.changed_settings() => {}
            () = app.tasks.stopping() => return,
        }
    }
}
