//! What operators see of a running program: log lines and metrics. Request records are in `gateway/record.rs`.

mod logging;
mod metrics;
mod turned_away;
mod ways;

pub(crate) use logging::{follow as follow_logs, start as start_logging};
pub(crate) use metrics::Metrics;
pub(crate) use turned_away::AtTheDoor;
