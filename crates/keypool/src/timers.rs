//! When something that is out of use comes due. Entries are never taken back: one that has become stale only makes
//! its key or pair be looked at once more.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use domain::UnixMs;

/// What comes due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A slot, in every lane.
    Slot(u32),
    /// A project's keys in one lane.
    Pair {
        /// The lane.
        lane: u32,
        /// The project.
        project: u32,
    },
}

/// Instants at which a standing changes by itself.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(UnixMs, Due)>>,
}

impl Timers {
    /// Looks at `due` when `at` has come.
    pub(crate) fn add(&mut self, at: UnixMs, due: Due) {
        self.heap.push(Reverse((at, due)));
    }

    /// The next one whose instant has come.
    pub(crate) fn pop(&mut self, now: UnixMs) -> Option<Due> {
        if self.next_at() > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, due))| due)
    }

    /// The earliest instant; never, when there is none.
    pub(crate) fn next_at(&self) -> UnixMs {
        self.heap
            .peek()
            .map_or(UnixMs::NEVER, |Reverse((at, _))| *at)
    }
}
