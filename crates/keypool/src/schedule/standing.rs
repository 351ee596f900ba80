//! What is noticed of keys between their checks: a caller's answer proves a key, a failure has it checked sooner, and one
//! that was retired is left alone for long.

use domain::{CheckResult, Class, KeyHealth, KeyId, UnixMs};

use super::column::Column;
use super::entry::{RUNNING, at_or_after, instant};
use super::plan::{self, Planned, Span};
use super::{Existence, Place, Schedule};

impl Schedule {
    /// A caller's request has been answered with the key: as good as a check.
    pub fn answered(&mut self, key: KeyId, model: &str, latency_ms: u32, now: UnixMs) {
        let Some(place) = self.place(key, model) else {
            return;
        };
        self.columns[place.column()].found();
        let fresh = self.rules.after_ok / 4;
        let entry = self.entry(place);
        let is_fresh = entry.works() && instant(entry.last) + fresh > now;
        if is_fresh || entry.is(RUNNING) {
            return;
        }
        let result = CheckResult {
            status: Some(200),
            class: Class::Ok,
            reason: CheckResult::TRAFFIC,
            latency_ms,
        };
        let planned = self.rules.planned(Span::Ok, self.dice.fraction(), now);
        self.note(place, &result, now);
        self.replan(place, planned);
    }

    /// A key's standing has changed, by whatever: its checks follow it.
    pub fn stands(&mut self, key: KeyId, health: &KeyHealth, now: UnixMs) {
        let Some(slot) = self.keys.slot_of(key) else {
            return;
        };
        let row = &mut self.keys.rows[slot];
        let was_out = std::mem::replace(&mut row.is_out, *health != KeyHealth::Active);
        match health {
            KeyHealth::Retired { .. } => self.set_aside(slot, now),
            KeyHealth::Cooling(cooling) if cooling.class == Class::KeyInvalid => {
                self.confirm(slot, cooling.until);
            }
            KeyHealth::Cooling(_) => {
                let jitter = self.dice.fraction();
                let recheck = self.rules.planned(Span::Recheck, jitter, now);
                self.at_latest(
                    slot,
                    Planned {
                        is_urgent: true,
                        ..recheck
                    },
                );
            }
            KeyHealth::Active if was_out => self.back_in_use(slot, now),
            KeyHealth::Active => {}
        }
    }

    fn set_aside(&mut self, slot: usize, now: UnixMs) {
        for column in 0..self.columns.len() {
            let planned = self
                .rules
                .planned(Span::Forbidden, self.dice.fraction(), now);
            self.replan(Place::new(slot, column), planned);
        }
    }

    /// No check before the minute is over, and one then.
    fn confirm(&mut self, slot: usize, until: UnixMs) {
        let planned = plan::confirmation(until, self.dice.fraction());
        for column in 0..self.columns.len() {
            let place = Place::new(slot, column);
            if self.entry(place).next < at_or_after(until) {
                self.replan(place, planned);
            }
        }
        self.at_latest(slot, planned);
    }

    /// One of the key's checks comes no later than that.
    fn at_latest(&mut self, slot: usize, planned: Planned) {
        let latest = at_or_after(planned.at);
        let mut columns = self.columns.iter();
        if columns.any(|column| column.entries[slot].next <= latest) {
            return;
        }
        let keys = self.keys.witnesses();
        let is_there = |column: &Column| column.existence(keys) != Existence::Missing;
        let column = self.columns.iter().position(is_there).unwrap_or(0);
        if column < self.columns.len() {
            self.replan(Place::new(slot, column), planned);
        }
    }

    fn back_in_use(&mut self, slot: usize, now: UnixMs) {
        for column in 0..self.columns.len() {
            let planned = self.rules.planned(Span::Ok, self.dice.fraction(), now);
            let place = Place::new(slot, column);
            let usual = now + self.rules.after_ok;
            if self.entry(place).next > at_or_after(usual) {
                self.replan(place, planned);
            }
        }
    }
}
