//! Refusing a part of the anonymous callers while few keys of the pool are usable for what they ask. Whoever shows a
//! client key is not refused, nor is an upload that was let in before.
//!
//! What counts is how many keys could answer: of a chain, those of each provider that is in it, once, for whichever of
//! its models has most. Models that nothing is known of, and calls that name none, count all keys that are usable at all.

use std::sync::Arc;
use std::time::Duration;

use domain::{Class, UnixMs};
use http::StatusCode;
use metering::Shedding;

use super::Visit;
use super::caller::Caller;
use super::error::GatewayError;
use crate::snapshot::Provider;

/// When to come back, in seconds: long enough for keys to come back, and not the same for everybody.
const RETRY_AFTER_S: std::ops::RangeInclusive<u64> = 15..=45;

/// Refuses the request, or not; `targets` are the models that could answer it.
pub(super) fn shed<'a>(
    visit: &Visit,
    targets: impl IntoIterator<Item = (&'a Arc<Provider>, &'a str)>,
) -> Result<(), GatewayError> {
    let settings = &visit.snapshot.config.shedding;
    let is_spared = matches!(visit.caller, Caller::Client(_)) || visit.session.is_some();
    if !settings.enabled || is_spared {
        return Ok(());
    }
    let Some((first, usable)) = usable(targets, visit.now) else {
        return Ok(());
    };
    let shedding = Shedding {
        low: settings.low,
        high: settings.high,
    };
    if !shedding.refuses(usable, &visit.app.dice) {
        return Ok(());
    }
    visit.app.metrics.turned_away.shed(&first.name);
    let text = "few keys are usable now, and callers without a client key have to wait";
    let error = GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, Class::Refused, text);
    let wait = Duration::from_secs(fastrand::u64(RETRY_AFTER_S));
    Err(error.code("overloaded").retry_after(Some(wait)))
}

/// The provider that is asked first, and how many keys could answer; none: there is nobody to ask.
fn usable<'a>(
    targets: impl IntoIterator<Item = (&'a Arc<Provider>, &'a str)>,
    now: UnixMs,
) -> Option<(&'a Arc<Provider>, usize)> {
    let mut by_provider: Vec<(&Arc<Provider>, usize)> = Vec::new();
    for (provider, model) in targets {
        let usable = provider.pool().usable(model, now);
        let mut known = by_provider.iter_mut();
        match known.find(|(known, _)| Arc::ptr_eq(known, provider)) {
            Some((_, most)) => *most = usable.max(*most),
            None => by_provider.push((provider, usable)),
        }
    }
    let (first, _) = by_provider.first()?;
    Some((first, by_provider.iter().map(|(_, usable)| usable).sum()))
}
