//! Which key of a provider is to be checked next, and with which model: a table of small entries (`entry.rs`), one column
//! for each model (`column.rs`), and a heap of when each is due. `plan.rs` says when that is. Who asks and what it
//! means for the key is decided elsewhere; here nothing is asked and no key changes. What is noticed of keys between checks
//! is in `standing.rs`.

mod column;
mod entry;
mod keys;
mod plan;
mod read;
mod standing;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::{CheckResult, Class, KeyCheck, KeyHealth, KeyId, UnixMs};

use crate::Member;
use crate::choose::Chooser;
use column::Column;
pub use column::Existence;
use entry::{Entry, QUEUED, RUNNING, Reasons, UNSAVED, URGENT, at_or_after, at_or_before, instant};
use keys::Keys;
pub use plan::{CheckRules, Planned, Span};
pub use read::{CheckRow, ModelChecks};

/// Models of one provider that keys are checked with.
pub const MOST_MODELS: usize = 32;
const DAY_SECONDS: u32 = 24 * 3600;
/// What is put off to the next day comes within its first hour.
const MORNING: Duration = Duration::from_secs(3600);

/// A check that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The key.
    pub key: KeyId,
    /// The model; empty: the key alone.
    pub model: Arc<str>,
}

/// The checks of one provider's keys.
#[derive(Debug)]
pub struct Schedule {
    rules: CheckRules,
    keys: Keys,
    columns: Vec<Column>,
    reasons: Reasons,
    /// When each is due. What has been planned anew meanwhile is still in here, and passed over when it comes.
    heap: BinaryHeap<Reverse<(u32, Place)>>,
    urgent: VecDeque<Place>,
    ready: VecDeque<Place>,
    unsaved: Vec<Place>,
    dice: Chooser,
}

/// A key's slot and a model's column in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u32);

impl Place {
    fn new(slot: usize, column: usize) -> Self {
        Self((slot * MOST_MODELS + column) as u32)
    }

    fn slot(self) -> usize {
        self.0 as usize / MOST_MODELS
    }

    fn column(self) -> usize {
        self.0 as usize % MOST_MODELS
    }
}

impl Schedule {
    /// An empty schedule. Equal seeds plan alike.
    pub fn new(rules: CheckRules, seed: u64) -> Self {
        Self {
            rules,
            keys: Keys::default(),
            columns: Vec::new(),
            reasons: Reasons::default(),
            heap: BinaryHeap::new(),
            urgent: VecDeque::new(),
            ready: VecDeque::new(),
            unsaved: Vec::new(),
            dice: Chooser::new(seed),
        }
    }

    /// Follows other rules: what was planned by a figure that has changed is planned anew.
    pub fn set_rules(&mut self, rules: CheckRules) {
        if rules == self.rules {
            return;
        }
        let before = std::mem::replace(&mut self.rules, rules);
        for column in &mut self.columns {
            let planned = column.entries.iter_mut().filter(|entry| {
                entry.was_checked() && before.length(entry.span) != rules.length(entry.span)
            });
            for entry in planned {
                let is_urgent = entry.is(URGENT);
                let next = rules.planned(entry.span, self.dice.fraction(), instant(entry.last));
                entry.plan(Planned { is_urgent, ..next });
                // It is saved with its next result: until then a restart goes by the old one.
            }
        }
        self.queue_anew();
    }

    /// Holds exactly these keys, which come in order of their ids. New ones are first checked within `first_within`.
    pub fn set_keys(&mut self, members: Vec<Member>, first_within: Duration, now: UnixMs) {
        let before = std::mem::take(&mut self.keys);
        self.keys = Keys::of(members, &before);
        for column in &mut self.columns {
            let old = std::mem::take(&mut column.entries);
            let entry = |id| match before.slot_of(id) {
                Some(slot) => old[slot],
                None => first(&self.dice, first_within, now),
            };
            column.entries = self.keys.rows.iter().map(|row| entry(row.id)).collect();
        }
        self.queue_anew();
    }

