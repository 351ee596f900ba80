//! What happened in the last minute, at any instant of it: a sliding window, not one that begins with the clock's minute.
//! Amounts are kept with the instant of the last of them, up to a tenth of a second together, so that they never leave
//! early, and leave late by less than that tenth; what stands alone in its tenth leaves to the millisecond.
//! Slots of whole seconds would let through up to a second's requests more, or hold back a second longer.

use std::collections::VecDeque;
use std::time::Duration;

use domain::UnixMs;

const LENGTH: Duration = Duration::from_secs(60);
/// The span whose amounts are kept together: 601 pairs of numbers at most, for which 16 KiB are set aside.
const GRAIN_MS: i64 = 100;

/// Amounts of the last minute.
///
/// Time is not to step back between calls; the meter sees to that.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// Oldest first.
    grains: VecDeque<Grain>,
    sum: u64,
}

/// Amounts of one tenth of a second.
#[derive(Debug)]
struct Grain {
    last: UnixMs,
    amount: u64,
}

impl Window {
    /// Forgets what is a minute old.
    pub(crate) fn slide(&mut self, now: UnixMs) {
        while let Some(oldest) = self.grains.front()
            && oldest.last.until(now) >= LENGTH
        {
            self.sum -= oldest.amount;
            self.grains.pop_front();
        }
    }

    /// Counts an amount; the sum stops at the largest number.
    pub(crate) fn add(&mut self, amount: u64, now: UnixMs) {
        let amount = amount.min(u64::MAX - self.sum);
        if amount == 0 {
            return;
        }
        self.sum += amount;
        match self.grains.back_mut() {
            Some(newest) if newest.holds(now) => {
                newest.last = now;
                newest.amount += amount;
            }
            _ => self.grains.push_back(Grain { last: now, amount }),
        }
    }

    /// The sum, as of the last call of [`Window::slide`].
    pub(crate) fn used(&self) -> u64 {
        self.sum
    }

    /// When the sum is below `limit` if nothing is added; none: never.
    pub(crate) fn is_below_at(&self, limit: u64) -> Option<UnixMs> {
        let mut left = self.sum;
        let mut leaving = self.grains.iter();
        leaving.find_map(|grain| {
            left -= grain.amount;
            (left < limit).then(|| grain.leaves_at())
        })
    }

    /// When nothing is left if nothing is added; none: nothing is left.
    pub(crate) fn is_empty_at(&self) -> Option<UnixMs> {
        self.grains.back().map(Grain::leaves_at)
    }
}

impl Grain {
    fn leaves_at(&self) -> UnixMs {
        self.last + LENGTH
    }

    fn holds(&self, now: UnixMs) -> bool {
        self.last.0.div_euclid(GRAIN_MS) == now.0.div_euclid(GRAIN_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is used at an instant, after one unit at each of some others, in milliseconds.
    fn used(units_at_ms: &[i64], now_ms: i64) -> u64 {
        let mut window = Window::default();
        for &at in units_at_ms {
            window.slide(UnixMs(at));
            window.add(1, UnixMs(at));
        }
        window.slide(UnixMs(now_ms));
        window.used()
    }

    #[test]
    fn amounts_leave_after_a_minute_to_the_millisecond() {
        for (units_at_ms, now_ms, expected) in [
            (&[7][..], 60_006, 1),
            (&[7], 60_007, 0),
            (&[0, 30_000], 60_000, 1),
            // Across the clock's minute.
            (&[59_900, 60_100], 119_899, 2),
            (&[59_900, 60_100], 119_900, 1),
        ] {
            assert_eq!(used(units_at_ms, now_ms), expected, "at {now_ms}");
        }
    }

    #[test]
    fn amounts_of_one_tenth_of_a_second_leave_with_the_last_of_them() {
        assert_eq!(used(&[0, 99], 60_098), 2);
        assert_eq!(used(&[0, 99], 60_099), 0);
        assert_eq!(used(&[0, 100], 60_000), 1);
    }

    #[test]
    fn the_sum_is_below_a_limit_when_enough_has_left() {
        let mut window = Window::default();
        for (amount, at_s) in [(30, 0), (20, 1), (50, 2)] {
            window.add(amount, UnixMs(at_s * 1_000));
        }
        for (limit, expected_s) in [
            (100, Some(60)),
            (71, Some(60)),
            (70, Some(61)),
            (51, Some(61)),
            (50, Some(62)),
            (1, Some(62)),
            (0, None),
        ] {
            let expected = expected_s.map(|s| UnixMs(s * 1_000));
            assert_eq!(window.is_below_at(limit), expected, "below {limit}");
        }
    }

    #[test]
    fn busy_windows_stay_small() {
        let mut window = Window::default();
        for ms in 0..200_000 {
            window.slide(UnixMs(ms));
            window.add(1, UnixMs(ms));
        }
        assert!(window.grains.len() <= 601, "{}", window.grains.len());
    }

    #[test]
    fn sums_stop_at_the_largest_number() {
        let mut window = Window::default();
        window.add(u64::MAX, UnixMs(0));
        window.add(u64::MAX, UnixMs(1_000));
        assert_eq!(window.used(), u64::MAX);
        window.slide(UnixMs(61_000));
        assert_eq!(window.used(), 0);
    }
}
