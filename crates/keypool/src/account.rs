//! Keys of one project: what belongs to a project can be reached by its keys alone, and what was cached there is worth
//! going back to. A project has few keys, so they are looked at one by one.

use domain::{KeyHealth, UnixMs};

use crate::choose::{Chosen, Eligible};
use crate::lane::Lane;
use crate::ledger::Ledger;
use crate::roster::Slot;
use crate::want::{Exhausted, Want};

impl Ledger {
    /// The key of a project that a request must go to.
    pub(crate) fn choose_within(
        &self,
        project: u32,
        want: &Want<'_>,
        now: UnixMs,
    ) -> Result<(u32, Chosen), Exhausted> {
        let lane = self.lane_of(want.model);
        let slots = &self.roster.projects[project as usize].slots;
        let untried = self.best_of(slots, lane, |slot| !self.is_tried(slot, want));
        let again = || want.again.then(|| self.best_of(slots, lane, |_| true))?;
        match untried.or_else(again) {
            Some(slot) => Ok((slot, self.chosen(slots.len(), Eligible::Bound))),
            None => Err(self.why_exhausted_within(slots, lane, now)),
        }
    }

    /// A ready key of a project that a request had better go to than to `otherwise`, as long as its load is at most so
    /// far ahead of that one's.
    pub(crate) fn choose_preferred(
        &self,
        project: u32,
        otherwise: u32,
        most_ahead: u64,
        want: &Want<'_>,
    ) -> Option<(u32, Chosen)> {
        let lane = self.lane_of(want.model);
        let slots = &self.roster.projects[project as usize].slots;
        let tier = self.roster.slots[otherwise as usize].tier;
        let most = self.roster.scores.of(otherwise).saturating_add(most_ahead);
        let slot = self.best_of(slots, lane, |slot| {
            let held = &self.roster.slots[slot as usize];
            held.tier == tier
                && lane.is_ready(held)
                && self.roster.scores.of(slot) <= most
                && !self.is_tried(slot, want)
        })?;
        Some((slot, self.chosen(slots.len(), Eligible::Preferred)))
    }

    /// Of some keys that can be taken the one that has been given least.
    fn best_of(&self, slots: &[u32], lane: &Lane, is_wanted: impl Fn(u32) -> bool) -> Option<u32> {
        let usable = slots
            .iter()
            .copied()
            .filter(|slot| lane.is_usable(&self.roster.slots[*slot as usize]) && is_wanted(*slot));
        usable.min_by_key(|slot| {
            let is_fallback = !lane.is_ready(&self.roster.slots[*slot as usize]);
            (is_fallback, self.roster.scores.of(*slot))
        })
    }

    fn is_tried(&self, slot: u32, want: &Want<'_>) -> bool {
        want.tried
            .contains(&self.roster.slots[slot as usize].cell.key.id)
    }

    fn chosen(&self, among: usize, why: Eligible) -> Chosen {
        Chosen {
            strategy: self.rules.strategy,
            among: among as u32,
            why,
        }
    }

    fn why_exhausted_within(&self, slots: &[u32], lane: &Lane, now: UnixMs) -> Exhausted {
        let held = || slots.iter().map(|slot| &self.roster.slots[*slot as usize]);
        if !held().any(Slot::is_on) {
            return Exhausted::NoKeys;
        }
        if held().any(|slot| lane.is_usable(slot)) {
            return Exhausted::AllTried;
        }
        let ends = held().filter_map(|slot| {
            let pair = lane.pairs.get(&slot.project);
            let pair = pair.and_then(|pair| pair.state.cooling);
            let own = match slot.state.health {
                KeyHealth::Cooling(cooling) => Some(cooling),
                KeyHealth::Active | KeyHealth::Retired { .. } => None,
            };
            let last = pair
                .into_iter()
                .chain(own)
                .max_by_key(|cooling| cooling.until)?;
            slot.may_return().then_some((last.until, last.class))
        });
        match ends.filter(|(until, _)| *until > now).min() {
            Some((until, class)) => Exhausted::Cooling { until, class },
            None => Exhausted::AllRetired,
        }
    }
}
