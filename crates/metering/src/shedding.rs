//! Refusing a part of the anonymous callers while few keys are usable, so that the others, and those with a client key,
//! are served. How many keys are usable is the server's to say.

use std::sync::atomic::{AtomicU64, Ordering};

/// From when on it is refused, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shedding {
    /// Below so many usable keys all are refused.
    pub low: usize,
    /// From so many on none is.
    pub high: usize,
}

impl Shedding {
    /// The part of the requests that is refused, 0 to 1: it falls evenly from `low` to `high`.
    pub fn refused_part(self, usable: usize) -> f64 {
        if usable >= self.high {
            return 0.0;
        }
        match usable.checked_sub(self.low) {
            None => 1.0,
            Some(_) => (self.high - usable) as f64 / (self.high - self.low) as f64,
        }
    }

    /// Whether this request is refused.
    pub fn refuses(self, usable: usize, dice: &Dice) -> bool {
        let part = self.refused_part(usable);
        part >= 1.0 || part > 0.0 && dice.roll() < part
    }
}

/// Chance that all requests share, without a lock. Equal seeds give equal rolls.
#[derive(Debug)]
pub struct Dice(AtomicU64);

impl Dice {
    /// Dice that begin at a seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Begins anew, at a seed.
    pub fn restart(&self, seed: u64) {
        self.0.store(seed, Ordering::Relaxed);
    }

    /// A number from 0 up to, but not, 1. Source of the mixing: Steele, Lea, Flood, "Fast splittable pseudorandom number
    /// generators" (2014), `SplitMix64`.
    fn roll(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(low: usize, high: usize, usable: usize, part: f64) {
        let found = Shedding { low, high }.refused_part(usable);
        assert!(
            (found - part).abs() < 1e-12,
            "{usable} of {low}..{high}: {found}"
        );
    }

    #[test]
    fn the_part_falls_evenly_from_all_to_none() {
        for (usable, part) in [
            (0, 1.0),
            (29, 1.0),
            (30, 1.0),
            (35, 0.75),
            (40, 0.5),
            (49, 0.05),
            (50, 0.0),
            (100_000, 0.0),
        ] {
            check(30, 50, usable, part);
        }
    }

    #[test]
    fn where_low_is_high_there_is_nothing_in_between() {
        check(30, 30, 29, 1.0);
        check(30, 30, 30, 0.0);
        check(0, 0, 0, 0.0);
        check(0, 1, 0, 1.0);
    }

    #[test]
    fn as_many_are_refused_as_the_line_says() {
        const ROLLS: usize = 10_000;
        let shedding = Shedding { low: 30, high: 50 };
        for usable in 28..52 {
            let dice = Dice::new(7);
            let refused = (0..ROLLS).filter(|_| shedding.refuses(usable, &dice));
            let expected = shedding.refused_part(usable) * ROLLS as f64;
            // Four standard deviations; the seed is fixed, so this holds always or never.
            let bound = 4.0 * (expected * (1.0 - expected / ROLLS as f64)).sqrt();
            let off = refused.count() as f64 - expected;
            assert!(off.abs() <= bound, "{usable} usable: {off} off");
        }
    }

    #[test]
    fn equal_seeds_roll_alike() {
        let (one, other) = (Dice::new(3), Dice::new(4));
        let rolls = |dice: &Dice| (0..5).map(|_| dice.roll().to_bits()).collect::<Vec<_>>();
        let of_one = rolls(&one);
        assert_ne!(of_one, rolls(&other));
        other.restart(3);
        assert_eq!(of_one, rolls(&other));
    }
}
