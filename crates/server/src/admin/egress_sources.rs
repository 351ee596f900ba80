//! The lists that proxies are found in: how each was read, and what of it was left out. Proxies themselves are shown in
//! `egress_proxies.rs`; lists are named in the settings, as `egress.sources`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::page::Page;
use super::time::Time;
use super::who::Admin;
use crate::app::App;
use crate::egress::{LeftOut, Malformed};
use crate::proxy_sources::{self, Source, Which};

/// A list of proxies.
#[derive(Debug, Serialize, ToSchema)]
struct SourceView {
    /// What it is called: its preset, its file, or the host of its URL.
    #[schema(example = "lists.example.com")]
    name: String,
    /// `url`, `file` or `preset`.
    #[schema(example = "url")]
    kind: &'static str,
    /// How it is written: `text` or `json`.
    #[schema(example = "text")]
    format: &'static str,
    /// Whether it was read well the last time; null: it was not read yet.
    ok: Option<bool>,
    /// Why it could not be read the last time. What it held before stays in force.
    #[schema(example = "lists.example.com answered with status 503")]
    problem: Option<String>,
    /// Proxies that it held when it was last read well.
    #[schema(example = 412)]
    proxies: usize,
    left_out: LeftOutView,
    /// The first entries that are no proxies.
    malformed: Vec<MalformedView>,
    /// When it was last read well.
    read_at: Option<Time>,
    /// When it is read again.
    next_at: Time,
}

/// How many entries of a list were left out, and why.
#[derive(Debug, Serialize, ToSchema)]
struct LeftOutView {
    /// They are no proxies.
    #[schema(example = 2)]
    malformed: usize,
    /// They speak something else, such as SOCKS4.
    #[schema(example = 31)]
    unsupported: usize,
    /// Their address is private, loopback, link-local or of a metadata service.
    #[schema(example = 1)]
    out_of_reach: usize,
    /// They are in the list already.
    #[schema(example = 14)]
    repeated: usize,
    /// They come after as many as are taken of a list.
    #[schema(example = 0)]
    too_many: usize,
}

/// An entry that is no proxy.
#[derive(Debug, Serialize, ToSchema)]
struct MalformedView {
    /// Its line, or its place in the array, from 1.
    #[schema(example = 17)]
    at: usize,
    /// What it says, shortened, and without what may be a password.
    #[schema(example = "10.0.0.300:80")]
    text: String,
    /// What is wrong with it.
    #[schema(example = "its host is neither an address nor a name")]
    why: &'static str,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_sources))
        .routes(routes!(refresh_sources))
}

/// The lists that proxies are found in.
#[utoipa::path(get, path = "/api/egress_sources", tag = "pool",
    responses((status = 200, description = "All of them, in the order of the settings.", body = Page<SourceView>)))]
async fn list_sources(State(app): State<Arc<App>>, _: Admin) -> Json<Page<SourceView>> {
    Json(all(&app))
}

/// Read all lists now.
#[utoipa::path(post, path = "/api/egress_sources/refresh", tag = "pool",
    responses((status = 200, description = "The lists, once they are read.", body = Page<SourceView>)))]
async fn refresh_sources(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
) -> Result<Json<Page<SourceView>>, ApiError> {
    proxy_sources::read(&app, Which::All).await;
    let lists = all(&app);
    let count = lists.items.len();
    let line = Event::new(who.name(), Action::Reload, "egress_sources");
    let line = line.details(format!("{count} lists of proxies were read again"));
    app.store.log(&[line], app.clock.now()).await?;
    Ok(Json(lists))
}

fn all(app: &App) -> Page<SourceView> {
    let lists = app.proxy_sources.list();
    Page {
        total: Some(lists.len()),
        items: lists.into_iter().map(SourceView::from).collect(),
        next_cursor: None,
    }
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        let is_read = source.read_at.is_some() || source.problem.is_some();
        Self {
            name: source.name.to_string(),
            kind: match (&source.stated.preset, &source.stated.file) {
                (Some(_), _) => "preset",
                (None, Some(_)) => "file",
                (None, None) => "url",
            },
            format: source.stated.format.name(),
            ok: is_read.then_some(source.problem.is_none()),
            problem: source.problem,
            proxies: source.proxies.len(),
            left_out: source.left_out.into(),
            malformed: source
                .malformed
                .into_iter()
                .map(MalformedView::from)
                .collect(),
            read_at: source.read_at.map(Time),
            next_at: Time(source.next_at),
        }
    }
}

impl From<LeftOut> for LeftOutView {
    fn from(left_out: LeftOut) -> Self {
        Self {
            malformed: left_out.malformed,
            unsupported: left_out.unsupported,
            out_of_reach: left_out.out_of_reach,
            repeated: left_out.repeated,
            too_many: left_out.too_many,
        }
    }
}

impl From<Malformed> for MalformedView {
    fn from(malformed: Malformed) -> Self {
        Self {
            at: malformed.at,
            text: malformed.text,
            why: malformed.why,
        }
    }
}
