//! Tries a key by hand. What the provider says changes how the key stands, as an answer to a caller would: a key that
//! works is used again, one that does not is taken out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use domain::{Action, Class, KeyId, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use super::{event, find, shown};
use crate::admin::error::{ApiError, ErrorBody};
use crate::admin::input::Id;
use crate::admin::who::Who;
use crate::app::App;
use crate::probe::probe;
use crate::snapshot::Provider;

/// What a test found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestResult {
    #[schema(example = 17)]
    pub(super) id: i64,
    /// Whether the provider takes the key.
    pub(super) works: bool,
    /// What the answer means, for example `ok`, `key_invalid`, `network`.
    #[schema(example = "key_invalid")]
    pub(super) class: &'static str,
    /// More exactly.
    #[schema(example = "api_key_invalid")]
    pub(super) reason: &'static str,
    /// How long the provider took, in milliseconds.
    #[schema(example = 84.2)]
    latency_ms: f64,
}

/// Ask the provider whether a key works. It costs no quota.
#[utoipa::path(post, path = "/api/keys/{id}/test", tag = "keys",
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 200, description = "What the provider said.", body = TestResult),
        (status = 404, description = "There is no such key.", body = ErrorBody)))]
pub(super) async fn test_key(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<Json<TestResult>, ApiError> {
    let (provider, status) = find(&app, &who, id)?;
    let result = try_key(&app, &provider, status.id).await;
    let key = &status.cell.key;
    let result = result.ok_or_else(|| ApiError::not_found("key", id))?;
    app.saver.save(&app).await?;
    let details = format!("{}: {}", shown(key), result.reason);
    app.store
        .log(&[event(&who, Action::Test, key, details)], app.clock.now())
        .await?;
    Ok(Json(result))
}

/// Tries a key, and lets the pool know; none: it is gone.
pub(super) async fn try_key(app: &App, provider: &Provider, id: KeyId) -> Option<TestResult> {
    let status = provider.pools.status(id)?;
    let began = Instant::now();
    let verdict = probe(&provider.origin, &status.cell.key).await;
    let took = began.elapsed();
    tell_pool(app, provider, id, &verdict, took);
    Some(TestResult {
        id: id.0,
        works: verdict.class == Class::Ok,
        class: verdict.class.name(),
        reason: verdict.reason,
        latency_ms: took.as_secs_f64() * 1e3,
    })
}

fn tell_pool(app: &App, provider: &Provider, id: KeyId, verdict: &Verdict, took: Duration) {
    let now = app.clock.now();
    let Some(pool) = provider.pools.holding(id) else {
        return;
    };
    match pool.lease_key(id, now) {
        // Without a model: the answer is about the key.
        Ok(lease) => pool.report(&lease, "", verdict, took, now),
        // A retired key cannot be leased; that it works brings it back.
        Err(_) if verdict.class == Class::Ok => pool.reset(id, now),
        Err(_) => {}
    }
}
