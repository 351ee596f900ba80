//! Says that a model is overloaded for everyone, so that requests stop trying key after key.
//! Five overloads in thirty seconds with no success between open it; it closes with a success, or after ten seconds.
//! Source of the figures: failover table, class `Overloaded`.

use std::time::Duration;

use domain::UnixMs;

const OVERLOADS: u8 = 5;
const WITHIN: Duration = Duration::from_secs(30);
const OPEN_FOR: Duration = Duration::from_secs(10);

/// Counts overloads of one model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker {
    first: UnixMs,
    count: u8,
    open_until: UnixMs,
}

impl Breaker {
    /// The model answered "overloaded".
    pub(crate) fn overloaded(&mut self, now: UnixMs) {
        if self.first + WITHIN < now {
            self.first = now;
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        if self.count >= OVERLOADS {
            self.open_until = now + OPEN_FOR;
        }
    }

    /// The model answered.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Nothing has been counted since the last answer.
    pub(crate) fn is_quiet(&self) -> bool {
        self.count == 0
    }

    /// Whether trying other keys is useless now.
    pub(crate) fn is_open(&self, now: UnixMs) -> bool {
        now < self.open_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(overloads_at_s: &[u64], now_s: u64) -> bool {
        let mut breaker = Breaker::default();
        for &at in overloads_at_s {
            breaker.overloaded(UnixMs(0) + Duration::from_secs(100 + at));
        }
        breaker.is_open(UnixMs(0) + Duration::from_secs(100 + now_s))
    }

    #[test]
    fn opens_after_five_in_thirty_seconds_for_ten() {
        for (overloads_at_s, now_s, open) in [
            (&[0, 1, 2, 3][..], 4, false),
            (&[0, 1, 2, 3, 4], 5, true),
            (&[0, 1, 2, 3, 4], 14, false),
            (&[0, 10, 20, 30, 40], 41, false),
        ] {
            assert_eq!(
                after(overloads_at_s, now_s),
                open,
                "{overloads_at_s:?} at {now_s}"
            );
        }
    }

    #[test]
    fn an_answer_closes_it() {
        let mut breaker = Breaker::default();
        (0..9).for_each(|_| breaker.overloaded(UnixMs(1_000)));
        breaker.answered();
        assert!(!breaker.is_open(UnixMs(1_000)) && breaker.is_quiet());
    }
}
