//! How many times something happened in the last slots of time, the one that goes on among them. Amounts leave whole
//! slots at a time; a choice of one more or one less slot makes that late or early.

use domain::UnixMs;

/// Counts of `N` slots of `MS` milliseconds each, without any allocation.
#[derive(Clone, Debug)]
pub(super) struct Slots<const N: usize, const MS: i64> {
    /// The number of the slot that goes on.
    newest: i64,
    counts: [u32; N],
    sum: u32,
}

impl<const N: usize, const MS: i64> Default for Slots<N, MS> {
    fn default() -> Self {
        Self {
            newest: i64::MIN,
            counts: [0; N],
            sum: 0,
        }
    }
}

impl<const N: usize, const MS: i64> Slots<N, MS> {
    /// Forgets what is over. An instant earlier than the latest counts as that one.
    pub(super) fn slide(&mut self, now: UnixMs) {
        let slot = now.0.div_euclid(MS);
        if slot.saturating_sub(self.newest) >= N as i64 {
            *self = Self {
                newest: slot,
                ..Self::default()
            };
        }
        while self.newest < slot {
            self.newest += 1;
            let oldest = &mut self.counts[place::<N>(self.newest)];
            self.sum -= *oldest;
            *oldest = 0;
        }
    }

    /// Counts one, in the slot of the latest [`Slots::slide`].
    pub(super) fn add(&mut self) {
        if self.sum < u32::MAX {
            self.sum += 1;
            self.counts[place::<N>(self.newest)] += 1;
        }
    }

    /// All that counts, as of the latest [`Slots::slide`].
    pub(super) fn sum(&self) -> u32 {
        self.sum
    }

    /// When the sum is below `limit` if nothing is added; none: never.
    pub(super) fn is_below_at(&self, limit: u32) -> Option<UnixMs> {
        let mut left = self.sum;
        let mut slots = (self.newest - N as i64 + 1)..=self.newest;
        slots.find_map(|slot| {
            left -= self.counts[place::<N>(slot)];
            (left < limit).then_some(UnixMs((slot + N as i64) * MS))
        })
    }
}

fn place<const N: usize>(slot: i64) -> usize {
    slot.rem_euclid(N as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One at each of these seconds, in three slots of ten.
    fn counted(at_s: &[i64]) -> Slots<3, 10_000> {
        let mut slots = Slots::default();
        for at in at_s {
            slots.slide(UnixMs(at * 1_000));
            slots.add();
        }
        slots
    }

    #[test]
    fn slots_leave_whole() {
        for (at_s, now_s, expected) in [
            (&[0][..], 29, 1),
            (&[0], 30, 0),
            (&[9], 30, 0),
            (&[0, 9, 10, 25], 29, 4),
            (&[0, 9, 10, 25], 30, 2),
            (&[0, 9, 10, 25], 49, 1),
            (&[0, 9, 10, 25], 50, 0),
            (&[0, 25], 1_000_000, 0),
            // The clock does not go back.
            (&[35], 1, 1),
        ] {
            let mut slots = counted(at_s);
            slots.slide(UnixMs(now_s * 1_000));
            assert_eq!(slots.sum(), expected, "{at_s:?} at {now_s}");
        }
    }

    #[test]
    fn the_sum_is_below_a_limit_when_enough_slots_have_left() {
        let slots = counted(&[0, 1, 12, 25]);
        for (limit, at_s) in [(5, 30), (4, 30), (3, 30), (2, 40), (1, 50)] {
            assert_eq!(
                slots.is_below_at(limit),
                Some(UnixMs(at_s * 1_000)),
                "below {limit}"
            );
        }
        assert_eq!(slots.is_below_at(0), None);
    }
}
