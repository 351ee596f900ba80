//! What a report has done to keys and pairs, and how exactly that is undone when the egress was to blame for it.
//! Everything that can be undone carries the number of its last change: where it has changed since, nothing is undone.

use std::cmp::Reverse;

use domain::{Cooling, KeyState, PairState, UnixMs};

use crate::breaker::Breaker;
use crate::ledger::Ledger;

/// What a report has done, for [`Pool::forgive`](crate::Pool::forgive). Empty after an answer.
#[derive(Debug, Default)]
pub struct Receipt {
    pub(crate) marks: Vec<Mark>,
}

impl Receipt {
    /// Whether the report has hurt nobody.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

/// One change.
#[derive(Debug)]
pub(crate) struct Mark {
    /// The number of the change before it, and its own.
    before: u64,
    own: u64,
    memory: Memory,
}

/// How it was before.
#[derive(Debug)]
enum Memory {
    Key {
        slot: u32,
        state: KeyState,
        failed_at: UnixMs,
        probing_until: UnixMs,
    },
    Pair {
        model: Box<str>,
        project: u32,
        memory: PairMemory,
    },
    Breaker {
        model: Box<str>,
        breaker: Breaker,
    },
}

/// All of a pair but its day's count, which only grows.
#[derive(Debug)]
struct PairMemory {
    cooling: Option<Cooling>,
    day_suspected: bool,
    failed_at: UnixMs,
    probing_until: UnixMs,
    avoid_until: UnixMs,
    avoid_streak: u8,
}

impl Ledger {
    /// Notes how a key is before it changes, or before what else is said against it goes unheard: what comes later and
    /// would have spoken against it by itself is never undone with what was there first.
    pub(crate) fn mark_key(&mut self, index: u32) -> Mark {
        let own = self.next_change();
        let slot = &mut self.roster.slots[index as usize];
        Mark {
            before: std::mem::replace(&mut slot.change, own),
            own,
            memory: Memory::Key {
                slot: index,
                state: slot.state.clone(),
                failed_at: slot.failed_at,
                probing_until: slot.probing_until,
            },
        }
    }

    /// The same for a pair.
    pub(crate) fn mark_pair(&mut self, lane: usize, project: u32) -> Mark {
        let own = self.next_change();
        let lane = &mut self.lanes[lane];
        let pair = lane.pairs.entry(project).or_default();
        let memory = PairMemory {
            cooling: pair.state.cooling,
            day_suspected: pair.state.day_suspected,
            failed_at: pair.failed_at,
            probing_until: pair.probing_until,
            avoid_until: pair.avoid_until,
            avoid_streak: pair.avoid_streak,
        };
        Mark {
            before: std::mem::replace(&mut pair.change, own),
            own,
            memory: Memory::Pair {
                model: lane.model.clone(),
                project,
                memory,
            },
        }
    }

    /// The same for what is known of a model's capacity.
    pub(crate) fn mark_breaker(&mut self, lane: usize) -> Mark {
        let own = self.next_change();
        let lane = &mut self.lanes[lane];
        Mark {
            before: std::mem::replace(&mut lane.breaker_change, own),
            own,
            memory: Memory::Breaker {
                model: lane.model.clone(),
                breaker: lane.breaker.clone(),
            },
        }
    }

    /// Undoes changes, the last one first.
    pub(crate) fn forgive(&mut self, mut marks: Vec<Mark>, now: UnixMs) {
        marks.sort_unstable_by_key(|mark| Reverse(mark.own));
        for Mark {
            before,
            own,
            memory,
        } in marks
        {
            match memory {
                Memory::Key {
                    slot,
                    state,
                    failed_at,
                    probing_until,
                } => {
                    let known = &mut self.roster.slots[slot as usize];
                    if known.change == own {
                        known.change = before;
                        known.failed_at = failed_at;
                        known.probing_until = known.probing_until.max(probing_until);
                        self.set_key(slot, state);
                        self.refresh_slot(slot, now);
                    }
                }
                Memory::Pair {
                    model,
                    project,
                    memory,
                } => self.forgive_pair(&model, project, [before, own], &memory, now),
                Memory::Breaker { model, breaker } => {
                    let lane = self.known_lane(&model).map(|lane| &mut self.lanes[lane]);
                    if let Some(lane) = lane.filter(|lane| lane.breaker_change == own) {
                        (lane.breaker_change, lane.breaker) = (before, breaker);
                    }
                }
            }
        }
    }

    fn forgive_pair(
        &mut self,
        model: &str,
        project: u32,
        [before, own]: [u64; 2],
        memory: &PairMemory,
        now: UnixMs,
    ) {
        let Some(lane) = self.known_lane(model) else {
            return;
        };
        let pair = self.lanes[lane].pairs.get(&project);
        let Some(pair) = pair.filter(|pair| pair.change == own) else {
            return;
        };
        let state = PairState {
            cooling: memory.cooling,
            day_suspected: memory.day_suspected,
            ..pair.counted()
        };
        // No timer: the one of then is still there, or its instant has come and the pair is looked at now.
        let pair = self.lanes[lane].set_pair(project, state);
        pair.change = before;
        pair.failed_at = memory.failed_at;
        pair.probing_until = pair.probing_until.max(memory.probing_until);
        (pair.avoid_until, pair.avoid_streak) = (memory.avoid_until, memory.avoid_streak);
        self.note_unsaved_pair(lane, project);
        self.lanes[lane].refresh_project(project, &self.roster, now);
    }
}
