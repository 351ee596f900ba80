//! The pool's verbs. A request takes a lease and reports what became of it; everything else is bookkeeping.
//! `want.rs` says which key a lease is for; `ledger.rs` holds what is behind the lock and how a report changes it.

use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use domain::{
    Certainty, Class, Harm, Key, KeyHealth, KeyId, KeyState, PairId, PairState, UnixMs, Verdict,
};

use crate::by_model::{ModelDay, ModelSummary};
use crate::cell::moving_average;
use crate::census::{Census, Changes, KeyStatus, Member, Outlook};
use crate::checked::Checked;
use crate::choose::{Chooser, Eligible};
use crate::ledger::Ledger;
use crate::quota::Moment;
use crate::{Chosen, Exhausted, Lease, PacificDay, Receipt, Strategy, Want};

/// The figures of the configuration that a pool follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolRules {
    /// How a key is chosen.
    pub strategy: Strategy,
    /// Counted failures in a row that take a key out of use.
    pub max_failures: u16,
    /// How long such a key stays out before one request tries it.
    pub recheck_interval: Duration,
}

/// The keys of one provider, for all threads.
///
/// The lock is a `RwLock` because requests only read under it: leases and good answers move atomics. It is written when
/// a key fails, recovers or comes due, and when keys are added or edited. Nobody waits for I/O while holding it.
#[derive(Debug)]
pub struct Pool {
    ledger: RwLock<Ledger>,
    chooser: Chooser,
    next_due: AtomicI64,
    day_ends: AtomicI64,
    day_number: AtomicI32,
    usual_latency_us: AtomicU32,
}

impl Pool {
    /// An empty pool. Equal seeds choose alike.
    pub fn new(provider: &str, rules: PoolRules, seed: u64) -> Self {
        Self {
            ledger: RwLock::new(Ledger::new(provider, rules)),
            chooser: Chooser::new(seed),
            next_due: AtomicI64::new(UnixMs::NEVER.0),
            day_ends: AtomicI64::new(0),
            day_number: AtomicI32::new(0),
            usual_latency_us: AtomicU32::new(0),
        }
    }

    /// Follows other rules from now on; what is cooling goes on as it was decided.
    pub fn set_rules(&self, rules: PoolRules) {
        self.write().rules = rules;
    }

    /// Adds keys with what is known of them, or takes over what has changed about those that are in already
    /// (their state stays).
    pub fn upsert(&self, keys: impl IntoIterator<Item = (Key, KeyState)>, now: UnixMs) {
        let mut ledger = self.write();
        for (key, state) in keys {
            ledger.upsert(key, state, now);
        }
        self.note_next_due(&ledger);
    }

    /// Takes keys out for good.
    pub fn remove(&self, ids: impl IntoIterator<Item = KeyId>, now: UnixMs) {
        let mut ledger = self.write();
        for id in ids {
            ledger.remove(id, now);
        }
    }

    /// Forgets everything that speaks against a key and its pairs.
    pub fn reset(&self, id: KeyId, now: UnixMs) {
        self.write().reset(id, now);
    }

    /// Forgets what speaks against one model: for the project of one key, or for all of them and the model itself. Gives
    /// how many projects were cooling for it.
    pub fn reset_model(&self, model: &str, only: Option<KeyId>, now: UnixMs) -> usize {
        self.write().reset_model(model, only, now)
    }

    /// Takes over what is known of a pair; pairs of projects that have no key here are left out.
    pub fn restore_pair(&self, id: &PairId, state: PairState, now: UnixMs) {
        let mut ledger = self.write();
        ledger.restore_pair(id, state, now);
        self.note_next_due(&ledger);
    }

    /// Chooses a key. Takes the same time in a pool of ten and of 100,000.
    pub fn lease(&self, want: &Want<'_>, now: UnixMs) -> Result<Lease, Exhausted> {
        self.let_come_due(now);
        let ledger = self.read();
        let (slot, mut chosen) = ledger.choose(&self.chooser, want, now)?;
        let lane = ledger.lane_of(want.model);
        if ledger.is_half_open(slot, lane) {
            drop(ledger);
            let mut ledger = self.write();
            // Somebody else may have begun to try the key out meanwhile. It is then used a second time: harmless.
            ledger.begin_probe(slot, want.model, now);
            self.note_next_due(&ledger);
            if chosen.why == Eligible::Ready {
                chosen.why = Eligible::Probe;
            }
            return Ok(self.take(&ledger, slot, chosen, now));
        }
        Ok(self.take(&ledger, slot, chosen, now))
    }

