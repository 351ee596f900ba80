//! By which two egresses something happened last, so that for each egress it is known when it last happened by another.
//! Noted without a lock; threads that note at the same instant may overwrite each other, which the next one mends.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::UnixMs;

use super::{EgressId, WINDOW};

/// An instant takes the lower 40 bits, in which milliseconds repeat after 34 years; the egress those above.
const TIME_BITS: u32 = 40;
const TIME: u64 = (1 << TIME_BITS) - 1;
/// Egresses that are told apart. Two that look alike count as one: that is lenient with both.
const EGRESSES: u64 = (1 << (64 - TIME_BITS)) - 1;
const NOTHING: u64 = u64::MAX;

/// The two egresses, each with its last instant.
#[derive(Debug)]
pub(super) struct LastTwo([AtomicU64; 2]);

impl Default for LastTwo {
    fn default() -> Self {
        Self([const { AtomicU64::new(NOTHING) }; 2])
    }
}

impl LastTwo {
    /// It happened.
    pub(super) fn note(&self, egress: EgressId, now: UnixMs) {
        let entry = pack(egress, now);
        let [first, second] = self.0.each_ref().map(|slot| slot.load(Ordering::Relaxed));
        let place = if is_of(first, egress) {
            0
        } else if is_of(second, egress) {
            1
        } else {
            usize::from(age(first, now) < age(second, now))
        };
        self.0[place].store(entry, Ordering::Relaxed);
    }

    /// Whether it happened by another egress within the window.
    pub(super) fn has_other(&self, egress: EgressId, now: UnixMs) -> bool {
        self.0.iter().any(|slot| {
            let entry = slot.load(Ordering::Relaxed);
            !is_of(entry, egress) && age(entry, now) <= WINDOW.as_millis() as u64
        })
    }
}

fn pack(egress: EgressId, at: UnixMs) -> u64 {
    ((egress.0 % EGRESSES) << TIME_BITS) | (at.0 as u64 & TIME)
}

fn is_of(entry: u64, egress: EgressId) -> bool {
    entry >> TIME_BITS == egress.0 % EGRESSES
}

/// In milliseconds; nothing is as old as can be, and so is what comes from the future.
fn age(entry: u64, now: UnixMs) -> u64 {
    if entry == NOTHING {
        return u64::MAX;
    }
    (now.0 as u64).wrapping_sub(entry) & TIME
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);

    fn at(seconds: i64) -> UnixMs {
        UnixMs(NOW.0 + 1_000 * seconds)
    }

    #[test]
    fn each_of_many_egresses_finds_the_last_one_that_is_another() {
        let last = LastTwo::default();
        assert!(!last.has_other(EgressId(1), NOW));
        for egress in 0..5 {
            last.note(EgressId(egress), at(egress as i64));
        }
        // 4 at second 4, 3 at second 3.
        assert!(last.has_other(EgressId(4), at(13)) && !last.has_other(EgressId(4), at(14)));
        assert!(last.has_other(EgressId(9), at(14)) && !last.has_other(EgressId(9), at(15)));
    }

    #[test]
    fn the_same_egress_again_is_no_other() {
        let last = LastTwo::default();
        (0..9).for_each(|second| last.note(EgressId::DIRECT, at(second)));
        assert!(!last.has_other(EgressId::DIRECT, at(9)) && last.has_other(EgressId(1), at(9)));
    }

    #[test]
    fn a_clock_that_is_set_back_says_nothing_for_a_while() {
        let last = LastTwo::default();
        last.note(EgressId(1), NOW);
        assert!(!last.has_other(EgressId(2), at(-3_600)));
    }
}
