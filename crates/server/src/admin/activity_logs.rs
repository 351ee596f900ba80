//! The activity log: who changed what, and when. Members read what concerns their own things.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Activity};
use serde::{Deserialize, Serialize};
use store::ActivityFilter;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::Params;
use super::page::{Page, Paging, cursor};
use super::time::Time;
use super::who::Who;
use crate::app::App;

/// A line of the activity log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityView {
    #[schema(example = 311)]
    id: i64,
    /// When it was done.
    at: Time,
    /// A user's name, `client:` and a client key's name, `cli`, or `keymux` itself.
    #[schema(example = "admin")]
    actor: String,
    /// For example `ADD`, `UPDATE`, `DELETE`, `IMPORT`, `REVEAL`, `SELECT`, `UNSELECT`, `FAILOVER_EXHAUSTED`.
    #[schema(example = "REVEAL")]
    action: &'static str,
    /// The kind of thing, as in the paths of this API.
    #[schema(example = "keys")]
    resource: String,
    /// Which one: its id, name or address.
    #[schema(example = "17")]
    resource_id: Option<String>,
    #[schema(example = "google")]
    provider: Option<String>,
    /// A sentence.
    #[schema(example = "AIza…9f3c (billing)")]
    details: String,
}

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Lines of this user, client key or program.
    actor: Option<String>,
    /// Lines of this action.
    #[param(example = "REVEAL")]
    action: Option<String>,
    /// Lines about this kind of thing.
    #[param(example = "keys")]
    resource: Option<String>,
    /// Lines about this one.
    resource_id: Option<String>,
    /// Lines about this provider.
    provider: Option<String>,
    /// Not before this instant.
    from: Option<Time>,
    /// Before this instant.
    to: Option<Time>,
    /// Lines whose details hold this text.
    q: Option<String>,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_activity))
}

/// The activity log, newest first.
#[utoipa::path(get, path = "/api/activity_logs", tag = "records", params(Paging, Filter),
    responses((status = 200, description = "A page of it.", body = Page<ActivityView>)))]
async fn list_activity(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<ActivityView>>, ApiError> {
    let filter = ActivityFilter {
        owner: who.only(),
        actor: filter.actor,
        action: filter.action.as_deref().map(read_action).transpose()?,
        resource: filter.resource,
        resource_id: filter.resource_id,
        provider: filter.provider,
        from: filter.from.map(|time| time.0),
        to: filter.to.map(|time| time.0),
        text: filter.q,
    };
    page(&app, &filter, &paging).await.map(Json)
}

/// A page of the log, newest first.
pub(crate) async fn page(
    app: &App,
    filter: &ActivityFilter,
    paging: &Paging,
) -> Result<Page<ActivityView>, ApiError> {
    paging.refuse_order()?;
    let limit = paging.limit()?;
    let before = paging.after::<i64>()?;
    let mut lines = app
        .store
        .activities(filter, before, limit as u64 + 1)
        .await?;
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let last = lines.last().map(|line| line.id).filter(|_| has_more);
    Ok(Page {
        items: lines.into_iter().map(ActivityView::from).collect(),
        next_cursor: last.and_then(|id| cursor(&id)),
        total: None,
    })
}

/// The action of a word; case does not matter.
pub(crate) fn read_action(word: &str) -> Result<Action, ApiError> {
    Action::from_word(&word.to_ascii_uppercase()).ok_or_else(|| {
        let known: Vec<&str> = Action::ALL.iter().map(|action| action.word()).collect();
        let text = format!(
            "{word:?} is no action; expected one of {}",
            known.join(", ")
        );
        ApiError::invalid("action", text)
    })
}

impl From<Activity> for ActivityView {
    fn from(line: Activity) -> Self {
        Self {
            id: line.id,
            at: line.at.into(),
            actor: line.event.actor,
            action: line.event.action.word(),
            resource: line.event.resource.to_owned(),
            resource_id: line.event.resource_id,
            provider: line.event.provider,
            details: line.event.details,
        }
    }
}
