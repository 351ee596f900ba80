//! Log lines, for people or as JSON. Requests that succeed write none: they are in the request log.

use std::io::IsTerminal as _;

use config::{LogFormat, Logs};
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `logs.level` is for keymux; libraries log warnings only.
pub(crate) fn start(logs: &Logs) {
    let level = logs.level.name();
    let filter = EnvFilter::new(format!("warn,keymux={level},store={level},hyper=error"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start happens only in tests, where the first one goes on.
    let _ = match logs.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
        LogFormat::Pretty => lines.with_target(false).try_init(),
    };
}
