//! What is left of the Pacific day: for each model that was used in it, how many requests its projects may still take, and
//! whether that lasts. Providers tell nobody their daily limits in advance. What is known is how many requests a project
//! had answered when its day was said to be used up; where that happened to none, nothing is foretold.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use domain::{Class, PairState, UnixMs};
use keypool::{ModelDay, PacificDay};
use serde::Serialize;
use store::{Dimension, SeriesQuery, Span};
use utoipa::ToSchema;

use crate::admin::error::ApiError;
use crate::admin::time::Time;
use crate::admin::who::Who;
use crate::app::App;

const HOUR: Duration = Duration::from_secs(3600);
/// Models that are told of: those with the most requests.
const MOST: usize = 50;

/// What is left of the day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CapacityView {
    /// When daily quotas come back: midnight in Los Angeles.
    resets_at: Time,
    /// The models that were used in this day, those with the most requests first; fifty at most.
    items: Vec<ModelCapacity>,
}

/// What is left of a model's day.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct ModelCapacity {
    /// With its provider.
    #[schema(example = "google/gemini-2.5-flash")]
    id: String,
    /// Keys of the pool that a request for it could take now.
    #[schema(example = 17)]
    usable_keys: usize,
    /// Projects that have a key in use.
    #[schema(example = 12)]
    projects: usize,
    /// Those whose quota for this model is used up for the day.
    #[schema(example = 3)]
    projects_used_up: usize,
    /// Requests that the provider has accepted in this Pacific day.
    #[schema(example = 1250)]
    requests_today: u64,
    /// Requests that succeeded in the last 60 minutes.
    #[schema(example = 140)]
    requests_last_hour: u64,
    /// Requests that a project has in a day: the median of those that are used up; null: none is.
    #[schema(example = 250)]
    daily_limit: Option<u64>,
    /// What the other projects have left of that; null: the limit is not known.
    #[schema(example = 1890)]
    left_today: Option<u64>,
    /// When that is used up at the rate of the last hour; null: not before the reset, or not known.
    exhausted_at: Option<Time>,
}

/// What is left of the day: estimated from projects whose daily quota is used up already.
#[utoipa::path(get, path = "/api/stats/capacity", tag = "stats",
    responses((status = 200, description = "The shared pool's, by model.", body = CapacityView)))]
pub(super) async fn get_capacity(
    State(app): State<Arc<App>>,
    _: Who,
) -> Result<Json<CapacityView>, ApiError> {
    let now = app.clock.now();
    let ends = PacificDay::at(now).ends;
    let rates = last_hour(&app, now).await?;
    let mut items = Vec::new();
    for provider in app.snapshot.load().providers.iter() {
        let pool = provider.pool();
        for day in pool.days(|state| is_used_up(state, now, ends)) {
            let id = format!("{}/{}", provider.name, day.model);
            let rate = rates.get(&id).copied().unwrap_or_default();
            let usable = pool.usable(&day.model, now);
            items.push(ModelCapacity::of(&day, id, usable, rate, now, ends));
        }
    }
    items.sort_by(|one, other| {
        let by_use = other.requests_today.cmp(&one.requests_today);
        by_use.then_with(|| one.id.cmp(&other.id))
    });
    items.truncate(MOST);
    let resets_at = Time(ends);
    Ok(Json(CapacityView { resets_at, items }))
}

/// Requests of the last hour that succeeded, by model.
async fn last_hour(app: &App, now: UnixMs) -> Result<HashMap<String, u64>, ApiError> {
    let query = SeriesQuery {
        dimension: Dimension::Model,
        values: None,
        from: now - HOUR,
        to: now,
        span: Span::Minute,
    };
    let totals = app.store.totals(&query, u64::from(u32::MAX)).await?;
    let succeeded = totals.into_iter().map(|total| {
        let figures = total.figures;
        (total.value, figures.requests.saturating_sub(figures.failed))
    });
    Ok(succeeded.collect())
}

