//! Models as the pool sees them: how many keys could serve one now, what is cooling, and until when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Cooling, UnixMs};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::Params;
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::time::Time;
use super::who::Who;
use crate::app::App;
use crate::snapshot::Provider;

/// Cooling projects that are named one by one; the others are counted.
const MOST_NAMED: usize = 100;

/// A model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ModelView {
    /// With its provider, as requests in OpenAI's dialect name it.
    #[schema(example = "google/gemini-2.5-flash")]
    id: String,
    #[schema(example = "gemini-2.5-flash")]
    model: String,
    /// The providers that have it.
    providers: Vec<ModelAtProvider>,
}

/// A model at one provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ModelAtProvider {
    #[schema(example = "google")]
    provider: String,
    /// Keys of the pool that a request for it could take now.
    #[schema(example = 17)]
    usable_keys: usize,
    /// Projects whose quota for it is used up for now.
    #[schema(example = 2)]
    cooling: usize,
    /// When the first of them is free again.
    next_reset_at: Option<Time>,
    /// The first hundred of them, by when they are free.
    cooling_projects: Vec<CoolingProject>,
    /// Requests that providers have accepted in this Pacific day.
    #[schema(example = 1250)]
    requests_today: u64,
}

/// A project that is cooling for a model.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CoolingProject {
    /// Its label; for a key without one, `key:` and the key's id.
    #[schema(example = "team-a")]
    project: String,
    /// When it is free again.
    until: Time,
    /// The class of the refusal.
    #[schema(example = "quota_daily")]
    reason: &'static str,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_models))
}

/// Models that are configured, or that were asked for and refused or answered.
#[utoipa::path(get, path = "/api/models", tag = "pool", params(Paging, TextFilter),
    responses((status = 200, description = "A page of them, by id.", body = Page<ModelView>)))]
async fn list_models(
    State(app): State<Arc<App>>,
    _: Who,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<ModelView>>, ApiError> {
    let order = paging.order(&["id"])?;
    let snapshot = app.snapshot.load();
    let mut models: BTreeMap<String, Vec<ModelAtProvider>> = BTreeMap::new();
    for provider in snapshot.providers.iter() {
        let settings = snapshot.config.providers.get(&*provider.name);
        let configured = settings.into_iter().flat_map(|settings| {
            let checked = settings.health_check.model.iter();
            settings
                .models
                .iter()
                .chain(&settings.default_model)
                .chain(checked)
        });
        for view in of_provider(provider, configured.cloned().collect(), app.clock.now()) {
            models.entry(view.0).or_default().push(view.1);
        }
    }
    let wanted = models
        .into_iter()
        .filter(|(model, _)| filter.matches(&[model]));
    let rows = wanted.map(|(model, providers)| ModelView {
        id: match providers.first() {
            Some(first) => format!("{}/{model}", first.provider),
            None => model.clone(),
        },
        model,
        providers,
    });
    let rows = turned(rows.collect(), order);
    slice(&rows, &paging, |row| row.id.clone(), Clone::clone).map(Json)
}

fn of_provider(
    provider: &Provider,
    configured: BTreeSet<String>,
    now: UnixMs,
) -> Vec<(String, ModelAtProvider)> {
    let mut cooling: BTreeMap<String, Vec<(UnixMs, String, Cooling)>> = BTreeMap::new();
    let mut requests: BTreeMap<String, u64> = BTreeMap::new();
    for (pair, state) in provider.pool().pairs() {
        *requests.entry(pair.model.clone()).or_default() += u64::from(state.day_requests);
        let row = state.cooling.filter(|cooling| cooling.until > now);
        let rows = cooling.entry(pair.model).or_default();
        rows.extend(row.map(|cooling| (cooling.until, pair.project, cooling)));
    }
    let known = cooling.keys().filter(|model| !model.is_empty()).cloned();
    let models: BTreeSet<String> = known.chain(configured).collect();
    let view = |model: String| {
        let mut rows = cooling.remove(&model).unwrap_or_default();
        rows.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        let view = ModelAtProvider {
            provider: provider.name.to_string(),
            usable_keys: provider.pool().usable(&model),
            cooling: rows.len(),
            next_reset_at: rows.first().map(|row| Time(row.0)),
            requests_today: requests.get(&model).copied().unwrap_or_default(),
            cooling_projects: rows
                .into_iter()
                .take(MOST_NAMED)
                .map(CoolingProject::from)
                .collect(),
        };
        (model, view)
    };
    models.into_iter().map(view).collect()
}

impl From<(UnixMs, String, Cooling)> for CoolingProject {
    fn from((until, project, cooling): (UnixMs, String, Cooling)) -> Self {
        Self {
            project,
            until: until.into(),
            reason: cooling.class.name(),
        }
    }
}
