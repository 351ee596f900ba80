//! A set of small integers with rank selection: which tickets are ready.
//! One bit a member, plus a count for each 4,096 bits, so that picking the n-th of 100,000 touches a few cache lines
//! and the set of a whole model costs 13 KB.

const BITS: usize = 64;
const WORDS_PER_BLOCK: usize = 64;

/// A growable set of `usize`.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitTree {
    words: Vec<u64>,
    blocks: Vec<u32>,
    ones: usize,
}

impl BitTree {
    /// Members.
    pub(crate) fn len(&self) -> usize {
        self.ones
    }

    /// Whether `member` is in it.
    pub(crate) fn contains(&self, member: usize) -> bool {
        self.words
            .get(member / BITS)
            .is_some_and(|word| word >> (member % BITS) & 1 == 1)
    }

    /// Adds or removes `member`.
    pub(crate) fn set(&mut self, member: usize, present: bool) {
        let word = member / BITS;
        if word >= self.words.len() {
            if !present {
                return;
            }
            self.words.resize(word + 1, 0);
            self.blocks.resize(word / WORDS_PER_BLOCK + 1, 0);
        }
        let bit = 1u64 << (member % BITS);
        let was = self.words[word] & bit != 0;
        if was == present {
            return;
        }
        self.words[word] ^= bit;
        let block = &mut self.blocks[word / WORDS_PER_BLOCK];
        if present {
            *block += 1;
            self.ones += 1;
        } else {
            *block -= 1;
            self.ones -= 1;
        }
    }

    /// The member with `rank` smaller ones; none when there are not so many.
    pub(crate) fn select(&self, rank: usize) -> Option<usize> {
        if rank >= self.ones {
            return None;
        }
        let mut rest = rank;
        let block = self.blocks.iter().position(|&ones| {
            let inside = rest < ones as usize;
            if !inside {
                rest -= ones as usize;
            }
            inside
        })?;
        let first = block * WORDS_PER_BLOCK;
        for (offset, &word) in self.words[first..].iter().enumerate() {
            let ones = word.count_ones() as usize;
            if rest < ones {
                return Some((first + offset) * BITS + select_in_word(word, rest));
            }
            rest -= ones;
        }
        None
    }

    /// The smallest member that is not below `from`, or else the smallest of all.
    pub(crate) fn next_cyclic(&self, from: usize) -> Option<usize> {
        self.next(from).or_else(|| self.next(0))
    }

    fn next(&self, from: usize) -> Option<usize> {
        let start = from / BITS;
        let first = self.words.get(start)? & (u64::MAX << (from % BITS));
        if first != 0 {
            return Some(start * BITS + first.trailing_zeros() as usize);
        }
        let mut word = start + 1;
        while word < self.words.len() {
            if word.is_multiple_of(WORDS_PER_BLOCK) && self.blocks[word / WORDS_PER_BLOCK] == 0 {
                word += WORDS_PER_BLOCK;
                continue;
            }
            if self.words[word] != 0 {
                return Some(word * BITS + self.words[word].trailing_zeros() as usize);
            }
            word += 1;
        }
        None
    }
}

fn select_in_word(mut word: u64, rank: usize) -> usize {
    for _ in 0..rank {
        word &= word - 1;
    }
    word.trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Several blocks.
    const SPAN: usize = BITS * WORDS_PER_BLOCK * 4;

    proptest! {
        #[test]
        fn behaves_like_a_sorted_set(
            changes in prop::collection::vec((0..SPAN, any::<bool>()), 1..400),
            probe in 0..SPAN,
        ) {
            let (mut tree, mut model) = (BitTree::default(), BTreeSet::new());
            for (member, present) in changes {
                tree.set(member, present);
                if present { model.insert(member); } else { model.remove(&member); }
            }
            prop_assert_eq!(tree.len(), model.len());
            for (rank, &member) in model.iter().enumerate() {
                prop_assert_eq!(tree.select(rank), Some(member));
                prop_assert!(tree.contains(member));
            }
            prop_assert_eq!(tree.select(model.len()), None);
            let next = model.range(probe..).next().or_else(|| model.iter().next());
            prop_assert_eq!(tree.next_cyclic(probe), next.copied());
        }
    }
}
