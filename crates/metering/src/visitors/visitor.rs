//! What is kept of one address, and when that is too much.

use std::time::Duration;

use domain::{BudgetPeriod, Fingerprint, UnixMs};

use super::guesses::Guesses;
use super::slots::Slots;
use super::{Visit, VisitorLimits};
use crate::{Gauge, Limit, Refusal, Standing};

const HOUR: Duration = Duration::from_secs(3600);

/// One address.
#[derive(Clone, Debug, Default)]
pub(super) struct Visitor {
    /// What was let in, in slots of a second: sixty and the one that goes on, so that no minute ever has more than it
    /// may; what was let in counts up to a second longer for it.
    minute: Slots<61, 1_000>,
    /// All requests, in slots of a minute: fifty-nine and the one that goes on, so that nobody is banned for what took
    /// longer than an hour.
    hour: Slots<60, 60_000>,
    last: UnixMs,
    guesses: Guesses,
}

impl Visitor {
    pub(super) fn count(&mut self, limits: VisitorLimits, now: UnixMs) -> Visit {
        self.last = self.last.max(now);
        self.hour.slide(self.last);
        self.minute.slide(self.last);
        self.hour.add();
        let requests = self.hour.sum();
        if requests > limits.ban_above_per_hour {
            return Visit::Ban { requests };
        }
        if self.minute.sum() < limits.per_minute {
            self.minute.add();
            return Visit::Within(self.standing(limits, now));
        }
        let free_at = self.minute.is_below_at(limits.per_minute);
        let refusal = Refusal {
            limit: Limit::RequestsPerMinute,
            allowed: u64::from(limits.per_minute),
            retry_after: free_at.map(|at| now.until(at)),
            period: BudgetPeriod::default(),
        };
        Visit::TooMany(refusal, self.standing(limits, now))
    }

    pub(super) fn guessed(&mut self, key: Fingerprint, now: UnixMs) {
        self.last = self.last.max(now);
        self.guesses.add(key, now);
    }

    pub(super) fn is_guessing(&self, now: UnixMs) -> bool {
        self.guesses.are_too_many(now)
    }

    pub(super) fn forget(&mut self) {
        (self.minute, self.hour) = (Slots::default(), Slots::default());
    }

    /// It tells nothing any more.
    pub(super) fn is_idle(&self, now: UnixMs) -> bool {
        self.last.until(now) >= HOUR
    }

    /// How much would be lost with it.
    pub(super) fn weight(&mut self, now: UnixMs) -> (bool, u32, UnixMs) {
        self.hour.slide(now);
        (self.is_guessing(now), self.hour.sum(), self.last)
    }

    fn standing(&self, limits: VisitorLimits, now: UnixMs) -> Standing {
        Standing::of_minute(
            Gauge {
                used: u64::from(self.minute.sum()),
                limit: Some(u64::from(limits.per_minute)),
                resets_at: self.minute.is_below_at(1),
            },
            now,
        )
    }
}
