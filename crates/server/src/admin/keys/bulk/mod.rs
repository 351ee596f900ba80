//! Many keys at once, by their ids or by the list's own filter. A few are done before the call is answered; many, and
//! every test, go on as a job. Each step of some hundred keys is one change, with its line in the activity log.

pub(super) mod add;
mod deed;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::KeyId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::edit::KeyChange;
use super::filter::KeyFilter;
use super::probe::checked_model;
use crate::admin::error::{ApiError, ErrorBody};
use crate::admin::input::Input;
use crate::admin::jobs::{JobState, JobView};
use crate::admin::names::Names;
use crate::admin::who::Who;
use crate::app::App;
use deed::{Counts, Deed};

/// Keys up to this many are done before the call is answered.
const FEW: usize = 500;
/// Ids of one call.
const MOST_IDS: usize = 100_000;

/// Which keys: either by id, or by filter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Their ids.
    #[schema(example = json!([17, 18]))]
    ids: Option<Vec<i64>>,
    /// The filter of the list; `{}` means all.
    filter: Option<KeyFilter>,
}

/// Which keys, and with which model.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestSelection {
    /// Their ids.
    #[schema(example = json!([17, 18]))]
    ids: Option<Vec<i64>>,
    /// The filter of the list; `{}` means all.
    filter: Option<KeyFilter>,
    /// The model, as the provider names it; left out: the first that the provider's `health_check` names, or the key
    /// alone.
    #[schema(example = "gemini-flash-latest", max_length = 256)]
    model: Option<String>,
}

/// Which keys, and what changes about them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateSelection {
    /// Their ids.
    #[schema(example = json!([17, 18]))]
    ids: Option<Vec<i64>>,
    /// The filter of the list; `{}` means all.
    filter: Option<KeyFilter>,
    /// What changes.
    set: KeyChange,
}

/// What a bulk call did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkResult {
    /// Keys that were asked for and are there.
    #[schema(example = 2)]
    matched: usize,
    /// Keys that were done.
    #[schema(example = 2)]
    done: usize,
    /// Keys that were left as they were, because a file or the environment states them.
    #[schema(example = 0)]
    skipped: usize,
    /// Keys that were switched on or off by this, so that it can be undone. Left out where nothing was to be switched, and
    /// where more than ten thousand were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!([17, 18]))]
    switched: Option<Vec<i64>>,
}

/// Delete keys.
#[utoipa::path(post, path = "/api/keys/bulk_delete", tag = "keys", request_body = Selection,
    responses(
        (status = 200, description = "They are gone.", body = BulkResult),
        (status = 202, description = "There are many: a job does it.", body = JobView),
        (status = 404, description = "An id is not there.", body = ErrorBody)))]
pub(super) async fn bulk_delete(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<Selection>,
) -> Result<Response, ApiError> {
    let keys = select(&app, &who, input.ids, input.filter).await?;
    start(app, who, Deed::Delete, keys).await
}

/// Forget what speaks against keys.
#[utoipa::path(post, path = "/api/keys/bulk_reset", tag = "keys", request_body = Selection,
    responses(
        (status = 200, description = "They are as new.", body = BulkResult),
        (status = 202, description = "There are many: a job does it.", body = JobView),
        (status = 404, description = "An id is not there.", body = ErrorBody)))]
pub(super) async fn bulk_reset(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<Selection>,
) -> Result<Response, ApiError> {
    let keys = select(&app, &who, input.ids, input.filter).await?;
    start(app, who, Deed::Reset, keys).await
}

/// Ask the provider whether keys work. It costs no quota, and always is a job; all of them together make
/// `health_checks.concurrency` checks at a time.
#[utoipa::path(post, path = "/api/keys/bulk_test", tag = "keys", request_body = TestSelection,
    responses(
        (status = 202, description = "A job asks for one after the other.", body = JobView),
        (status = 404, description = "An id is not there.", body = ErrorBody)))]