    /// Holds exactly these models, at most [`MOST_MODELS`]. Gives those that it holds no more.
    pub fn set_models(
        &mut self,
        models: &[String],
        first_within: Duration,
        now: UnixMs,
    ) -> Vec<Arc<str>> {
        let known = std::mem::take(&mut self.columns);
        let (mut kept, left): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|column| models.iter().any(|model| *column.model == **model));
        for model in models.iter().take(MOST_MODELS) {
            let place = kept.iter().position(|column| *column.model == **model);
            let column = if let Some(place) = place {
                kept.swap_remove(place)
            } else {
                let others: Vec<&Column> = self.columns.iter().chain(&kept).chain(&left).collect();
                Column::new(model, self.first_entries(&others, first_within, now))
            };
            self.columns.push(column);
        }
        self.queue_anew();
        left.into_iter().map(|column| column.model).collect()
    }

    /// First checks with a model, by key. A key that is out of use waits for the next one that it has: a dead key is not
    /// asked about again because of another model.
    fn first_entries(&self, others: &[&Column], within: Duration, now: UnixMs) -> Vec<Entry> {
        let of_key = |(slot, row): (usize, &keys::Row)| {
            let planned = others.iter().map(|column| column.entries[slot].next).min();
            match planned.filter(|_| row.is_out) {
                Some(next) => Entry::new(next),
                None => first(&self.dice, within, now),
            }
        };
        self.keys.rows.iter().enumerate().map(of_key).collect()
    }

    /// Takes over what is known from before a restart. [`Schedule::restored`] ends it.
    pub fn restore(&mut self, check: &KeyCheck) {
        let Some(place) = self.place(check.key, &check.model) else {
            return;
        };
        let column = &mut self.columns[place.column()];
        if column.entries[place.slot()].last >= at_or_before(check.checked_at) {
            // A request has been answered since.
            return;
        }
        match check.result.class {
            Class::Ok => column.found(),
            Class::ModelUnavailable => column.missed(),
            _ => {}
        }
        let span = plan::span_of(&check.result);
        // Figures may have become shorter meanwhile; what a key's standing made of it is not known here.
        let latest = match span {
            Span::Ok | Span::Forbidden => check.checked_at + self.rules.length(span),
            _ => UnixMs::NEVER,
        };
        let entry = &mut column.entries[place.slot()];
        entry.note(&check.result, &mut self.reasons, check.checked_at);
        entry.plan(Planned {
            at: check.next_at.min(latest),
            span,
            is_urgent: false,
        });
    }

    /// Everything has been restored.
    pub fn restored(&mut self) {
        self.queue_anew();
    }

    /// The next check that is due, which is then under way. A project that has had `most` today waits for tomorrow.
    pub fn take(&mut self, most: u32, now: UnixMs) -> Option<Due> {
        self.advance(now);
        let second = at_or_before(now);
        loop {
            let place = self.urgent.pop_front().or_else(|| self.ready.pop_front())?;
            let is_enabled = self.keys.rows[place.slot()].enabled;
            let entry = self.entry(place);
            entry.set(QUEUED, false);
            if entry.next > second || entry.is(RUNNING) || !is_enabled {
                continue;
            }
            let day = second / DAY_SECONDS;
            if !self.keys.count(place.slot(), most, day) {
                let tomorrow = instant((day + 1) * DAY_SECONDS);
                let at = tomorrow + MORNING.mul_f64(self.dice.fraction());
                let is_urgent = self.entry(place).is(URGENT);
                self.replan(
                    place,
                    Planned {
                        at,
                        span: Span::Fixed,
                        is_urgent,
                    },
                );
                continue;
            }
            self.entry(place).set(RUNNING, true);
            return Some(Due {
                key: self.keys.rows[place.slot()].id,
                model: self.columns[place.column()].model.clone(),
            });
        }
    }

    /// Checks that are due and not under way. A few of them may have been planned anew.
    pub fn backlog(&mut self, now: UnixMs) -> usize {
        self.advance(now);
        self.urgent.len() + self.ready.len()
    }

    /// What a check found. `health` is how the key stands after it, and `delay` the provider's hint.
    pub fn done(
        &mut self,
        due: &Due,
        result: &CheckResult,
        delay: Option<Duration>,
        health: &KeyHealth,
        now: UnixMs,
    ) {
        let Some(place) = self.place(due.key, &due.model) else {
            return;
        };
        let planned = self
            .rules
            .plan(result, delay, health, self.dice.fraction(), now);
        if result.class == Class::Ok {
            self.columns[place.column()].found();
        }
        self.keys.rows[place.slot()].is_out = *health != KeyHealth::Active;
        self.note(place, result, now);
        self.entry(place).set(RUNNING, false);
        self.replan(place, planned);
    }

    /// A key has said that there is no such model. Whether there is, as far as is known then.
    pub fn missed(&mut self, model: &str) -> Existence {
        let keys = self.keys.witnesses();
        let mut columns = self.columns.iter_mut();
        let Some(column) = columns.find(|column| *column.model == *model) else {
            return Existence::Unknown;
        };
        column.missed();
        column.existence(keys)
    }

    /// Checks that were under way and are no more are due again.
    pub fn give_up(&mut self) {
        for column in &mut self.columns {
            let running = column.entries.iter_mut().filter(|it| it.is(RUNNING));
            running.for_each(|entry| entry.set(RUNNING, false));
        }
        self.queue_anew();
    }

    /// What was found since the last call, to be saved.
    pub fn take_unsaved(&mut self) -> Vec<KeyCheck> {
        let places = std::mem::take(&mut self.unsaved);
        let mut checks = Vec::with_capacity(places.len());
        for place in places {
            self.entry(place).set(UNSAVED, false);
            checks.extend(self.check_at(place));
        }
        checks
    }

    fn check_at(&self, place: Place) -> Option<KeyCheck> {
        let column = &self.columns[place.column()];
        let entry = &column.entries[place.slot()];
        entry.was_checked().then(|| KeyCheck {
            key: self.keys.rows[place.slot()].id,
            model: column.model.clone(),
            checked_at: instant(entry.last),
            next_at: instant(entry.next),
            result: entry.result(&self.reasons),
        })
    }

    fn note(&mut self, place: Place, result: &CheckResult, now: UnixMs) {
        let entry = &mut self.columns[place.column()].entries[place.slot()];
        entry.note(result, &mut self.reasons, now);
    }

    fn replan(&mut self, place: Place, planned: Planned) {
        let entry = self.entry(place);
        entry.plan(planned);
        let (next, is_unsaved) = (entry.next, entry.is(UNSAVED));
        entry.set(UNSAVED, true);
        if !is_unsaved {
            self.unsaved.push(place);
        }
        self.heap.push(Reverse((next, place)));
        if self.heap.len() > 2 * self.columns.len() * self.keys.rows.len() + 64 {
            self.queue_anew();
        }
    }

    /// Moves what has come due into the queues.
    fn advance(&mut self, now: UnixMs) {
        let second = at_or_before(now);
        while let Some(&Reverse((at, place))) = self.heap.peek() {
            if at > second {
                return;
            }
            self.heap.pop();
            let entry = self.entry(place);
            if entry.next != at || entry.is(QUEUED) || entry.is(RUNNING) {
                continue;
            }
            entry.set(QUEUED, true);
            if entry.is(URGENT) {
                self.urgent.push_back(place);
            } else {
                self.ready.push_back(place);
            }
        }
    }

    /// Fills heap and lists by what the entries say: places have moved, or many entries have changed.
    fn queue_anew(&mut self) {
        self.urgent.clear();
        self.ready.clear();
        self.unsaved.clear();
        let mut due = Vec::with_capacity(self.columns.len() * self.keys.rows.len());
        for (number, column) in self.columns.iter_mut().enumerate() {
            for (slot, entry) in column.entries.iter_mut().enumerate() {
                let place = Place::new(slot, number);
                entry.set(QUEUED, false);
                if entry.is(UNSAVED) {
                    self.unsaved.push(place);
                }
                if self.keys.rows[slot].enabled {
                    due.push(Reverse((entry.next, place)));
                }
            }
        }
        self.heap = BinaryHeap::from(due);
    }

    fn entry(&mut self, place: Place) -> &mut Entry {
        &mut self.columns[place.column()].entries[place.slot()]
    }

    fn place(&self, key: KeyId, model: &str) -> Option<Place> {
        let mut columns = self.columns.iter();
        let column = columns.position(|column| *column.model == *model)?;
        Some(Place::new(self.keys.slot_of(key)?, column))
    }
}

/// A check that was never made, some time within the span.
fn first(dice: &Chooser, within: Duration, now: UnixMs) -> Entry {
    Entry::new(at_or_after(now + within.mul_f64(dice.fraction())))
}
