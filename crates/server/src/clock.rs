//! The one clock: wall time that only moves forward, so that a stepped system clock neither frees nor locks a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::UnixMs;
use jiff::Timestamp;

/// An instant as operators read it: RFC 3339 in UTC.
pub(crate) fn written(time: UnixMs) -> String {
    match Timestamp::from_millisecond(time.0) {
        Ok(time) => format!("{time:.3}"),
        // Later than anything that has a date: what never ends.
        Err(_) => "9999-12-31T23:59:59.999Z".to_owned(),
    }
}

/// Wall time as it was at start, plus the time that has passed since. Clones are the same clock.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    wall_at_start: UnixMs,
    start: Instant,
    /// Time that tests have let pass without waiting for it.
    skipped_ms: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            wall_at_start: UnixMs(0) + wall,
            start: Instant::now(),
            skipped_ms: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.at(Instant::now())
    }

    /// How long the program has been running.
    pub(crate) fn uptime(&self) -> Duration {
        self.start.elapsed()
    }

    /// The wall time of an instant that has been read already.
    pub(crate) fn at(&self, instant: Instant) -> UnixMs {
        let skipped = Duration::from_millis(self.skipped_ms.load(Ordering::Relaxed));
        self.wall_at_start + instant.duration_since(self.start) + skipped
    }

    /// Lets time pass at once. What sleeps goes on sleeping: only those who read this clock see it.
    pub(crate) fn skip(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(0);
        self.skipped_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
