//! Long bulk operations: they go on after the call is answered, tell how far they are, and can be cancelled. They live
//! in memory: a restart ends them, and what they had done by then stays done.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, UnixMs, UserId};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Params};
use super::page::{Page, Paging, TextFilter, slice};
use super::time::Time;
use super::who::Who;
use crate::app::App;

/// Finished jobs that can still be asked about.
const MOST_KEPT: usize = 100;

/// All jobs, the newest with the largest number.
///
/// A mutex around a map: jobs begin seldom, and while they work they only count.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<BTreeMap<i64, Arc<Job>>>);

/// One job.
#[derive(Debug)]
pub(crate) struct Job {
    id: i64,
    kind: &'static str,
    owner: UserId,
    begun_at: UnixMs,
    total: usize,
    done: AtomicUsize,
    outcome: Mutex<Outcome>,
    cancel: CancellationToken,
}

#[derive(Clone, Debug)]
struct Outcome {
    state: JobState,
    result: Value,
    ended_at: Option<UnixMs>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// A job as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    #[schema(example = 4)]
    id: i64,
    /// What it does: `bulk_delete`, `bulk_reset`, `bulk_test`, `bulk_update`.
    #[schema(example = "bulk_test")]
    kind: &'static str,
    state: JobState,
    /// Keys that it is through with.
    #[schema(example = 1200)]
    done: usize,
    /// Keys that it has to do with.
    #[schema(example = 10_000)]
    total: usize,
    /// Counts so far, and what went wrong.
    #[schema(value_type = Option<Object>, example = json!({"works": 1188, "failed": 12}))]
    result: Value,
    /// When it was asked for.
    begun_at: Time,
    /// When it was over.
    ended_at: Option<Time>,
}

impl Jobs {
    /// A new job, which is queued.
    pub(crate) fn begin(
        &self,
        kind: &'static str,
        who: &Who,
        total: usize,
        now: UnixMs,
    ) -> Arc<Job> {
        let mut jobs = self.lock();
        let id = jobs.last_key_value().map_or(1, |(last, _)| last + 1);
        let job = Arc::new(Job {
            id,
            kind,
            owner: who.user.id,
            begun_at: now,
            total,
            done: AtomicUsize::new(0),
            outcome: Mutex::new(Outcome {
                state: JobState::Queued,
                result: Value::Null,
                ended_at: None,
            }),
            cancel: CancellationToken::new(),
        });
        jobs.insert(id, job.clone());
        let over: Vec<i64> = jobs
            .values()
            .filter(|job| job.is_over())
            .map(|job| job.id)
            .collect();
        for old in over.iter().take(over.len().saturating_sub(MOST_KEPT)) {
            jobs.remove(old);
        }
        job
    }

    fn find(&self, id: i64, who: &Who) -> Result<Arc<Job>, ApiError> {
        let job = self.lock().get(&id).cloned();
        job.filter(|job| who.may_touch(Some(job.owner)))
            .ok_or_else(|| ApiError::not_found("job", id))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Arc<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    pub(crate) fn running(&self) {
        self.outcome().state = JobState::Running;
    }

    /// Some more is done; `result` is what it came to so far.
    pub(crate) fn progress(&self, more: usize, result: Value) {
        self.done.fetch_add(more, Ordering::Relaxed);
        self.outcome().result = result;
    }

    /// It is over.
    pub(crate) fn end(&self, state: JobState, result: Value, now: UnixMs) {
        *self.outcome() = Outcome {
            state,
            result,
            ended_at: Some(now),
        };
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Ends when somebody cancels it.
    pub(crate) async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    pub(crate) fn view(&self) -> JobView {
        let outcome = self.outcome().clone();
        JobView {
            id: self.id,
            kind: self.kind,
            state: outcome.state,
            done: self.done.load(Ordering::Relaxed),
            total: self.total,
            result: outcome.result,
            begun_at: self.begun_at.into(),
            ended_at: outcome.ended_at.map(Time),
        }
    }

    fn is_over(&self) -> bool {
        self.outcome().ended_at.is_some()
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(get_job, cancel_job))
}

/// Jobs since the start, newest first.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", params(Paging, TextFilter),
    responses((status = 200, description = "Those that go on, and the last hundred that are over.", body = Page<JobView>)))]
async fn list_jobs(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<JobView>>, ApiError> {
    paging.refuse_order()?;
    let mut jobs: Vec<Arc<Job>> = app.jobs.lock().values().rev().cloned().collect();
    jobs.retain(|job| who.may_touch(Some(job.owner)) && filter.matches(&[job.kind]));
    slice(&jobs, &paging, |job| job.id, |job| job.view()).map(Json)
}

/// How far a job is.
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "jobs",
    params(("id" = i64, Path, description = "The job.")),
    responses(
        (status = 200, description = "The job as it is now.", body = JobView),
        (status = 404, description = "There is no such job.", body = ErrorBody)))]
async fn get_job(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<Json<JobView>, ApiError> {
    Ok(Json(app.jobs.find(id, &who)?.view()))
}

/// Cancel a job. What it has done stays done.
#[utoipa::path(delete, path = "/api/jobs/{id}", tag = "jobs",
    params(("id" = i64, Path, description = "The job.")),
    responses(
        (status = 204, description = "It ends soon, or had ended."),
        (status = 404, description = "There is no such job.", body = ErrorBody)))]
async fn cancel_job(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<StatusCode, ApiError> {
    let job = app.jobs.find(id, &who)?;
    if !job.is_over() {
        job.cancel.cancel();
        let event = Event::new(who.name(), Action::Cancel, "jobs")
            .of(job.owner)
            .about(id)
            .details(format!(
                "{} after {} keys",
                job.kind,
                job.done.load(Ordering::Relaxed)
            ));
        app.store.log(&[event], app.clock.now()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
