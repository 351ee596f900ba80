//! What operators see of a running program: log lines and metrics. Request records are in `gateway/record.rs`.

mod logging;
mod metrics;

pub(crate) use logging::start as start_logging;
pub(crate) use metrics::Metrics;
