//! What is known of a request until it is over, and what becomes of it then.

use std::sync::Arc;
use std::time::Instant;

use config::Bodies;
use domain::{Elsewhere, Nanodollars, RequestRecord, Secret, UnixMs};
use http::HeaderValue;
use metering::{Permit, Standing};

use super::micros;
use crate::app::App;
use crate::events::Happening;
use crate::gateway::kept_bodies::{KeptBodies, KeptBody};
use crate::gateway::relay::Ending;
use crate::saver::LONGEST_MODEL;

#[derive(Debug)]
pub(super) struct Draft {
    pub(super) record: RequestRecord,
    /// Usage in the answer is what the request took.
    pub(super) takes_tokens: bool,
    /// The model that the provider says has answered.
    answered_by: Option<Arc<str>>,
    pub(super) key_label: Option<HeaderValue>,
    /// The place that the request takes of its client key's limits.
    pub(super) permit: Option<Permit>,
    /// What of its usage counts there already: tokens and money.
    settled: (u64, Nanodollars),
    pub(super) standing: Option<Standing>,
    /// Bodies are kept where the settings say so.
    pub(super) bodies: Bodies,
    pub(super) request_body: Option<KeptBody>,
    pub(super) response_body: Option<KeptBody>,
    pub(super) secrets: Vec<Secret>,
}

impl Draft {
    pub(super) fn new(record: RequestRecord, bodies: Bodies) -> Self {
        Self {
            record,
            takes_tokens: false,
            answered_by: None,
            key_label: None,
            permit: None,
            settled: (0, Nanodollars::default()),
            standing: None,
            bodies,
            request_body: None,
            response_body: None,
            secrets: Vec::new(),
        }
    }

    /// The provider that is asked next. What was tried before keeps where that was.
    pub(super) fn goes_to(&mut self, provider: &Arc<str>, model: &str) {
        let record = &mut self.record;
        let before = record.provider.replace(provider.clone());
        let model = (!model.is_empty()).then(|| beginning(model).into());
        let before = before.zip(std::mem::replace(&mut record.model, model));
        let Some((provider, model)) = before else {
            return;
        };
        let elsewhere = Elsewhere { provider, model };
        let earlier = record.attempts.iter_mut();
        for attempt in earlier.filter(|attempt| attempt.elsewhere.is_none()) {
            attempt.elsewhere = Some(elsewhere.clone());
        }
    }

    /// Where neither the path nor the caller's own words name a model that is known, the answer does.
    pub(super) fn took(&mut self, ending: Ending) {
        self.record.usage = ending.usage.filter(|_| self.takes_tokens);
        self.record.cost = ending.cost.filter(|_| self.takes_tokens);
        if self.record.model.is_none() {
            self.record.model.clone_from(&ending.model);
        }
        self.answered_by = ending.model;
    }

    /// What the answer cost: as its provider says, or by the prices that hold now.
    pub(super) fn cost(&self, app: &App) -> Option<Nanodollars> {
        if self.record.cost.is_some() {
            return self.record.cost;
        }
        let usage = self.record.usage.as_ref()?;
        let provider = self.record.provider.as_deref()?;
        let snapshot = app.snapshot.load();
        let names = [&self.record.model, &self.answered_by];
        let mut costs = names
            .into_iter()
            .flatten()
            .filter_map(|model| snapshot.prices.cost(provider, model, usage));
        costs.next()
    }

    /// Counts what has been taken since it was counted last.
    pub(super) fn settle(&mut self, cost: Option<Nanodollars>, now: UnixMs) {
        let (Some(permit), Some(usage)) = (&self.permit, self.record.usage) else {
            return;
        };
        let (tokens, cost) = (u64::from(usage.total), cost.unwrap_or_default());
        let (before, paid) = std::mem::replace(&mut self.settled, (tokens, cost));
        let cost = Nanodollars(cost.0.saturating_sub(paid.0));
        permit.settle(tokens.saturating_sub(before), cost, now);
    }

    /// The request is over: frees what it held, and hands out what was learnt of it.
    pub(super) fn hand_over(&mut self, app: &App, began: Instant) {
        self.record.cost = self.cost(app);
        self.settle(self.record.cost, app.clock.now());
        self.permit = None;
        let record = &mut self.record;
        record.latency_us = micros(began.elapsed());
        app.metrics.request(record);
        app.pulse.ended(record, app.clock.now());
        let attempts = std::mem::take(&mut record.attempts);
        let record = RequestRecord {
            attempts,
            ..record.clone()
        };
        let is_kept = match self.bodies {
            Bodies::None => false,
            Bodies::Errors => record.error.is_some() || record.status >= 400,
            Bodies::All => true,
        };
        if is_kept {
            app.bodies.put(KeptBodies {
                id: record.id,
                request: self.request_body.take(),
                response: self.response_body.take(),
                secrets: std::mem::take(&mut self.secrets),
            });
        }
        app.events
            .tell(|| Happening::Request(Arc::new(record.clone())));
        app.records.put(record);
    }
}

/// As much of a model's name as is kept.
fn beginning(model: &str) -> &str {
    let longest = model.len().min(LONGEST_MODEL);
    let mut ends = (0..=longest).rev();
    let end = ends.find(|&end| model.is_char_boundary(end));
    &model[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_name_the_beginning_is_kept() {
        assert_eq!(beginning("gemini-2.5-flash"), "gemini-2.5-flash");
        assert_eq!(beginning(&"é".repeat(200)), "é".repeat(128));
    }
}
