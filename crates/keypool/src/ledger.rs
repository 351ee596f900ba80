//! What is behind the pool's lock: the roster, a lane per model, and when something comes due.
//! How a report changes it is in `report.rs`; what can be read out of it in `census.rs`.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{Key, KeyHealth, KeyId, KeyState, PairId, PairState, UnixMs};

use crate::PoolRules;
use crate::lane::Lane;
use crate::roster::Roster;
use crate::timers::{Due, Timers};

/// Models that something can be known of at once. Callers choose model names, so there has to be an end.
const MOST_LANES: usize = 1024;
/// The lane that models have until something is known of them.
const COMMON: usize = 0;
/// How long one request may try a key out before another may.
const PROBE_TIME: Duration = Duration::from_secs(30);

/// What the next save writes: places, read out when it is written.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    pub(crate) slots: Vec<u32>,
    /// Lane and project.
    pub(crate) pairs: Vec<(usize, u32)>,
}

/// All that the pool knows.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) provider: Box<str>,
    pub(crate) rules: PoolRules,
    pub(crate) roster: Roster,
    pub(crate) lanes: Vec<Lane>,
    by_model: HashMap<Box<str>, usize>,
    pub(crate) timers: Timers,
    /// The ends of what keys are cooling for, earliest first.
    pub(crate) key_ends: BTreeSet<(UnixMs, u32)>,
    /// How many changes there have been that can be undone or that stand in the way of undoing.
    changes: u64,
    /// Counts changes of who is in: keys that came, went or were edited.
    pub(crate) edition: u64,
    /// A mutex, because counting an answer holds the pool's lock only for reading; taken once per pair and save.
    unsaved: Mutex<Unsaved>,
}

impl Ledger {
    pub(crate) fn new(provider: &str, rules: PoolRules) -> Self {
        Self {
            provider: provider.into(),
            rules,
            roster: Roster::default(),
            lanes: vec![Lane::default()],
            by_model: HashMap::new(),
            timers: Timers::default(),
            key_ends: BTreeSet::new(),
            changes: 0,
            edition: 0,
            unsaved: Mutex::default(),
        }
    }

    /// The number of the change that is about to be made.
    pub(crate) fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    /// Index of the lane that `model` has for itself.
    pub(crate) fn known_lane(&self, model: &str) -> Option<usize> {
        self.by_model.get(model).copied()
    }

    /// Index of the lane that serves `model`.
    pub(crate) fn lane_index(&self, model: &str) -> usize {
        self.known_lane(model).unwrap_or(COMMON)
    }

    pub(crate) fn lane_of(&self, model: &str) -> &Lane {
        &self.lanes[self.lane_index(model)]
    }

    /// The lane of `model`, made when it has none; none when there are too many.
    pub(crate) fn own_lane(&mut self, model: &str, day: i32, now: UnixMs) -> Option<usize> {
        if let Some(lane) = self.known_lane(model) {
            return Some(lane);
        }
        let lane = Lane::build(model, &self.roster, now);
        let index = if self.lanes.len() < MOST_LANES {
            self.lanes.push(lane);
            self.lanes.len() - 1
        } else {
            let idle =
                (1..self.lanes.len()).find(|&index| self.lanes[index].is_disposable(day, now))?;
            self.by_model.remove(&self.lanes[idle].model);
            self.lanes[idle] = lane;
            idle
        };
        self.by_model.insert(model.into(), index);
        Some(index)
    }

    pub(crate) fn upsert(&mut self, key: Key, state: KeyState, now: UnixMs) {
        if self.roster.has_unchanged(&key) {
            return;
        }
        self.edition += 1;
        if let Some(index) = self.roster.slot_of(key.id) {
            let slot = &self.roster.slots[index as usize];
            self.lanes.iter_mut().for_each(|lane| lane.withdraw(slot));
        }
        let index = self.roster.upsert(key, state);
        self.watch_key(index);
        self.refresh_slot(index, now);
    }

    pub(crate) fn remove(&mut self, id: KeyId, now: UnixMs) {
        if let Some(index) = self.roster.remove(id) {
            self.edition += 1;
            self.refresh_slot(index, now);
        }
    }

    pub(crate) fn reset(&mut self, id: KeyId, now: UnixMs) {
        let Some(index) = self.roster.slot_of(id) else {
            return;
        };
        let change = self.next_change();
        let slot = &mut self.roster.slots[index as usize];
        slot.change = change;
        let has_worked = slot.state.has_worked;
        self.set_key(
            index,
            KeyState {
                has_worked,
                ..KeyState::default()
            },
        );
        let project = self.roster.slots[index as usize].project;
        for lane in 0..self.lanes.len() {
            self.forget_pair(lane, project, change, now);
        }
        self.refresh_slot(index, now);
    }

