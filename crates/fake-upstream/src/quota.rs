//! Counts requests and input tokens per (project, model). What is said when a limit is passed are
//! each provider's own words (`gemini/quota.rs`, `*/faults.rs`). A minute begins with the first request counted in it; a day ends when it is told to, or
//! after 24 hours of the stand-in's clock. Refused requests are not counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::keys::{Caller, Limit, Measure};
use crate::provider::Provider;
use crate::refusal::Refusal;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// All counters. The lock is held for one look and one update.
#[derive(Debug)]
pub(crate) struct Ledger {
    provider: Provider,
    clock: Arc<Clock>,
    used: Mutex<HashMap<(String, String), Used>>,
}

/// What one (project, model) has used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    minute_from: Duration,
    day_from: Duration,
    pub(crate) minute_requests: u64,
    pub(crate) minute_tokens: u64,
    pub(crate) day_requests: u64,
}

/// One request that would pass a limit.
#[derive(Debug)]
pub(crate) struct Breach<'a> {
    /// The limits it would pass; at least one.
    pub(crate) broken: &'a [&'a Limit],
    pub(crate) used: &'a Used,
    pub(crate) project: &'a str,
    pub(crate) model: &'a str,
    pub(crate) paid: bool,
    /// Until the minute's counters are fresh.
    pub(crate) minute_left: Duration,
}

impl Breach<'_> {
    /// One of the limits is zero: the model was never granted.
    pub(crate) fn is_zero(&self) -> bool {
        self.broken.iter().any(|limit| limit.value == 0)
    }

    /// The limit to tell of, when only one can be.
    pub(crate) fn first(&self) -> (Measure, u64) {
        let first = self.broken.first();
        first.map_or((Measure::Rpm, 0), |limit| (limit.measure, limit.value))
    }

    /// Seconds until the minute is over, at least 1: what `retry-after` says.
    pub(crate) fn retry_after(&self) -> u64 {
        self.minute_left.as_secs_f64().ceil().max(1.0) as u64
    }
}

impl Ledger {
    pub(crate) fn new(provider: Provider, clock: Arc<Clock>) -> Self {
        Self {
            provider,
            clock,
            used: Mutex::default(),
        }
    }

    /// Counts one request of `tokens` input tokens, or refuses it: for a limit, or because the key has
    /// a fault with this model.
    pub(crate) fn charge(&self, caller: &Caller, model: &str, tokens: u64) -> Result<(), Refusal> {
        let Some(key) = &caller.key else {
            return Ok(());
        };
        key.check_model(self.provider, model)?;
        if key.limits.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = used
            .entry((caller.project.clone(), model.to_owned()))
            .or_default();
        used.roll(now);
        let limits = key
            .limits
            .iter()
            .filter(|l| l.model == "*" || l.model == model);
        let broken: Vec<&Limit> = limits.filter(|limit| used.breaks(limit, tokens)).collect();
        if broken.is_empty() {
            used.add(now, tokens);
            return Ok(());
        }
        Err(self.provider.over_limit(&Breach {
            broken: &broken,
            used,
            project: &caller.project,
            model,
            paid: key.paid,
            minute_left: used.minute_left(now),
        }))
    }

    /// Forgets the daily counters.
    pub(crate) fn reset_day(&self) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.values_mut().for_each(|used| used.day_requests = 0);
    }

    /// Every (project, model) with what it used, sorted.
    pub(crate) fn list(&self) -> Vec<((String, String), Used)> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = used
            .iter()
            .map(|(pair, used)| (pair.clone(), used.clone()))
            .collect();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list
    }
}

impl Used {
    fn roll(&mut self, now: Duration) {
        if now >= self.minute_from + MINUTE {
            self.minute_requests = 0;
            self.minute_tokens = 0;
        }
        if now >= self.day_from + DAY {
            self.day_requests = 0;
        }
    }

    fn minute_left(&self, now: Duration) -> Duration {
        if self.minute_requests == 0 {
            return MINUTE;
        }
        (self.minute_from + MINUTE).saturating_sub(now)
    }

    fn breaks(&self, limit: &Limit, tokens: u64) -> bool {
        let after = match limit.measure {
            Measure::Rpm => self.minute_requests + 1,
            Measure::Rpd => self.day_requests + 1,
            Measure::Tpm => self.minute_tokens + tokens,
        };
        limit.value == 0 || after > limit.value
    }

    fn add(&mut self, now: Duration, tokens: u64) {
        if self.minute_requests == 0 {
            self.minute_from = now;
        }
        if self.day_requests == 0 {
            self.day_from = now;
        }
        self.minute_requests += 1;
        self.minute_tokens += tokens;
        self.day_requests += 1;
    }
}
