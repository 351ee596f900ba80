//! The stand-in's clock: real time plus what tests skipped. Quota windows are measured with it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A monotonic clock that can be moved forward.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    skipped: Mutex<Duration>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            skipped: Mutex::default(),
        }
    }

    /// Time since the start, the skipped part included.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed() + *self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn skip(&self, by: Duration) {
        *self.skipped.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}
