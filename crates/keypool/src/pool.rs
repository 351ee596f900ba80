//! The pool's verbs. A request takes a lease and reports what became of it; everything else is bookkeeping.
//! `ledger.rs` holds what is behind the lock and how a report changes it.

use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use domain::{Certainty, Class, Harm, Key, KeyId, KeyState, PairId, PairState, UnixMs, Verdict};

use crate::cell::moving_average;
use crate::census::{Census, Changes, KeyStatus};
use crate::choose::{Chooser, Eligible};
use crate::lane::Lane;
use crate::ledger::Ledger;
use crate::quota::Moment;
use crate::{Chosen, Lease, PacificDay, Strategy};

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

/// What a request needs of a key.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The model; empty: a call that names none.
    pub model: &'a str,
    /// Keys that this request has tried.
    pub tried: &'a [KeyId],
    /// A tried key may be taken again when there is no other.
    pub again: bool,
}

/// No key can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The provider has no key that is switched on.
    NoKeys,
    /// Every key is retired.
    AllRetired,
    /// Every key is cooling; the first is free again at `until`.
    Cooling {
        /// When.
        until: UnixMs,
        /// The class of the verdict that cools it.
        class: Class,
    },
    /// Keys are usable, but this request has tried them all.
    AllTried,
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

    /// Takes over what is known of a pair; pairs of projects that have no key here are left out.
    pub fn restore_pair(&self, id: &PairId, state: PairState, now: UnixMs) {
        let mut ledger = self.write();
        ledger.restore_pair(id, state, now);
        self.note_next_due(&ledger);
    }

    /// Chooses a key. Takes the same time in a pool of ten and of 100,000.
    pub fn lease(&self, want: &Want<'_>, now: UnixMs) -> Result<Lease, Exhausted> {
        if now.0 >= self.next_due.load(Ordering::Relaxed) {
            let mut ledger = self.write();
            ledger.come_due(now);
            self.note_next_due(&ledger);
        }
        let ledger = self.read();
        let Some((slot, mut chosen)) = self.choose(&ledger, want) else {
            return Err(ledger.why_exhausted(want.model, now));
        };
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
            why: Eligible::Bound,
        };
        Ok(self.take(&ledger, slot, chosen, now))
    }

    /// Says what became of an attempt. `latency` is the time to its first useful byte.
    pub fn report(
        &self,
        lease: &Lease,
        model: &str,
        verdict: &Verdict,
        latency: Duration,
        now: UnixMs,
    ) {
        let today = self.today(now);
        let is_answer = matches!(verdict.class, Class::Ok | Class::Blocked);
        if is_answer {
            self.observe_latency(lease, latency);
            if self.count_plain_answer(lease, model, today) {
                return;
            }
        } else if verdict.class.harm() == Harm::Nobody && verdict.certainty != Certainty::Counted {
            return;
        }
        let at = Moment {
            now,
            today,
            jitter: self.chooser.fraction(),
        };
        let mut ledger = self.write();
        if is_answer {
            ledger.answered(lease, model, &at);
        } else {
            ledger.failed(lease, model, verdict, &at);
        }
        self.note_next_due(&ledger);
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

    /// Keys that a request for this model could take now.
    pub fn usable(&self, model: &str) -> usize {
        self.read().usable(model)
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

    /// How one key stands; none: it is not in the pool.
    pub fn status(&self, id: KeyId) -> Option<KeyStatus> {
        self.read().status(id)
    }

    /// Every pair that is known, with the count of its day.
    pub fn pairs(&self) -> Vec<(PairId, PairState)> {
        self.read().pairs()
    }

    fn choose(&self, ledger: &Ledger, want: &Want<'_>) -> Option<(u32, Chosen)> {
        let lane = ledger.lane_of(want.model);
        let pick = |lane: &Lane, fallback: bool, tried: &[KeyId], why: Eligible| {
            let sets = if fallback {
                &lane.fallback
            } else {
                &lane.ready
            };
            ledger.roster.order.iter().find_map(|&tier| {
                let set = sets.get(tier).filter(|set| set.len() > 0)?;
                let strategy = ledger.rules.strategy;
                let slot = self.chooser.pick(
                    strategy,
                    set,
                    &ledger.roster.tiers[tier],
                    &ledger.roster,
                    tried,
                )?;
                Some((
                    slot,
                    Chosen {
                        strategy,
                        among: set.len() as u32,
                        why,
                    },
                ))
            })
        };
        pick(lane, false, want.tried, Eligible::Ready)
            .or_else(|| pick(lane, true, want.tried, Eligible::LastResort))
            .or_else(|| {
                let again = || {
                    pick(lane, false, &[], Eligible::Again)
                        .or_else(|| pick(lane, true, &[], Eligible::Again))
                };
                want.again.then(again).flatten()
            })
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