    /// Takes one key, whatever it is cooling for: only it can go on with what it began.
    pub fn lease_key(&self, id: KeyId, now: UnixMs) -> Result<Lease, Exhausted> {
        let ledger = self.read();
        let slot = ledger.roster.slot_of(id).ok_or(Exhausted::NoKeys)?;
        if !ledger.roster.slots[slot as usize].may_return() {
            return Err(Exhausted::AllRetired);
        }
        let chosen = Chosen {
            strategy: ledger.rules.strategy,
            among: 1,
            why: Eligible::Begun,
        };
        Ok(self.take(&ledger, slot, chosen, now))
    }

    /// Says what became of an attempt. `latency` is the time to its first useful byte. Gives what can be undone of it.
    pub fn report(
        &self,
        lease: &Lease,
        model: &str,
        verdict: &Verdict,
        latency: Duration,
        now: UnixMs,
    ) -> Receipt {
        let today = self.today(now);
        let is_answer = matches!(verdict.class, Class::Ok | Class::Blocked);
        if is_answer {
            self.observe_latency(lease, latency);
            if self.count_plain_answer(lease, model, today) {
                return Receipt::default();
            }
        } else if verdict.harm() == Harm::Nobody && verdict.certainty != Certainty::Counted {
            return Receipt::default();
        }
        let at = Moment {
            now,
            today,
            jitter: self.chooser.fraction(),
        };
        let mut ledger = self.write();
        let receipt = if is_answer {
            ledger.answered(lease, model, &at);
            Receipt::default()
        } else {
            ledger.failed(lease, model, verdict, &at)
        };
        self.note_next_due(&ledger);
        receipt
    }

    /// Undoes what reports did that were an egress' fault. What has changed since stays: an answer that came later, or
    /// a failure by another egress, speaks for itself.
    pub fn forgive(&self, receipts: impl IntoIterator<Item = Receipt>, now: UnixMs) {
        let marks: Vec<_> = receipts
            .into_iter()
            .flat_map(|receipt| receipt.marks)
            .collect();
        if marks.is_empty() {
            return;
        }
        let mut ledger = self.write();
        ledger.forgive(marks, now);
        self.note_next_due(&ledger);
    }

    /// Takes over what a check of a key has found. Gives how the key stands then, and what can be undone of it; none: it is
    /// not in the pool.
    pub fn checked(
        &self,
        id: KeyId,
        checked: &Checked<'_>,
        now: UnixMs,
    ) -> Option<(KeyHealth, Receipt)> {
        {
            let ledger = self.read();
            let slot = ledger.roster.slot_of(id)?;
            if !ledger.is_news(slot, checked) {
                let health = ledger.roster.slots[slot as usize].state.health.clone();
                return Some((health, Receipt::default()));
            }
        }
        let at = Moment {
            now,
            today: self.today(now),
            jitter: self.chooser.fraction(),
        };
        let mut ledger = self.write();
        let slot = ledger.roster.slot_of(id)?;
        let receipt = ledger.checked(slot, checked, &at);
        self.note_next_due(&ledger);
        let health = ledger.roster.slots[slot as usize].state.health.clone();
        Some((health, receipt))
    }

    /// Whether the model is overloaded for everyone, so that trying other keys is useless.
    pub fn is_overloaded(&self, model: &str, now: UnixMs) -> bool {
        self.read().lane_of(model).breaker.is_open(now)
    }

    /// What has changed since the last call, to be saved.
    pub fn take_changes(&self) -> Changes {
        self.write().take_changes()
    }

    /// How many keys there are in which state.
    pub fn census(&self, now: UnixMs) -> Census {
        self.read().census(now)
    }

    /// Keys that a request for this model could take now. Takes the same time in a pool of ten and of 100,000; of a model
    /// that nothing is known of, and of calls without one, all keys that are usable at all.
    pub fn usable(&self, model: &str, now: UnixMs) -> usize {
        self.let_come_due(now);
        self.read().usable(model)
    }

    /// How all keys stand for a model. It looks at every one of them: not for requests.
    pub fn outlook(&self, model: &str, now: UnixMs) -> Outlook {
        self.let_come_due(now);
        self.read().outlook(model, now)
    }

