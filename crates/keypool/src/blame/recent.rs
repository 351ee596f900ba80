//! A map that forgets what was not touched for the window, and before that what was touched first when there is too
//! much of it. Both cost a step or two for each touch.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use domain::UnixMs;

use super::WINDOW;

/// What happened lately.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// Every touch, oldest first, with its number.
    touches: VecDeque<(UnixMs, u64, K)>,
    last_touch: u64,
    most: usize,
}

impl<K: Copy + Eq + Hash, V: Default> Recent<K, V> {
    /// With room for so many touches.
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            touches: VecDeque::new(),
            last_touch: 0,
            most,
        }
    }

    /// Touches an entry, made when it is not there.
    pub(super) fn entry(&mut self, key: K, now: UnixMs) -> &mut V {
        while let Some(&(at, ..)) = self.touches.front() {
            if at + WINDOW >= now && self.touches.len() < self.most {
                break;
            }
            self.forget_first();
        }
        self.last_touch += 1;
        self.touches.push_back((now, self.last_touch, key));
        let (touch, value) = self.entries.entry(key).or_default();
        *touch = self.last_touch;
        value
    }

    /// An entry, if it is still there.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    fn forget_first(&mut self) {
        let first = self.touches.pop_front();
        if let Some((_, touch, key)) = first
            && self
                .entries
                .get(&key)
                .is_some_and(|(last, _)| *last == touch)
        {
            self.entries.remove(&key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len().max(self.touches.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> UnixMs {
        UnixMs(0) + Duration::from_secs(seconds)
    }

    #[test]
    fn an_entry_is_there_until_the_window_has_passed_since_its_last_touch() {
        let mut recent = Recent::<u8, u8>::new(100);
        *recent.entry(1, at(0)) = 7;
        recent.entry(1, at(8));
        recent.entry(2, at(18));
        assert_eq!(recent.get_mut(&1), Some(&mut 7));
        recent.entry(2, at(19));
        assert_eq!(recent.get_mut(&1), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut recent = Recent::<u32, u8>::new(10);
        (0..1_000).for_each(|key| {
            recent.entry(key, at(0));
        });
        assert_eq!((recent.len(), recent.get_mut(&0)), (10, None));
        assert!(recent.get_mut(&999).is_some());
    }
}
