//! The one clock: wall time that only moves forward, so that a stepped system clock neither frees nor locks a key.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use domain::UnixMs;

/// Wall time as it was at start, plus the time that has passed since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall_at_start: UnixMs,
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            wall_at_start: UnixMs(0) + wall,
            start: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.at(Instant::now())
    }

    /// How long the program has been running.
    pub(crate) fn uptime(&self) -> std::time::Duration {
        self.start.elapsed()
    }

    /// The wall time of an instant that has been read already.
    pub(crate) fn at(&self, instant: Instant) -> UnixMs {
        self.wall_at_start + instant.duration_since(self.start)
    }
}