    /// Forgets what speaks against a pair, if anything is known of it. Gives whether it was cooling.
    pub(crate) fn forget_pair(
        &mut self,
        lane: usize,
        project: u32,
        change: u64,
        now: UnixMs,
    ) -> bool {
        let Some(pair) = self.lanes[lane].pairs.get(&project) else {
            return false;
        };
        let was_cooling = pair
            .state
            .cooling
            .is_some_and(|cooling| cooling.until > now);
        let state = PairState {
            cooling: None,
            day_suspected: false,
            ..pair.counted()
        };
        let pair = self.lanes[lane].set_pair(project, state);
        (pair.avoid_streak, pair.avoid_until) = (0, UnixMs(0));
        pair.change = change;
        self.note_unsaved_pair(lane, project);
        self.lanes[lane].refresh_project(project, &self.roster, now);
        was_cooling
    }

    pub(crate) fn restore_pair(&mut self, id: &PairId, state: PairState, now: UnixMs) {
        let Some(project) = self.roster.project_of(&id.project) else {
            return;
        };
        let is_over = state.cooling.is_none_or(|cooling| cooling.until <= now);
        if is_over && state.day_requests == 0 && !state.day_suspected {
            return;
        }
        let Some(lane) = self.own_lane(&id.model, state.day, now) else {
            return;
        };
        if let Some(cooling) = state.cooling {
            self.timers.add(cooling.probe_at, pair_due(lane, project));
        }
        let change = self.next_change();
        self.lanes[lane].set_pair(project, state).change = change;
        self.lanes[lane].refresh_project(project, &self.roster, now);
    }

    /// Looks at everything whose instant has come.
    pub(crate) fn come_due(&mut self, now: UnixMs) {
        while let Some(due) = self.timers.pop(now) {
            match due {
                Due::Slot(slot) => self.refresh_slot(slot, now),
                Due::Pair { lane, project } => {
                    self.lanes[lane as usize].refresh_project(project, &self.roster, now);
                }
            }
        }
    }

    /// The key, or its pair, is out of cooling, and no answer has shown yet that it works again.
    pub(crate) fn is_half_open(&self, slot: u32, lane: &Lane) -> bool {
        let slot = &self.roster.slots[slot as usize];
        let pair = lane.pairs.get(&slot.project);
        matches!(slot.state.health, KeyHealth::Cooling(_))
            || pair.is_some_and(|pair| pair.state.cooling.is_some())
    }

    /// Until the probe is over, others use the key only as a last resort.
    pub(crate) fn begin_probe(&mut self, slot: u32, model: &str, now: UnixMs) {
        let lane = self.lane_index(model);
        let until = now + PROBE_TIME;
        let held = &mut self.roster.slots[slot as usize];
        held.probing_until = until;
        let project = held.project;
        if let Some(pair) = self.lanes[lane].pairs.get_mut(&project) {
            pair.probing_until = until;
        }
        self.timers.add(until, Due::Slot(slot));
        self.timers.add(until, pair_due(lane, project));
        self.refresh_slot(slot, now);
        self.lanes[lane].refresh_project(project, &self.roster, now);
    }

    pub(crate) fn set_key(&mut self, index: u32, state: KeyState) {
        let slot = &mut self.roster.slots[index as usize];
        if let KeyHealth::Cooling(old) = slot.state.health {
            self.key_ends.remove(&(old.until, index));
        }
        slot.state = state;
        if !slot.unsaved {
            slot.unsaved = true;
            self.unsaved
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .slots
                .push(index);
        }
        self.watch_key(index);
    }

    fn watch_key(&mut self, index: u32) {
        if let KeyHealth::Cooling(cooling) = self.roster.slots[index as usize].state.health {
            self.key_ends.insert((cooling.until, index));
            self.timers.add(cooling.probe_at, Due::Slot(index));
        }
    }

    pub(crate) fn refresh_slot(&mut self, index: u32, now: UnixMs) {
        let slot = &self.roster.slots[index as usize];
        self.lanes
            .iter_mut()
            .for_each(|lane| lane.refresh(slot, now));
    }

    /// The pair's state goes to the next save.
    pub(crate) fn note_unsaved_pair(&self, lane: usize, project: u32) {
        let pair = self.lanes[lane].pairs.get(&project);
        if pair.is_some_and(|pair| !pair.unsaved.swap(true, Ordering::Relaxed)) {
            let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
            unsaved.pairs.push((lane, project));
        }
    }

    /// Hands over what is to be saved.
    pub(crate) fn take_unsaved(&mut self) -> Unsaved {
        std::mem::take(
            self.unsaved
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn pair_id(&self, lane: usize, project: u32) -> PairId {
        PairId {
            provider: self.provider.to_string(),
            project: self.roster.projects[project as usize].name(),
            model: self.lanes[lane].model.to_string(),
        }
    }
}

pub(crate) fn pair_due(lane: usize, project: u32) -> Due {
    Due::Pair {
        lane: lane as u32,
        project,
    }
}
