//! Whether somebody guesses client keys: a program with a wrong key shows the same one again and again, whoever guesses
//! shows ever new ones.

use std::time::Duration;

use domain::{Fingerprint, UnixMs};

/// Unknown keys within an hour from which on it is guessing: more than all the mistakes of a large office, and far too
/// few to find a key.
const GUESSES: u16 = 1_000;
/// Unknown keys that are recognised when they come again.
const REMEMBERED: usize = 8;
const HOUR: Duration = Duration::from_secs(3600);

/// The unknown keys of one address.
#[derive(Clone, Debug, Default)]
pub(super) struct Guesses {
    since: UnixMs,
    count: u16,
    /// The beginnings of the newest of them, one in each place.
    newest: [u32; REMEMBERED],
}

impl Guesses {
    pub(super) fn add(&mut self, key: Fingerprint, now: UnixMs) {
        if self.is_over(now) {
            *self = Self {
                since: now,
                ..Self::default()
            };
        }
        let [a, b, c, d, ..] = key.0;
        let mark = u32::from_ne_bytes([a, b, c, d]);
        if self.count > 0 && self.newest.contains(&mark) {
            return;
        }
        self.newest[usize::from(self.count) % REMEMBERED] = mark;
        self.count = (self.count + 1).min(GUESSES);
    }

    pub(super) fn are_too_many(&self, now: UnixMs) -> bool {
        self.count >= GUESSES && !self.is_over(now)
    }

    fn is_over(&self, now: UnixMs) -> bool {
        self.since.until(now) >= HOUR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);

    fn fingerprint(key: u64) -> Fingerprint {
        Fingerprint::of(&key.to_le_bytes())
    }

    fn guessed(keys: impl Iterator<Item = u64>) -> Guesses {
        let mut guesses = Guesses::default();
        keys.for_each(|key| guesses.add(fingerprint(key), NOW));
        guesses
    }

    #[test]
    fn a_thousand_unknown_keys_in_an_hour_are_guesses() {
        assert!(!guessed(1..1_000).are_too_many(NOW));
        let guesses = guessed(1..=1_000);
        assert!(guesses.are_too_many(NOW));
        assert!(guesses.are_too_many(NOW + HOUR - Duration::from_secs(1)));
        assert!(!guesses.are_too_many(NOW + HOUR));
    }

    #[test]
    fn the_same_wrong_keys_again_and_again_are_mistakes() {
        assert!(!guessed((1..=8).cycle().take(100_000)).are_too_many(NOW));
        assert!(guessed((1..=9).cycle().take(100_000)).are_too_many(NOW));
    }

    #[test]
    fn the_next_hour_begins_with_none() {
        let mut guesses = guessed(1..=1_000);
        let later = NOW + HOUR;
        (1..1_000).for_each(|key| guesses.add(fingerprint(key), later));
        assert!(!guesses.are_too_many(later));
    }
}
