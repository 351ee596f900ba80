//! `keymux serve`.

use std::process::ExitCode;

use config::Config;
use tokio::signal::unix::{SignalKind, signal};

use super::{block_on, complain, say};
use crate::Running;

pub(super) fn run(config: Config) -> anyhow::Result<ExitCode> {
    crate::telemetry::start_logging(&config.logs);
    for warning in &config.warnings {
        complain(&format!("warning: {warning}"));
    }
    block_on(config.server.workers, async {
        let running = crate::start(config).await?;
        say(&running.summary());
        asked_to_stop(&running).await?;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Waits for the signal to stop; reads the configuration again whenever it is told to.
async fn asked_to_stop(running: &Running) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => match running.reload().await {
                Ok(()) => tracing::info!("the configuration was read again"),
                Err(error) => tracing::error!("the configuration stays as it was: {error:#}"),
            },
        }
    }
}