pub(super) async fn bulk_test(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<TestSelection>,
) -> Result<Response, ApiError> {
    let model = checked_model(input.model.as_deref())?.map(str::to_owned);
    let keys = select(&app, &who, input.ids, input.filter).await?;
    start(app, who, Deed::Test(model), keys).await
}

/// Change keys.
#[utoipa::path(post, path = "/api/keys/bulk_update", tag = "keys", request_body = UpdateSelection,
    responses(
        (status = 200, description = "They are changed.", body = BulkResult),
        (status = 202, description = "There are many: a job does it.", body = JobView),
        (status = 404, description = "An id is not there.", body = ErrorBody)))]
pub(super) async fn bulk_update(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<UpdateSelection>,
) -> Result<Response, ApiError> {
    input.set.check_egress(&app, &who)?;
    input.set.patch()?;
    let keys = select(&app, &who, input.ids, input.filter).await?;
    start(app, who, Deed::Update(Box::new(input.set)), keys).await
}

/// The keys that are meant. An id that is not there stops it all: nothing is done then.
async fn select(
    app: &App,
    who: &Who,
    ids: Option<Vec<i64>>,
    filter: Option<KeyFilter>,
) -> Result<Vec<KeyId>, ApiError> {
    match (ids, filter) {
        (Some(ids), None) => by_id(app, who, &ids),
        (None, Some(filter)) => {
            let names = Names::load(&app.store).await?;
            let rows = filter.matching(app, who, &names)?;
            Ok(rows.iter().map(|row| row.id).collect())
        }
        _ => {
            let text = "expected either `ids` or `filter`; `{\"filter\": {}}` means all keys";
            Err(ApiError::invalid("ids", text))
        }
    }
}

fn by_id(app: &App, who: &Who, ids: &[i64]) -> Result<Vec<KeyId>, ApiError> {
    if ids.len() > MOST_IDS {
        let text = format!(
            "{} ids; at most {MOST_IDS} are allowed, or use `filter`",
            ids.len()
        );
        return Err(ApiError::invalid("ids", text));
    }
    let mut keys: Vec<KeyId> = ids.iter().copied().map(KeyId).collect();
    keys.sort_unstable();
    keys.dedup();
    let snapshot = app.snapshot.load();
    for &key in &keys {
        let is_there = snapshot
            .key(key)
            .is_some_and(|(_, status)| who.may_touch(status.cell.key.owner));
        if !is_there {
            return Err(ApiError::not_found("key", key));
        }
    }
    Ok(keys)
}

/// Does it at once, or lets a job do it.
async fn start(
    app: Arc<App>,
    who: Who,
    deed: Deed,
    keys: Vec<KeyId>,
) -> Result<Response, ApiError> {
    if keys.len() <= FEW && !deed.is_slow() {
        let mut counts = Counts::default();
        deed.step(&app, &who, &keys, &mut counts).await?;
        let result = BulkResult {
            matched: keys.len(),
            done: counts.done,
            skipped: counts.skipped,
            switched: counts.switched(),
        };
        return Ok(Json(result).into_response());
    }
    let job = app
        .jobs
        .begin(deed.name(), &who, keys.len(), app.clock.now());
    let view = job.view();
    let (tasks, worker) = (app.tasks.clone(), app);
    tasks.spawn(async move {
        job.running();
        let mut counts = Counts::default();
        let ended = deed.run(&worker, &who, &keys, &job, &mut counts).await;
        let state = match &ended {
            Ok(()) if job.is_cancelled() || worker.tasks.are_stopping() => JobState::Cancelled,
            Ok(()) => JobState::Done,
            Err(_) => JobState::Failed,
        };
        let mut result = counts.to_json();
        if let Err(error) = ended {
            error.log();
            result["error"] = Value::String(error.message);
        }
        job.end(state, result, worker.clock.now());
    });
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}
