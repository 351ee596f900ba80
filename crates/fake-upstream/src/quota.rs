//! Counts requests and input tokens per (project, model) and writes Google's 429 when a limit is
//! passed. A minute begins with the first request counted in it; a day ends when it is told to, or
//! after 24 hours of the stand-in's clock. Refused requests are not counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::keys::{Caller, Limit, Measure};
use crate::refusal::Refusal;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

const PREAMBLE: &str = "You exceeded your current quota, please check your plan and billing \
    details. For more information on this error, head to: \
    https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: \
    https://ai.dev/rate-limit. ";

/// The delay that Google names with a daily quota: far too short, as in real life.
const LYING_DELAY: Duration = Duration::from_millis(38_100);

/// All counters. The lock is held for one look and one update.
#[derive(Debug)]
pub(crate) struct Ledger {
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

impl Ledger {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Self {
            clock,
            used: Mutex::default(),
        }
    }

    /// Counts one request of `tokens` input tokens, or refuses it.
    pub(crate) fn charge(&self, caller: &Caller, model: &str, tokens: u64) -> Result<(), Refusal> {
        let Some(key) = caller.key.as_ref().filter(|key| !key.limits.is_empty()) else {
            return Ok(());
        };
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
        Err(refusal(&broken, model, key.paid, used.minute_left(now)))
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

fn refusal(broken: &[&Limit], model: &str, paid: bool, minute_left: Duration) -> Refusal {
    let zero = broken.iter().any(|limit| limit.value == 0);
    let by_minute = broken.iter().any(|limit| limit.measure != Measure::Rpd);
    let delay = match (zero, by_minute) {
        (true, _) => Duration::from_millis(44_200),
        (false, true) => minute_left,
        (false, false) => LYING_DELAY,
    };
    let line = |limit: &&Limit| {
        let metric = names(limit.measure, paid).0;
        format!(
            "\n* Quota exceeded for metric: {metric}, limit: {}, model: {model}",
            limit.value
        )
    };
    let lines: String = broken.iter().map(line).collect();
    let message = format!(
        "{PREAMBLE}{lines}\nPlease retry in {}s.",
        delay.as_secs_f64()
    );
    let violations: Vec<Value> = broken
        .iter()
        .map(|limit| violation(limit, model, paid))
        .collect();
    let details = [
        json!({
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{
                "description": "Learn more about Gemini API quotas",
                "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
            }],
        }),
        json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}),
        json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", delay.as_secs()),
        }),
    ];
    Refusal::new(429, "RESOURCE_EXHAUSTED", &message, &details)
}

fn violation(limit: &Limit, model: &str, paid: bool) -> Value {
    let (metric, id) = names(limit.measure, paid);
    let mut violation = json!({
        "quotaMetric": metric,
        "quotaId": id,
        "quotaDimensions": {"location": "global", "model": model},
    });
    // Google leaves the value out when it is zero, as proto3 JSON does with every default.
    if limit.value > 0 {
        violation["quotaValue"] = json!(limit.value.to_string());
    }
    violation
}

/// The quota metric and the quota id.
fn names(measure: Measure, paid: bool) -> (&'static str, &'static str) {
    match (measure, paid) {
        (Measure::Rpm, false) => (
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        ),
        (Measure::Rpd, false) => (
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        ),
        (Measure::Tpm, false) => (
            "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        ),
        (Measure::Rpm, true) => (
            "generativelanguage.googleapis.com/generate_requests_per_model",
            "GenerateRequestsPerMinutePerProjectPerModel",
        ),
        (Measure::Rpd, true) => (
            "generativelanguage.googleapis.com/generate_requests_per_model_per_day",
            "GenerateRequestsPerDayPerProjectPerModel",
        ),
        (Measure::Tpm, true) => (
            "generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count",
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
        ),
    }
}
