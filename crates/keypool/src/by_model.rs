//! What is known of models, for those who look at a pool: of one key's project, and of all keys together. Nothing is
//! taken here; `ledger.rs` has what is looked at.

use domain::{Class, KeyId, PairState, UnixMs};

use crate::PacificDay;
use crate::breaker::Breaker;
use crate::lane::{Lane, Pair};
use crate::ledger::Ledger;

/// How all keys of a pool stand for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSummary {
    /// The model.
    pub model: String,
    /// Keys that a request for it could take.
    pub usable: usize,
    /// Projects that are cooling for it.
    pub cooling: usize,
    /// The first of them, by when they are free.
    pub earliest: Vec<CoolingPair>,
    /// Requests that the provider has accepted in this Pacific day.
    pub day_requests: u64,
}

impl ModelSummary {
    /// A model that nothing is known of.
    pub fn of(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            usable: 0,
            cooling: 0,
            earliest: Vec::new(),
            day_requests: 0,
        }
    }
}

/// A project that is cooling for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoolingPair {
    /// When it is free.
    pub until: UnixMs,
    /// The project's name.
    pub project: String,
    /// The class of the refusal.
    pub class: Class,
}

/// How the day of a model has gone so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelDay {
    /// The model.
    pub model: String,
    /// Projects that have a key in use.
    pub projects: usize,
    /// Of those that were asked for the model: how many requests were accepted of each, and whether its day is over.
    pub asked: Vec<(u64, bool)>,
    /// Requests that the provider has accepted, of all projects.
    pub requests: u64,
}

impl Ledger {
    /// The models that were used in this day; `is_used_up` says of a pair whether its day is over. It looks at every pair,
    /// and names none.
    pub(crate) fn days(&self, is_used_up: impl Fn(&PairState) -> bool) -> Vec<ModelDay> {
        let may_return = |&slot: &u32| self.roster.slots[slot as usize].may_return();
        let projects = self.roster.projects.iter();
        let in_use: Vec<bool> = projects
            .map(|project| project.slots.iter().any(may_return))
            .collect();
        let projects = in_use.iter().filter(|is_in_use| **is_in_use).count();
        let day = |lane: &Lane| {
            let pairs = lane.pairs.iter().map(|(&project, pair)| {
                let state = pair.counted();
                let is_over = is_used_up(&state);
                (project, u64::from(state.day_requests), is_over)
            });
            let used: Vec<(u32, u64, bool)> = pairs
                .filter(|(_, requests, is_over)| *requests > 0 || *is_over)
                .collect();
            let asked = used
                .iter()
                .filter(|(project, ..)| in_use[*project as usize]);
            (!used.is_empty()).then(|| ModelDay {
                model: lane.model.to_string(),
                projects,
                asked: asked
                    .map(|&(_, requests, is_over)| (requests, is_over))
                    .collect(),
                requests: used.iter().map(|(_, requests, _)| requests).sum(),
            })
        };
        self.named_lanes().filter_map(day).collect()
    }

    /// What is known of a key's project for each model, and what the provider has accepted of it today.
    pub(crate) fn models_of(&self, id: KeyId, now: UnixMs) -> Vec<(String, PairState)> {
        let Some(slot) = self.roster.slot_of(id) else {
            return Vec::new();
        };
        let project = self.roster.slots[slot as usize].project;
        let today = PacificDay::at(now).number;
        let pairs = self.named_lanes().filter_map(|lane| {
            let pair = lane.pairs.get(&project)?;
            let state = PairState {
                day_requests: requests_on(pair, today),
                ..pair.counted()
            };
            Some((lane.model.to_string(), state))
        });
        pairs.collect()
    }

    /// Every model that something is known of; of each, so many cooling projects by name.
    pub(crate) fn models(&self, most_named: usize, now: UnixMs) -> Vec<ModelSummary> {
        let today = PacificDay::at(now).number;
        let summary = |lane: &Lane| {
            let after = (UnixMs(now.0 + 1), 0);
            let named = lane.ends.range(after..).take(most_named);
            ModelSummary {
                model: lane.model.to_string(),
                usable: lane.usable,
                cooling: lane.ends.range(after..).count(),
                earliest: named
                    .filter_map(|&(until, project)| self.cooling_pair(lane, until, project))
                    .collect(),
                day_requests: lane
                    .pairs
                    .values()
                    .map(|pair| u64::from(requests_on(pair, today)))
                    .sum(),
            }
        };
        self.named_lanes().map(summary).collect()
    }

    /// Forgets what speaks against one model: for the project of one key, or for all of them and the model itself. Gives
    /// how many projects were cooling for it.
    pub(crate) fn reset_model(&mut self, model: &str, only: Option<KeyId>, now: UnixMs) -> usize {
        let Some(lane) = self.known_lane(model) else {
            return 0;
        };
        let change = self.next_change();
        let projects: Vec<u32> = if let Some(id) = only {
            let slot = self.roster.slot_of(id);
            let project = slot.map(|slot| self.roster.slots[slot as usize].project);
            project.into_iter().collect()
        } else {
            self.lanes[lane].breaker = Breaker::default();
            self.lanes[lane].breaker_change = change;
            self.lanes[lane].pairs.keys().copied().collect()
        };
        let reset = projects
            .iter()
            .filter(|&&project| self.forget_pair(lane, project, change, now));
        reset.count()
    }

    /// The lanes of models; the first is that of all others together.
    fn named_lanes(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().filter(|lane| !lane.model.is_empty())
    }

    fn cooling_pair(&self, lane: &Lane, until: UnixMs, project: u32) -> Option<CoolingPair> {
        let cooling = lane.pairs.get(&project)?.state.cooling?;
        Some(CoolingPair {
            until,
            project: self.roster.projects[project as usize].name(),
            class: cooling.class,
        })
    }
}

fn requests_on(pair: &Pair, day: i32) -> u32 {
    let state = pair.counted();
    if state.day == day {
        state.day_requests
    } else {
        0
    }
}
