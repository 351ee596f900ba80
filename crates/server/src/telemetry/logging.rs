//! Log lines, for people or as JSON. Requests that succeed write none: they are in the request log.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use config::{LogFormat, Logs};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, reload};

type Lines = tracing_subscriber::Registry;

/// What decides which lines are written; set when logging starts.
static FILTER: OnceLock<reload::Handle<EnvFilter, Lines>> = OnceLock::new();

/// Follows another `logs.level` from now on.
pub(crate) fn set_level(logs: &Logs) {
    if let Some(handle) = FILTER.get() {
        let _ = handle.reload(filter(logs));
    }
}

fn filter(logs: &Logs) -> EnvFilter {
    let level = logs.level.name();
    EnvFilter::new(format!("warn,keymux={level},store={level},hyper=error"))
}

/// Starts logging to standard error. `logs.level` is for keymux; libraries log warnings only.
pub(crate) fn start(logs: &Logs) {
    let (filter, handle) = reload::Layer::new(filter(logs));
    let _ = FILTER.set(handle);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match logs.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .boxed(),
        LogFormat::Pretty => lines.with_target(false).boxed(),
    };
    // A second start happens only in tests, where the first one goes on.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
}
