//! What belongs to projects of the providers: files, caches, batches and the like, and who made them. What is at the
//! provider itself is asked for through the callers' endpoints.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, ClientId, Event, Resource, ResourceName, UnixMs};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{ResourceFilter, ResourcePlace};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::Params;
use super::names::Names;
use super::page::{Page, Paging, cursor};
use super::time::Time;
use super::who::{Admin, Who};
use crate::app::App;

/// Something that belongs to a project.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResourceView {
    #[schema(example = "google")]
    provider: String,
    /// Its name there.
    #[schema(example = "files/abc-123")]
    name: String,
    /// What it is one of.
    #[schema(example = "files")]
    collection: String,
    /// The project whose keys reach it; of a key without one, `key:` and its id.
    #[schema(example = "team-a")]
    project: String,
    /// The client key that it was made with; null: a caller without one made it.
    #[schema(example = 3)]
    client_id: Option<i64>,
    /// What that client key is called; null where there is none any more.
    #[schema(example = "app")]
    client: Option<String>,
    /// The user whose client key that was.
    #[schema(example = "alice")]
    owner: Option<String>,
    created_at: Time,
    /// When the provider deletes it, as far as that is known.
    expires_at: Option<Time>,
}

/// Which resources.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Of this provider.
    #[param(example = "google")]
    provider: Option<String>,
    /// Of this kind.
    #[param(example = "files")]
    collection: Option<String>,
    /// Of this project.
    #[param(example = "team-a")]
    project: Option<String>,
    /// Made with the client key of this id.
    client_id: Option<i64>,
    /// Those whose name holds this text.
    q: Option<String>,
}

/// One resource.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of which provider.
    #[param(example = "google")]
    provider: String,
    /// Its name there.
    #[param(example = "files/abc-123")]
    name: String,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_resources, forget_resource))
}

/// What belongs to projects, newest first. Members see what their own client keys made.
#[utoipa::path(get, path = "/api/resources", tag = "resources", params(Paging, Filter),
    responses((status = 200, description = "A page of them.", body = Page<ResourceView>)))]
async fn list_resources(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<ResourceView>>, ApiError> {
    paging.refuse_order()?;
    let filter = ResourceFilter {
        provider: filter.provider,
        collection: filter.collection,
        project: filter.project,
        client: filter.client_id.map(ClientId),
        owner: who.only(),
        text: filter.q,
    };
    let limit = paging.limit()?;
    let after: Option<(i64, String, String)> = paging.after()?;
    let after = after.map(|(created_at, provider, name)| ResourcePlace {
        created_at: UnixMs(created_at),
        provider,
        name,
    });
    let now = app.clock.now();
    let listed = app
        .store
        .list_resources(&filter, after.as_ref(), limit as u64 + 1, now);
    let mut listed = listed.await?;
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let last = listed.last().filter(|_| has_more);
    let names = Names::load(&app.store).await?;
    let snapshot = app.snapshot.load();
    let view = |resource: &Resource| ResourceView {
        provider: resource.provider.to_string(),
        name: resource.name.to_string(),
        collection: resource.name.collection().to_owned(),
        project: resource.project.to_string(),
        client_id: resource.client.map(|client| client.0),
        client: resource
            .client
            .and_then(|id| snapshot.client(id))
            .map(|known| known.client.name.clone()),
        owner: names.of(resource.owner),
        created_at: resource.created_at.into(),
        expires_at: resource.expires_at.map(Time::from),
    };
    Ok(Json(Page {
        next_cursor: last
            .and_then(|it| cursor(&(it.created_at.0, &*it.provider, it.name.as_str()))),
        items: listed.iter().map(view).collect(),
        total: None,
    }))
}

/// Forget whose a resource is. It stays at the provider, and nobody reaches it by keymux any more.
#[utoipa::path(delete, path = "/api/resources", tag = "resources", params(Which),
    responses(
        (status = 204, description = "It is forgotten."),
        (status = 404, description = "It is not known.", body = super::error::ErrorBody)))]
async fn forget_resource(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Params(which): Params<Which>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found("resource", &which.name);
    let name = ResourceName::new(&which.name).ok_or_else(not_found)?;
    let provider: Arc<str> = which.provider.as_str().into();
    if !app.resources.forget(&app.store, &provider, &name).await? {
        return Err(not_found());
    }
    let event = Event::new(who.name(), Action::Delete, "resources")
        .about(name.as_str())
        .at(&which.provider)
        .details("forgotten here, and not deleted at the provider".to_owned());
    app.store.log(&[event], app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
