//! One model's view of the pool: which keys are ready for it, which only as a last resort, and why the others are not.
//! A model gets its own lane when something is first known of it; before that it uses the one of all models.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use domain::{Class, KeyHealth, PairState, UnixMs};

use crate::bit_tree::BitTree;
use crate::breaker::Breaker;
use crate::roster::{Roster, Slot};

/// Whether a key may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It must not.
    Out,
    /// Only when nothing is ready: it failed seconds ago, or another request is trying it out.
    Fallback,
    /// It may.
    Ready,
}

/// What is known of one project's use of one model.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    pub(crate) state: PairState,
    /// Requests accepted today that `state.day_requests` does not count yet.
    pub(crate) newly_answered: AtomicU32,
    pub(crate) failed_at: UnixMs,
    pub(crate) probing_until: UnixMs,
    /// Others are preferred until then: the model had no capacity, or the provider failed.
    pub(crate) avoid_until: UnixMs,
    pub(crate) avoid_streak: u8,
    pub(crate) unsaved: AtomicBool,
    /// The number of its last change.
    pub(crate) change: u64,
}

impl Pair {
    /// The state with everything counted.
    pub(crate) fn counted(&self) -> PairState {
        let newly = self.newly_answered.load(Ordering::Relaxed);
        PairState {
            day_requests: self.state.day_requests + newly,
            ..self.state.clone()
        }
    }

    /// Replaces the state by one that was made from [`Pair::counted`].
    pub(crate) fn set(&mut self, state: PairState) {
        self.state = state;
        *self.newly_answered.get_mut() = 0;
    }

    /// An answer changes nothing but the day's count.
    pub(crate) fn is_plain(&self, day: i32) -> bool {
        self.state.cooling.is_none()
            && !self.state.day_suspected
            && self.state.day == day
            && self.avoid_streak == 0
    }

    fn standing(&self, now: UnixMs) -> Standing {
        match self.state.cooling {
            Some(cooling) if now < cooling.probe_at => Standing::Out,
            Some(_) if now < self.probing_until => Standing::Fallback,
            _ if now < self.avoid_until => Standing::Fallback,
            _ => Standing::Ready,
        }
    }
}

fn key_standing(slot: &Slot, now: UnixMs) -> Standing {
    match slot.state.health {
        _ if !slot.is_on() => Standing::Out,
        KeyHealth::Retired { .. } => Standing::Out,
        KeyHealth::Cooling(cooling) if now < cooling.probe_at => Standing::Out,
        KeyHealth::Cooling(_) if now < slot.probing_until => Standing::Fallback,
        KeyHealth::Cooling(_) | KeyHealth::Active => Standing::Ready,
    }
}

/// The keys as one model sees them, by tier.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) model: Box<str>,
    pub(crate) ready: Vec<BitTree>,
    pub(crate) fallback: Vec<BitTree>,
    /// Keys that are in either; a key may have several tickets.
    pub(crate) usable: usize,
    pub(crate) pairs: HashMap<u32, Pair>,
    /// The ends of what is cooling, earliest first, for `Retry-After`.
    pub(crate) ends: BTreeSet<(UnixMs, u32)>,
    pub(crate) breaker: Breaker,
    /// The number of the breaker's last change.
    pub(crate) breaker_change: u64,
}

impl Lane {
    /// The lane of `model` with nothing known of any pair.
    pub(crate) fn build(model: &str, roster: &Roster, now: UnixMs) -> Self {
        let mut lane = Self {
            model: model.into(),
            ..Self::default()
        };
        for slot in &roster.slots {
            lane.refresh(slot, now);
        }
        lane
    }

    /// Works out anew where a key stands.
    pub(crate) fn refresh(&mut self, slot: &Slot, now: UnixMs) {
        while self.ready.len() <= slot.tier {
            self.ready.push(BitTree::default());
            self.fallback.push(BitTree::default());
        }
        let pair = self
            .pairs
            .get(&slot.project)
            .map_or(Standing::Ready, |pair| pair.standing(now));
        let standing = key_standing(slot, now).min(pair);
        self.usable -= usize::from(self.is_usable(slot));
        self.usable += usize::from(standing != Standing::Out);
        for ticket in slot.tickets.clone() {
            self.ready[slot.tier].set(ticket, standing == Standing::Ready);
            self.fallback[slot.tier].set(ticket, standing == Standing::Fallback);
        }
    }

    /// Whether a request could take the key. All of its tickets stand alike.
    pub(crate) fn is_usable(&self, slot: &Slot) -> bool {
        let trees = [&self.ready, &self.fallback];
        let mut trees = trees.iter().filter_map(|tiers| tiers.get(slot.tier));
        trees.any(|tree| tree.contains(slot.tickets.start))
    }

    /// Whether nothing speaks against taking the key.
    pub(crate) fn is_ready(&self, slot: &Slot) -> bool {
        let ready = self.ready.get(slot.tier);
        ready.is_some_and(|tree| tree.contains(slot.tickets.start))
    }

    /// Takes a slot's tickets out before they change hands.
    pub(crate) fn withdraw(&mut self, slot: &Slot) {
        self.usable -= usize::from(self.is_usable(slot));
        if slot.tier < self.ready.len() {
            for ticket in slot.tickets.clone() {
                self.ready[slot.tier].set(ticket, false);
                self.fallback[slot.tier].set(ticket, false);
            }
        }
    }

    /// Works out anew where every key of a project stands.
    pub(crate) fn refresh_project(&mut self, project: u32, roster: &Roster, now: UnixMs) {
        for &slot in &roster.projects[project as usize].slots {
            self.refresh(&roster.slots[slot as usize], now);
        }
    }

    /// Changes a pair's state, and with it the end that `Retry-After` is read from.
    pub(crate) fn set_pair(&mut self, project: u32, state: PairState) -> &mut Pair {
        let pair = self.pairs.entry(project).or_default();
        if let Some(old) = pair.state.cooling {
            self.ends.remove(&(old.until, project));
        }
        if let Some(new) = state.cooling {
            self.ends.insert((new.until, project));
        }
        pair.set(state);
        pair
    }

    /// Little would be lost with it: no day is counted that is not over, and nothing is cooling but what is only known
    /// not to exist. Callers invent model names, so such lanes must make room for others.
    pub(crate) fn is_disposable(&self, day: i32, now: UnixMs) -> bool {
        self.pairs.values().all(|pair| {
            let is_refused = pair.state.cooling.is_some_and(|cooling| {
                cooling.until > now && cooling.class != Class::ModelUnavailable
            });
            pair.state.day != day && !is_refused
        })
    }
}
