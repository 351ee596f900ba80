//! Closes connections to providers that have been idle for long, and forgets proxies that only keys named which are gone.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;

const EVERY: Duration = Duration::from_secs(15);

pub(super) async fn run(app: Arc<App>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.tasks.stopping() => return,
        }
        app.proxies.forget_unused(app.clock.now());
        for provider in app.snapshot.load().providers.iter() {
            provider.close_idle();
        }
    }
}