    /// Whether a project of that name has a key here.
    pub fn has_project(&self, name: &str) -> bool {
        let ledger = self.read();
        let project = ledger.roster.heir_of(name);
        project.is_some_and(|it| !ledger.roster.projects[it as usize].slots.is_empty())
    }

    /// Attempts under way with its keys.
    pub fn in_flight(&self) -> u64 {
        let ledger = self.read();
        let slots = ledger.roster.slots.iter();
        slots.map(|slot| u64::from(slot.cell.in_flight())).sum()
    }

    /// How each key stands.
    pub fn statuses(&self) -> Vec<KeyStatus> {
        self.read().statuses()
    }

    /// Changes whenever keys come, go or are edited.
    pub fn edition(&self) -> u64 {
        self.read().edition
    }

    /// Who is in the pool.
    pub fn members(&self) -> Vec<Member> {
        self.read().members()
    }

    /// How one key stands; none: it is not in the pool.
    pub fn status(&self, id: KeyId) -> Option<KeyStatus> {
        self.read().status(id)
    }

    /// Every pair that is known, with the count of its day.
    pub fn pairs(&self) -> Vec<(PairId, PairState)> {
        self.read().pairs()
    }

    /// What is known of a key's project for each model, with what the provider has accepted of it today.
    pub fn models_of(&self, id: KeyId, now: UnixMs) -> Vec<(String, PairState)> {
        self.read().models_of(id, now)
    }

    /// The models that were used in this day; `is_used_up` says of a pair whether its day is over.
    pub fn days(&self, is_used_up: impl Fn(&PairState) -> bool) -> Vec<ModelDay> {
        self.read().days(is_used_up)
    }

    /// How the keys stand for every model that something is known of; of each, so many cooling projects by name.
    pub fn models(&self, most_named: usize, now: UnixMs) -> Vec<ModelSummary> {
        self.let_come_due(now);
        self.read().models(most_named, now)
    }

    fn take(&self, ledger: &Ledger, slot: u32, chosen: Chosen, now: UnixMs) -> Lease {
        let slot = &ledger.roster.slots[slot as usize];
        let clock = &ledger.roster.tiers[slot.tier].clock;
        slot.cell
            .take(clock, self.usual_latency_us.load(Ordering::Relaxed));
        Lease::new(slot.cell.clone(), now, chosen)
    }

    /// The usual case, under a read lock: nothing speaks against the key, so an answer only adds to the day's count.
    fn count_plain_answer(&self, lease: &Lease, model: &str, today: PacificDay) -> bool {
        let ledger = self.read();
        let Some(pair) = ledger.plain_pair(lease, model, today) else {
            return false;
        };
        pair.newly_answered.fetch_add(1, Ordering::Relaxed);
        let project = ledger.roster.slots[lease.cell().slot as usize].project;
        ledger.note_unsaved_pair(ledger.lane_index(model), project);
        true
    }

    fn observe_latency(&self, lease: &Lease, latency: Duration) {
        lease.cell().observe_latency(latency);
        let usual = self.usual_latency_us.load(Ordering::Relaxed);
        let sample = u32::try_from(latency.as_micros())
            .unwrap_or(u32::MAX)
            .max(1);
        self.usual_latency_us
            .store(moving_average(usual, sample), Ordering::Relaxed);
    }

    fn today(&self, now: UnixMs) -> PacificDay {
        let ends = UnixMs(self.day_ends.load(Ordering::Relaxed));
        if now < ends && now > ends - Duration::from_secs(26 * 3600) {
            return PacificDay {
                number: self.day_number.load(Ordering::Relaxed),
                ends,
            };
        }
        let today = PacificDay::at(now);
        self.day_number.store(today.number, Ordering::Relaxed);
        self.day_ends.store(today.ends.0, Ordering::Relaxed);
        today
    }

    fn let_come_due(&self, now: UnixMs) {
        if now.0 >= self.next_due.load(Ordering::Relaxed) {
            let mut ledger = self.write();
            ledger.come_due(now);
            self.note_next_due(&ledger);
        }
    }

    fn note_next_due(&self, ledger: &Ledger) {
        self.next_due
            .store(ledger.timers.next_at().0, Ordering::Relaxed);
    }

    fn read(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ledger> {
        self.ledger.write().unwrap_or_else(PoisonError::into_inner)
    }
}
