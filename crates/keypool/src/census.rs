//! What can be read out of the ledger: counts, standings, changes to save, and why nothing can be had.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{KeyHealth, KeyId, KeyState, PairId, PairState, UnixMs};

use crate::bit_tree::BitTree;
use crate::ledger::Ledger;
use crate::roster::Slot;
use crate::{Exhausted, KeyCell};

/// How many of the earliest ends are compared: one of them is nearly always the very first to come true.
const LOOKED_AT: usize = 16;

/// State that has changed and is to be saved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Of keys.
    pub keys: Vec<(KeyId, KeyState)>,
    /// Of pairs.
    pub pairs: Vec<(PairId, PairState)>,
}

impl Changes {
    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.pairs.is_empty()
    }
}

/// How many keys there are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// All of them.
    pub total: usize,
    /// Usable, for some models at least.
    pub active: usize,
    /// Not to be used before an instant.
    pub cooling: usize,
    /// Retired.
    pub invalid: usize,
    /// Switched off.
    pub disabled: usize,
}

/// How one key stands.
#[derive(Clone, Debug)]
pub struct KeyStatus {
    /// The key's row.
    pub id: KeyId,
    /// The key, and how busy it is.
    pub cell: Arc<KeyCell>,
    /// What is kept of it.
    pub state: KeyState,
    /// Its state is not newer than what was handed out to be saved.
    pub is_saved: bool,
}

impl KeyStatus {
    fn of(slot: &Slot) -> Self {
        Self {
            id: slot.cell.key.id,
            state: slot.state.clone(),
            cell: slot.cell.clone(),
            is_saved: !slot.unsaved,
        }
    }
}

impl Ledger {
    /// What changed, read out for saving.
    pub(crate) fn take_changes(&mut self) -> Changes {
        let unsaved = self.take_unsaved();
        let keys = unsaved.slots.iter().map(|&index| {
            let slot = &mut self.roster.slots[index as usize];
            slot.unsaved = false;
            (slot.cell.key.id, slot.state.clone())
        });
        let keys = keys.collect();
        let pairs = unsaved.pairs.iter().filter_map(|&(lane, project)| {
            let pair = self.lanes[lane].pairs.get(&project)?;
            pair.unsaved.store(false, Ordering::Relaxed);
            Some((self.pair_id(lane, project), pair.counted()))
        });
        Changes {
            keys,
            pairs: pairs.collect(),
        }
    }

    /// Why nothing can be had for `model`.
    pub(crate) fn why_exhausted(&self, model: &str, now: UnixMs) -> Exhausted {
        if !self.roster.slots.iter().any(Slot::is_on) {
            return Exhausted::NoKeys;
        }
        if self.usable(model) > 0 {
            return Exhausted::AllTried;
        }
        let lane = self.lane_of(model);
        let pair = lane.ends.iter().filter_map(|&(until, project)| {
            let slots = self.roster.projects[project as usize].slots.iter();
            let cooling = lane.pairs.get(&project)?.state.cooling?;
            let returning = slots.map(|&slot| &self.roster.slots[slot as usize]);
            // A key may be out for longer than its pair with this model.
            let free_at = returning.filter_map(Slot::returns_at).min()?.max(until);
            (free_at > now).then_some((free_at, cooling.class))
        });
        let key = self.key_ends.iter().filter_map(|&(until, index)| {
            let slot = &self.roster.slots[index as usize];
            let KeyHealth::Cooling(cooling) = slot.state.health else {
                return None;
            };
            let pair = lane
                .pairs
                .get(&slot.project)
                .and_then(|pair| pair.state.cooling);
            let free_at = pair.map_or(until, |pair| pair.until.max(until));
            (slot.is_on() && free_at > now).then_some((free_at, cooling.class))
        });
        match pair.take(LOOKED_AT).chain(key.take(LOOKED_AT)).min() {
            Some((until, class)) => Exhausted::Cooling { until, class },
            None => Exhausted::AllRetired,
        }
    }

    pub(crate) fn usable(&self, model: &str) -> usize {
        let lane = self.lane_of(model);
        lane.ready
            .iter()
            .chain(&lane.fallback)
            .map(BitTree::len)
            .sum()
    }

    pub(crate) fn census(&self, now: UnixMs) -> Census {
        let mut census = Census::default();
        for slot in self.roster.slots.iter().filter(|slot| !slot.removed) {
            census.total += 1;
            *match slot.state.health {
                _ if !slot.is_on() => &mut census.disabled,
                KeyHealth::Retired { .. } => &mut census.invalid,
                KeyHealth::Cooling(cooling) if cooling.until > now => &mut census.cooling,
                KeyHealth::Cooling(_) | KeyHealth::Active => &mut census.active,
            } += 1;
        }
        census
    }

    pub(crate) fn statuses(&self) -> Vec<KeyStatus> {
        let present = self.roster.slots.iter().filter(|slot| !slot.removed);
        present.map(KeyStatus::of).collect()
    }

    pub(crate) fn status(&self, id: KeyId) -> Option<KeyStatus> {
        let slot = self.roster.slot_of(id)?;
        Some(KeyStatus::of(&self.roster.slots[slot as usize]))
    }

    pub(crate) fn pairs(&self) -> Vec<(PairId, PairState)> {
        let all = self.lanes.iter().enumerate().flat_map(|(lane, view)| {
            view.pairs
                .iter()
                .map(move |(&project, pair)| (lane, project, pair.counted()))
        });
        all.map(|(lane, project, state)| (self.pair_id(lane, project), state))
            .collect()
    }
}
