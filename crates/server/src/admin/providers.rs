//! The providers that keymux speaks to, with their keys by state.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use keypool::{Census, Existence};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::Params;
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::who::Who;
use crate::app::App;
use crate::checks::CheckedModel;

/// Keys by state.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct KeyCounts {
    /// All of them.
    #[schema(example = 20)]
    total: usize,
    /// Usable, for some models at least.
    #[schema(example = 17)]
    pub(crate) active: usize,
    /// Not to be used before an instant.
    #[schema(example = 2)]
    cooling: usize,
    /// Out of use until they are reset or a check finds that they work again.
    #[schema(example = 1)]
    invalid: usize,
    /// Switched off.
    #[schema(example = 0)]
    disabled: usize,
}

/// An upstream API.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProviderView {
    #[schema(example = "google")]
    name: String,
    /// What it speaks: `gemini`, `openai`, `perplexity` or `gigachat`.
    #[schema(example = "gemini")]
    kind: &'static str,
    /// Where it is reached.
    #[schema(example = "https://generativelanguage.googleapis.com")]
    base_url: String,
    /// The model of requests that name none.
    #[schema(example = "gemini-flash-latest")]
    default_model: Option<String>,
    /// False: this version does not speak to it.
    in_use: bool,
    keys: KeyCounts,
    /// The models that its keys are checked with, and how they fare.
    checked_models: Vec<CheckedModelView>,
    /// What is wrong with its configuration, as far as checks of its keys have shown.
    #[schema(example = json!(["no key has the model gemini-flsh-latest of health_check: correct it"]))]
    warnings: Vec<String>,
}

/// How a model fares with the keys of a provider that are switched on.
#[derive(Debug, Serialize, ToSchema)]
struct CheckedModelView {
    /// As the provider names it; null: the keys alone, where no model is listed or in use.
    #[schema(example = "gemini-flash-latest")]
    model: Option<String>,
    /// Whether `health_check` names it; if not, callers have asked for it in the last day.
    is_listed: bool,
    /// Every key that was asked says that there is no such model. No key is judged by it then.
    is_missing: bool,
    /// Keys whose last check has succeeded.
    #[schema(example = 17)]
    works: usize,
    /// Keys whose last check has not.
    #[schema(example = 2)]
    fails: usize,
    /// Keys that were not checked yet.
    #[schema(example = 1)]
    unchecked: usize,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_providers))
}

/// Every provider of the configuration.
#[utoipa::path(get, path = "/api/providers", tag = "pool", params(Paging, TextFilter),
    responses((status = 200, description = "A page of them, by name.", body = Page<ProviderView>)))]
async fn list_providers(
    State(app): State<Arc<App>>,
    _: Who,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<ProviderView>>, ApiError> {
    let order = paging.order(&["name"])?;
    let snapshot = app.snapshot.load();
    let now = app.clock.now();
    let all = snapshot.config.providers.iter();
    let wanted = all.filter(|(name, _)| filter.matches(&[name]));
    let rows = turned(wanted.collect(), order);
    let view = |(name, settings): &(&String, &config::Provider)| {
        let spoken = snapshot.provider(name);
        let models = app.checks.models(name);
        ProviderView {
            name: (*name).clone(),
            kind: settings.kind.name(),
            base_url: settings.base_url.as_str().to_owned(),
            default_model: settings.default_model.clone(),
            in_use: spoken.is_some(),
            keys: spoken.map_or_else(KeyCounts::default, |it| it.pools.census(now).into()),
            warnings: models.iter().filter_map(warning).collect(),
            checked_models: models.into_iter().map(CheckedModelView::from).collect(),
        }
    };
    slice(&rows, &paging, |(name, _)| (*name).clone(), view).map(Json)
}

fn warning(model: &CheckedModel) -> Option<String> {
    let is_missing = model.checks.existence == Existence::Missing;
    let name = &model.checks.model;
    (is_missing && model.is_listed)
        .then(|| format!("no key has the model {name} of health_check: correct it"))
}

impl From<CheckedModel> for CheckedModelView {
    fn from(model: CheckedModel) -> Self {
        let name = model.checks.model.to_string();
        Self {
            model: Some(name).filter(|name| !name.is_empty()),
            is_listed: model.is_listed,
            is_missing: model.checks.existence == Existence::Missing,
            works: model.checks.works,
            fails: model.checks.fails,
            unchecked: model.checks.unchecked,
        }
    }
}

impl From<Census> for KeyCounts {
    fn from(census: Census) -> Self {
        Self {
            total: census.total,
            active: census.active,
            cooling: census.cooling,
            invalid: census.invalid,
            disabled: census.disabled,
        }
    }
}

impl std::ops::AddAssign for KeyCounts {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.active += other.active;
        self.cooling += other.cooling;
        self.invalid += other.invalid;
        self.disabled += other.disabled;
    }
}
