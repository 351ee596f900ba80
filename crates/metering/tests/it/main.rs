//! The meter and the counters of addresses as the server uses them: tables, naive models beside them, and threads that race.

#![expect(clippy::unwrap_used, reason = "a test stops where its steps fail")]

mod limits;
mod model;
mod races;
mod restart;
mod visitors;

use std::sync::Arc;
use std::time::Duration;

use domain::{ClientLimits, UnixMs};
use metering::{Meter, Refusal};

/// 2026-11-20T20:00:00Z.
const START: UnixMs = UnixMs(1_795_204_800_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn no_limits() -> ClientLimits {
    ClientLimits::default()
}

/// A request that is over at once.
fn ask(meter: &Arc<Meter>, limits: &ClientLimits, now: UnixMs) -> Result<(), Refusal> {
    meter.admit(limits, now).map(drop)
}

/// How many of a thousand requests at one instant are admitted, each over before the next.
fn admitted(meter: &Arc<Meter>, limits: &ClientLimits, now: UnixMs) -> usize {
    (0..1_000)
        .filter(|_| ask(meter, limits, now).is_ok())
        .count()
}
