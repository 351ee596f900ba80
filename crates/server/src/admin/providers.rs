//! The providers that keymux speaks to, with their keys by state, and the ways on which they are reached.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use keypool::Census;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::Params;
use super::page::{Page, Paging, TextFilter, slice, turned};
use super::who::{Admin, Who};
use crate::app::App;

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
}

/// A way on which requests leave.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EgressView {
    /// `direct`, or a proxy without its credentials.
    #[schema(example = "direct")]
    name: String,
    /// `direct`, `http`, `https` or `socks5`.
    #[schema(example = "direct")]
    kind: &'static str,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_providers))
        .routes(routes!(list_egress))
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
        ProviderView {
            name: (*name).clone(),
            kind: settings.kind.name(),
            base_url: settings.base_url.as_str().to_owned(),
            default_model: settings.default_model.clone(),
            in_use: spoken.is_some(),
            keys: spoken.map_or_else(KeyCounts::default, |it| it.pools.census(now).into()),
        }
    };
    slice(&rows, &paging, |(name, _)| (*name).clone(), view).map(Json)
}

/// The ways on which requests leave. Proxies are not in this version: requests leave directly.
#[utoipa::path(get, path = "/api/egress_proxies", tag = "pool",
    params(Paging, TextFilter),
    responses((status = 200, description = "A page of them, by name.", body = Page<EgressView>)))]
async fn list_egress(
    State(app): State<Arc<App>>,
    _: Admin,
    paging: Paging,
    Params(filter): Params<TextFilter>,
) -> Result<Json<Page<EgressView>>, ApiError> {
    let order = paging.order(&["name"])?;
    let mut names = vec![app.direct.to_string()];
    names.retain(|name| filter.matches(&[name]));
    let view = |name: &String| EgressView {
        name: name.clone(),
        kind: "direct",
    };
    slice(&turned(names, order), &paging, Clone::clone, view).map(Json)
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
