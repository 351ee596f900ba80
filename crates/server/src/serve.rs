//! `keymux serve`: boot, listen, work, and come to an end in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::Config;
use domain::{PairId, PairState};
use keypool::KeyStatus;
use store::Store;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::boot::{self, Booted, Made};
use crate::http::{self, Listener};
use crate::snapshot::Provider;
use crate::{jobs, live};

/// A running program, as tests and `keymux serve` hold it.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    app: Arc<App>,
    made: Made,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// Starts the program; it serves as soon as this returns.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    let address = config.server.listen;
    let listener = Listener::bind(address).with_context(|| {
        format!("listen on {address}: is another program there? `server.listen` or PORT chooses another address")
    })?;
    let Booted {
        app,
        records,
        bodies,
        notices,
        made,
    } = boot::boot(config).await?;
    jobs::start(&app, records, bodies, notices);
    let address = listener.address;
    let (stop, stopped) = oneshot::channel();
    app.phase.ready();
    let serving = http::serve(app.clone(), listener, async {
        let _ = stopped.await;
    });
    #[expect(clippy::disallowed_methods, reason = "Running joins it")]
    let serving = tokio::spawn(serving);
    Ok(Running {
        address,
        app,
        made,
        stop,
        serving,
    })
}

impl Running {
    /// What an operator reads at the start.
    pub(crate) fn summary(&self) -> String {
        crate::cli::summary(&self.app, self.address, &self.made)
    }

    /// The client key that was made at first start.
    pub fn made_client_key(&self) -> Option<&str> {
        self.made.client_key.as_ref().map(domain::Secret::expose)
    }

    /// Every key of a provider with how it stands.
    pub fn keys(&self, provider: &str) -> Vec<KeyStatus> {
        self.provider(provider)
            .map(|provider| provider.pools.statuses())
            .unwrap_or_default()
    }

    /// Every (project, model) pair of a provider of which something is known.
    pub fn pairs(&self, provider: &str) -> Vec<(PairId, PairState)> {
        self.provider(provider)
            .map(|provider| provider.pools.pairs())
            .unwrap_or_default()
    }

    /// The store that it works on.
    pub fn store(&self) -> &Store {
        &self.app.store
    }

    fn provider(&self, name: &str) -> Option<Arc<Provider>> {
        self.app.snapshot.load().provider(name).cloned()
    }

    /// Reads the configuration again, as at `SIGHUP`. What is wrong changes nothing.
    pub async fn reload(&self) -> anyhow::Result<()> {
        live::reconfigure(&self.app).await
    }

    /// Lets time pass for everything that reads the clock, at once: for tests of what lasts long.
    pub fn skip(&self, time: Duration) {
        self.app.clock.skip(time);
    }

    /// Begins the chance that shedding is left to anew, at a seed: for tests that count.
    pub fn seed_dice(&self, seed: u64) {
        self.app.dice.restart(seed);
    }

    /// Stops: open requests may finish within `server.shutdown_grace`, then everything is saved.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
        self.app.tasks.finish().await;
        if let Err(error) = self.app.store.clone().close().await {
            tracing::warn!(%error, "the database did not close in order");
        }
    }
}
