//! Log lines, for people or as JSON. Requests that succeed write none: they are in the request log.

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use config::{LogFormat, Logs};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, reload};

type Lines = tracing_subscriber::Registry;

/// What decides which lines are written; set when logging starts.
static FILTER: OnceLock<reload::Handle<EnvFilter, Lines>> = OnceLock::new();
/// Whether lines are JSON.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Follows other settings from now on.
pub(crate) fn follow(logs: &Logs) {
    if let Some(handle) = FILTER.get() {
        let _ = handle.reload(filter(logs));
    }
    set_format(logs);
}

fn set_format(logs: &Logs) {
    IS_JSON.store(logs.format == LogFormat::Json, Ordering::Relaxed);
}

fn filter(logs: &Logs) -> EnvFilter {
    let level = logs.level.name();
    EnvFilter::new(format!("warn,keymux={level},store={level},hyper=error"))
}

/// Starts logging to standard error. `logs.level` is for keymux; libraries log warnings only.
pub(crate) fn start(logs: &Logs) {
    let (filter, handle) = reload::Layer::new(filter(logs));
    let _ = FILTER.set(handle);
    set_format(logs);
    let json = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_filter(dynamic_filter_fn(|_, _| IS_JSON.load(Ordering::Relaxed)));
    let pretty = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_filter(dynamic_filter_fn(|_, _| !IS_JSON.load(Ordering::Relaxed)));
    // A second start happens only in tests, where the first one goes on.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(json)
        .with(pretty)
        .try_init();
}
