//! Models as the pool sees them: how many keys could serve one now, what is cooling, and until when.

mod reset;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use keypool::{CoolingPair, ModelSummary};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::admin::error::ApiError;
use crate::admin::input::Params;
use crate::admin::page::{Page, Paging, holds, slice, turned};
use crate::admin::time::Time;
use crate::admin::who::Who;
use crate::app::App;
use crate::snapshot::{Provider, Snapshot};

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

/// Which models; what is left out does not matter.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ModelFilter {
    /// Models of this provider, and what is known of them there.
    #[param(example = "google")]
    provider: Option<String>,
    /// Models whose name holds this text.
    q: Option<String>,
}

/// The routes of this resource.
pub(in crate::admin) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_models))
        .routes(routes!(reset::reset_model))
}

/// Models that are configured or that providers list, or that were asked for and refused or answered.
#[utoipa::path(get, path = "/api/models", tag = "pool", params(Paging, ModelFilter),
    responses((status = 200, description = "A page of them, by id.", body = Page<ModelView>)))]
async fn list_models(
    State(app): State<Arc<App>>,
    _: Who,
    paging: Paging,
    Params(filter): Params<ModelFilter>,
) -> Result<Json<Page<ModelView>>, ApiError> {
    let order = paging.order(&["id"])?;
    let snapshot = app.snapshot.load();
    let mut models: BTreeMap<String, Vec<ModelAtProvider>> = BTreeMap::new();
    let providers = snapshot.providers.iter();
    for provider in providers.filter(|provider| filter.is_of(provider)) {
        let names = named(&app, &snapshot, provider);
        for (model, view) in of_provider(provider, names, app.clock.now()) {
            models.entry(model).or_default().push(view);
        }
    }
    let wanted = models
        .into_iter()
        .filter(|(model, _)| holds(filter.q.as_deref(), &[model]));
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

impl ModelFilter {
    fn is_of(&self, provider: &Provider) -> bool {
        let wanted = self.provider.as_deref();
        wanted.is_none_or(|wanted| wanted == &*provider.name)
    }
}

/// Models that the configuration names, or that the provider lists where it names none.
fn named(app: &App, snapshot: &Snapshot, provider: &Provider) -> BTreeSet<String> {
    let settings = snapshot.config.providers.get(&*provider.name);
    let configured = settings.into_iter().flat_map(|settings| {
        let checked = settings.health_check.model.iter();
        settings
            .models
            .iter()
            .chain(&settings.default_model)
            .chain(checked)
    });
    let lists = app.catalog.lists();
    let listed = lists
        .get(&provider.name)
        .into_iter()
        .flat_map(|list| list.iter());
    let listed = listed.filter(|_| provider.models.is_empty());
    configured.chain(listed).cloned().collect()
}

/// Models that something is known of, and those that are only named.
fn of_provider(
    provider: &Provider,
    named: BTreeSet<String>,
    now: UnixMs,
) -> Vec<(String, ModelAtProvider)> {
    let pool = provider.pool();
    let known = pool.models(MOST_NAMED, now).into_iter();
    let mut models: BTreeMap<String, ModelSummary> = known
        .map(|summary| (summary.model.clone(), summary))
        .collect();
    for model in named {
        models
            .entry(model)
            .or_insert_with_key(|model| ModelSummary {
                usable: pool.usable(model, now),
                ..ModelSummary::of(model)
            });
    }
    let view = |(model, summary)| (model, ModelAtProvider::new(&provider.name, summary));
    models.into_iter().map(view).collect()
}

impl ModelAtProvider {
    fn new(provider: &str, summary: ModelSummary) -> Self {
        let earliest = summary.earliest.into_iter();
        let cooling_projects: Vec<CoolingProject> = earliest.map(CoolingProject::from).collect();
        Self {
            provider: provider.to_owned(),
            usable_keys: summary.usable,
            cooling: summary.cooling,
            next_reset_at: cooling_projects.first().map(|first| first.until),
            cooling_projects,
            requests_today: summary.day_requests,
        }
    }
}

impl From<CoolingPair> for CoolingProject {
    fn from(pair: CoolingPair) -> Self {
        Self {
            project: pair.project,
            until: pair.until.into(),
            reason: pair.class.name(),
        }
    }
}
