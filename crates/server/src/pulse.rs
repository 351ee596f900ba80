//! How many requests ended in each of the last sixty seconds: what "live" figures are read from. Roll-ups in the store
//! keep what is older.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Class, RequestRecord, UnixMs};

const SECONDS: usize = 60;
/// Besides those that are told, the second that goes on has a counter.
const SLOTS: usize = SECONDS + 1;

/// Two counters a second. Each is an atomic that holds its second in the upper half, so that nobody has to clear it.
#[derive(Debug)]
pub(crate) struct Pulse {
    requests: [AtomicU64; SLOTS],
    failed: [AtomicU64; SLOTS],
}

/// What was counted in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beat {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            requests: std::array::from_fn(|_| AtomicU64::new(0)),
            failed: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Pulse {
    /// A request has ended; one whose caller went away has not failed.
    pub(crate) fn ended(&self, record: &RequestRecord, now: UnixMs) {
        let has_failed = record.error.is_some_and(|class| class != Class::ClientGone);
        self.beat(has_failed, now);
    }

    fn beat(&self, has_failed: bool, now: UnixMs) {
        let second = second_of(now);
        count(&self.requests, second);
        if has_failed {
            count(&self.failed, second);
        }
    }

    /// What was counted in the last `seconds`, 60 at most, the second that goes on not among them.
    pub(crate) fn last(&self, seconds: u64, now: UnixMs) -> Beat {
        let end = second_of(now);
        let begin = end.saturating_sub(seconds.min(SECONDS as u64));
        let sum = |slots: &[AtomicU64; SLOTS]| {
            let counted = slots.iter().map(|slot| slot.load(Ordering::Relaxed));
            let recent = counted.filter(|slot| (begin..end).contains(&(slot >> 32)));
            recent.map(|slot| slot & u64::from(u32::MAX)).sum()
        };
        Beat {
            requests: sum(&self.requests),
            failed: sum(&self.failed),
        }
    }
}

/// Seconds since 1970, as many as fit in half a counter: until 2106.
fn second_of(now: UnixMs) -> u64 {
    u64::try_from(now.0 / 1000).unwrap_or(0) & u64::from(u32::MAX)
}

fn count(slots: &[AtomicU64; SLOTS], second: u64) {
    let slot = &slots[(second % SLOTS as u64) as usize];
    let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
    let _ = slot.fetch_update(set, fetch, |slot| {
        let is_of_now = slot >> 32 == second;
        Some(if is_of_now {
            slot + 1
        } else {
            (second << 32) + 1
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> UnixMs {
        UnixMs((1_795_204_800 + second) * 1000)
    }

    #[test]
    fn the_last_minute_is_counted_and_what_is_older_is_not() {
        let pulse = Pulse::default();
        for second in 0..90 {
            pulse.beat(second % 2 == 0, at(second));
        }
        let all = Beat {
            requests: 60,
            failed: 30,
        };
        assert_eq!(pulse.last(60, at(90)), all);
        assert_eq!(pulse.last(1, at(90)).requests, 1);
        assert_eq!(pulse.last(60, at(149)).requests, 1);
        assert_eq!(pulse.last(60, at(200)), Beat::default());
    }

    #[test]
    fn the_second_that_goes_on_costs_none_of_those_before() {
        let pulse = Pulse::default();
        for second in 0..=90 {
            pulse.beat(false, at(second));
        }
        assert_eq!(pulse.last(60, at(90)).requests, 60);
    }

    #[test]
    fn the_second_that_goes_on_is_not_counted_yet() {
        let pulse = Pulse::default();
        pulse.beat(false, at(5));
        assert_eq!(pulse.last(60, at(5)).requests, 0);
        assert_eq!(pulse.last(60, at(6)).requests, 1);
    }
}
