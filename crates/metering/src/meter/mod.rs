//! How much a client key may do: one meter for each, which lives as long as the program.
//! Limits are an argument, so that an operator's change holds from the next request on; counters stay.
//! Next: `ledger.rs` for what is counted and when it refuses, `window.rs` and `days.rs` for how long it counts.

mod days;
mod ledger;
mod limit;
mod standing;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{ClientLimits, Nanodollars, UnixMs};

pub use days::DayCounts;
use ledger::Ledger;
pub use limit::{Limit, Refusal};
pub use standing::{Allowance, Gauge, Spending, Standing};

/// What one client key has used.
///
/// An instant earlier than the latest that it was told of counts as that latest one: when the clock steps back nothing is
/// freed, and time stands still here until the clock has caught up.
#[derive(Debug, Default)]
pub struct Meter {
    /// A mutex, because checking all limits and counting is one step; held for some hundred nanoseconds, by one client's
    /// requests only.
    ledger: Mutex<Ledger>,
}

impl Meter {
    /// Counts a request and gives it a place when every limit allows it; otherwise counts nothing.
    ///
    /// Tokens and money are known after the answer only: a request is admitted while less than the limit is used, so the
    /// requests that are under way can exceed it.
    pub fn admit(
        self: &Arc<Self>,
        limits: &ClientLimits,
        now: UnixMs,
    ) -> Result<(Permit, Standing), Refusal> {
        let mut ledger = self.lock();
        ledger.advance(now);
        if let Some(refusal) = ledger.refusal(limits, now) {
            return Err(refusal);
        }
        ledger.begin();
        let standing = ledger.standing(limits, now);
        drop(ledger);
        let meter = Arc::clone(self);
        Ok((Permit { meter }, standing))
    }

    /// What is used of each limit.
    pub fn standing(&self, limits: &ClientLimits, now: UnixMs) -> Standing {
        let mut ledger = self.lock();
        ledger.advance(now);
        ledger.standing(limits, now)
    }

    /// Takes in what was saved of earlier days and of today, before the first request; a budget of a month needs all rows
    /// of the month.
    pub fn restore(&self, days: impl IntoIterator<Item = DayCounts>) {
        let mut ledger = self.lock();
        for day in days {
            ledger.restore(day);
        }
    }

    /// The counters of days that have changed since the last call, absolute ones: today's, and yesterday's after midnight.
    ///
    /// Each change is handed over once, so the caller keeps what it could not save.
    pub fn take_unsaved(&self) -> Vec<DayCounts> {
        self.lock().take_unsaved()
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An admitted request's place, which is free again when this is dropped.
#[derive(Debug)]
pub struct Permit {
    meter: Arc<Meter>,
}

impl Permit {
    /// Counts what an answer took. Tokens of an answer of several calls can come one call after the other.
    pub fn settle(&self, tokens: u64, cost: Nanodollars, now: UnixMs) {
        let mut ledger = self.meter.lock();
        ledger.advance(now);
        ledger.settle(tokens, cost);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.meter.lock().end();
    }
}
