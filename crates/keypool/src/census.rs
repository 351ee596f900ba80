//! What can be read out of the ledger: counts, standings, changes to save, and why nothing can be had.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{KeyHealth, KeyId, KeyState, PairId, PairState, UnixMs};

use crate::lane::Lane;
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

/// A key that is in the pool, as far as checks of it have to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key's row.
    pub id: KeyId,
    /// The account that its quota belongs to; none: one of its own.
    pub project: Option<Box<str>>,
    /// It is not switched off.
    pub enabled: bool,
    /// It is cooling or retired.
    pub is_out: bool,
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

/// How the keys of a pool stand for one model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Keys that a request could take now.
    pub usable: usize,
    /// The others, by why: `disabled`, the reason of a retirement, or the class of the refusal that they are cooling for.
    pub out: BTreeMap<&'static str, Out>,
}

/// Keys that are out for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Out {
    /// How many.
    pub keys: usize,
    /// When the first of them may be used again; none: not by itself.
    pub first_back: Option<UnixMs>,
}

/// Why a key is out, and until when.
fn why_out(slot: &Slot, lane: &Lane, now: UnixMs) -> (&'static str, Option<UnixMs>) {
    let pair = lane.pairs.get(&slot.project);
    let pair = pair.and_then(|pair| pair.state.cooling);
    let key = match &slot.state.health {
        _ if !slot.is_on() => return ("disabled", None),
        KeyHealth::Retired { reason, .. } => return (reason.name(), None),
        KeyHealth::Cooling(cooling) => Some(*cooling),
        KeyHealth::Active => None,
    };
    let longest = [key, pair].into_iter().flatten();
    let longest = longest
        .filter(|cooling| cooling.until > now)
        .max_by_key(|cooling| cooling.until);
    longest.map_or(("cooling", None), |cooling| {
        (cooling.class.name(), Some(cooling.until))
    })
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
        self.lane_of(model).usable
    }

    /// How all keys stand for one model. It looks at every key.
    pub(crate) fn outlook(&self, model: &str, now: UnixMs) -> Outlook {
        let lane = self.lane_of(model);
        let mut outlook = Outlook {
            usable: lane.usable,
            ..Outlook::default()
        };
        let slots = self.roster.slots.iter();
        for slot in slots.filter(|slot| !slot.removed && !lane.is_usable(slot)) {
            let (reason, until) = why_out(slot, lane, now);
            let out = outlook.out.entry(reason).or_default();
            out.keys += 1;
            out.first_back = [out.first_back, until].into_iter().flatten().min();
        }
        outlook
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

    pub(crate) fn members(&self) -> Vec<Member> {
        let present = self.roster.slots.iter().filter(|slot| !slot.removed);
        let member = |slot: &Slot| Member {
            id: slot.cell.key.id,
            project: slot.cell.key.project.as_deref().map(Box::from),
            enabled: slot.cell.key.enabled,
            is_out: slot.state.health != KeyHealth::Active,
        };
        present.map(member).collect()
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
