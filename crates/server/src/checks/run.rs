//! One check, from its calls to what it changes: the pool hears what it means for the key, the schedule when the next one
//! is. By hand or when it is due, it is the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Certainty, CheckResult, Class, KeyId};
use keypool::{Checked, Due};

use super::Slot;
use crate::app::App;
use crate::egress::{Fault, Refused};
use crate::inquiry::{Asking, Said};
use crate::snapshot::Provider;

/// What a check came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) key: KeyId,
    /// Empty: the key alone.
    pub(crate) model: Arc<str>,
    pub(crate) result: CheckResult,
    pub(crate) took: Duration,
}

impl Outcome {
    pub(crate) fn works(&self) -> bool {
        self.result.class == Class::Ok
    }
}

/// Makes a check that is due.
pub(crate) async fn due(app: Arc<App>, provider: Arc<Provider>, due: Due, slot: Slot) {
    check(&app, &provider, due).await;
    drop(slot);
}

/// Checks a key because somebody wants to know, with this model or the one that is listed first. It takes its turn with
/// all other checks. None: the key is gone.
pub(crate) async fn by_hand(
    app: &App,
    provider: &Provider,
    key: KeyId,
    model: Option<&str>,
) -> Option<Outcome> {
    let most = || app.snapshot.load().config.health_checks.concurrency;
    let _slot = app.checks.slots.take(most).await;
    let model: Arc<str> = match model {
        Some(model) => model.into(),
        None => app.checks.usual_model(&provider.name),
    };
    check(app, provider, Due { key, model }).await
}

/// Makes a check. One that a proxy was to blame for says nothing of the key, and is made once more on another way.
async fn check(app: &App, provider: &Provider, due: Due) -> Option<Outcome> {
    match check_once(app, provider, &due).await? {
        (Fault::Proxy, _) => Some(check_once(app, provider, &due).await?.1),
        (Fault::Key, outcome) => Some(outcome),
    }
}

async fn check_once(app: &App, provider: &Provider, due: &Due) -> Option<(Fault, Outcome)> {
    let status = provider.pools.status(due.key)?;
    let (began, clock) = (app.clock.now(), Instant::now());
    let model = (!due.model.is_empty()).then_some(&*due.model);
    let asking = Asking {
        provider,
        key: &status.cell.key,
        proxies: &app.proxies,
        clock: &app.clock,
    };
    let said = asking.check(model).await;
    let took = clock.elapsed();
    let verdict = &said.finding.verdict;
    let result = CheckResult {
        status: said.status,
        class: verdict.class,
        reason: verdict.reason,
        latency_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
    };
    // One that is forbidden is there.
    let is_missing =
        verdict.class == Class::ModelUnavailable && verdict.certainty != Certainty::Counted;
    let model_exists = !is_missing || app.checks.missed(&provider.name, &due.model);
    let checked = Checked {
        model,
        verdict,
        key_works: said.finding.key_works,
        model_exists,
        began,
    };
    let now = app.clock.now();
    let pool = provider.pools.holding(due.key)?;
    let (mut health, receipt) = pool.checked(due.key, &checked, now)?;
    let refused = Refused {
        key: &status.cell.key,
        pool: &pool,
        verdict,
        receipt,
    };
    let fault = attribute(app, provider, &said, refused);
    if fault == Fault::Proxy {
        health = pool.status(due.key)?.state.health;
    }
    app.checks
        .done(&provider.name, due, &result, verdict.delay, &health, now);
    app.metrics.check(&provider.name, verdict.class);
    if result.class != Class::Ok {
        tracing::debug!(
            provider = &*provider.name,
            key.id = due.key.0,
            model = &*due.model,
            class = result.class.name(),
            reason = result.reason,
            "a check failed"
        );
    }
    let outcome = Outcome {
        key: due.key,
        model: due.model.clone(),
        result,
        took,
    };
    Some((fault, outcome))
}

/// Whether it was the key's fault or the way's.
fn attribute(app: &App, provider: &Provider, said: &Said, refused: Refused<'_>) -> Fault {
    let ways = &provider.attribution.checks;
    let now = app.clock.now();
    match &said.egress {
        Some(by) if said.finding.key_works => ways.answered(by, now),
        Some(by) if said.status.is_some() => {
            return ways.refused(by, refused, &app.proxies, now);
        }
        _ => {}
    }
    Fault::Key
}