/// Whether the pair is locked until its day is over.
fn is_used_up(state: &PairState, now: UnixMs, ends: UnixMs) -> bool {
    state.cooling.is_some_and(|cooling| {
        cooling.until > now && cooling.until >= ends && cooling.class == Class::QuotaDaily
    })
}

impl ModelCapacity {
    fn of(
        day: &ModelDay,
        id: String,
        usable_keys: usize,
        requests_last_hour: u64,
        now: UnixMs,
        ends: UnixMs,
    ) -> Self {
        let used_up = day.asked.iter().filter(|(_, is_used_up)| *is_used_up);
        let daily_limit = median(used_up.clone().map(|(answered, _)| *answered).collect());
        let left_today = daily_limit.map(|limit| {
            let open = day.asked.iter().filter(|(_, is_used_up)| !is_used_up);
            let left = open.map(|(answered, _)| limit.saturating_sub(*answered));
            let not_asked = day.projects.saturating_sub(day.asked.len()) as u64;
            left.sum::<u64>() + limit * not_asked
        });
        Self {
            id,
            usable_keys,
            projects: day.projects,
            projects_used_up: used_up.count(),
            requests_today: day.requests,
            requests_last_hour,
            daily_limit,
            left_today,
            exhausted_at: left_today
                .and_then(|left| used_up_at(left, requests_last_hour, now, ends))
                .map(Time),
        }
    }
}

/// The middle one of those that say something: a project that was used up elsewhere has answered nothing here.
fn median(mut limits: Vec<u64>) -> Option<u64> {
    limits.retain(|limit| *limit > 0);
    limits.sort_unstable();
    limits.get(limits.len() / 2).copied()
}

/// When so many requests have been made at this rate; none: not in this day.
fn used_up_at(left: u64, per_hour: u64, now: UnixMs, ends: UnixMs) -> Option<UnixMs> {
    if per_hour == 0 {
        return None;
    }
    let hours = (left as f64 / per_hour as f64).min(48.0);
    let at = now + HOUR.mul_f64(hours);
    (at < ends).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);

    fn capacity(projects: &[(u64, bool)], per_hour: u64) -> ModelCapacity {
        let asked = projects.iter().filter(|it| **it != (0, false));
        let day = ModelDay {
            model: "m".to_owned(),
            projects: projects.len(),
            asked: asked.copied().collect(),
            requests: projects.iter().map(|it| it.0).sum(),
        };
        let id = "google/m".to_owned();
        ModelCapacity::of(&day, id, 1, per_hour, NOW, NOW + 10 * HOUR)
    }

    #[test]
    fn what_is_left_is_known_by_projects_that_are_used_up() {
        let seen = capacity(
            &[(20, true), (19, true), (500, true), (5, false), (0, false)],
            10,
        );
        assert_eq!((seen.daily_limit, seen.left_today), (Some(20), Some(35)));
        assert_eq!((seen.projects, seen.projects_used_up), (5, 3));
        assert_eq!(seen.exhausted_at.map(|at| at.0), Some(NOW + HOUR * 7 / 2));
    }

    #[test]
    fn nothing_is_foretold_without_a_project_that_is_used_up_or_without_requests() {
        let unknown = capacity(&[(5, false), (0, false)], 10);
        assert_eq!((unknown.left_today, unknown.exhausted_at), (None, None));
        let idle = capacity(&[(20, true), (5, false)], 0);
        assert_eq!((idle.left_today, idle.exhausted_at), (Some(15), None));
        let silent = capacity(&[(0, true), (5, false)], 10);
        assert_eq!(silent.daily_limit, None);
    }

    #[test]
    fn what_lasts_until_the_reset_is_not_exhausted() {
        assert_eq!(capacity(&[(200, true), (0, false)], 20).exhausted_at, None);
        let over = capacity(&[(20, true)], 20);
        assert_eq!(
            (over.left_today, over.exhausted_at),
            (Some(0), Some(Time(NOW)))
        );
    }
}
