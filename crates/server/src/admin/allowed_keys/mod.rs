//! Client keys: what callers show, what they may use, and how much. The secret is given once, at creation.
//! Members see and make their own. What the configuration states is changed there.

mod body;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Client, ClientDraft, ClientId, Event, KeySource};
use http::StatusCode;
use metering::Access;
use serde::{Deserialize, Serialize};
use store::{ClientPatch, StoreError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Input, Params};
use super::names::Names;
use super::page::{Order, Page, Paging, slice};
use super::who::Who;
use crate::app::App;
use crate::live::{self, Touched};
use crate::secrets;
use crate::snapshot::KnownClient;
use body::{ClientInput, ClientView};

/// A client key that was made just now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedClient {
    #[serde(flatten)]
    client: ClientView,
    /// The secret. It is not kept, and cannot be shown again.
    #[schema(example = "sk-6YbVnq2Rk8sWfXcJm4ZtHdPa7LgEuKzT9rBvNxAQ")]
    key: String,
}

/// Which client keys.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Those whose name holds this text.
    q: Option<String>,
    /// Those of this user.
    #[param(example = "mei")]
    owner: Option<String>,
    /// Those that are enabled, or that are not.
    enabled: Option<bool>,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_clients, create_client))
        .routes(routes!(get_client, update_client, delete_client))
}

/// Client keys, with what they have used.
#[utoipa::path(get, path = "/api/allowed_keys", tag = "client keys", params(Paging, Filter),
    responses((status = 200, description = "A page of them.", body = Page<ClientView>)))]
async fn list_clients(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<ClientView>>, ApiError> {
    let names = Names::load(&app.store).await?;
    let snapshot = app.snapshot.load();
    let owner = filter.owner.as_deref().map(|name| names.id_of(name));
    let text = filter.q.as_deref().unwrap_or_default().to_lowercase();
    let is_wanted = |known: &&Arc<KnownClient>| {
        let client = &known.client;
        who.may_touch(client.owner)
            && owner.is_none_or(|owner| client.owner == owner && owner.is_some())
            && filter
                .enabled
                .is_none_or(|enabled| client.enabled == enabled)
            && client.name.to_lowercase().contains(&text)
    };
    let mut clients: Vec<_> = snapshot.clients.values().filter(is_wanted).collect();
    sort(&mut clients, paging.order(&["id", "created_at", "name"])?);
    let now = app.clock.now();
    let view = |known: &Arc<KnownClient>| ClientView::new(known, &names, now);
    slice(
        &clients,
        &paging,
        |known| known.client.id.0,
        |known| view(known),
    )
    .map(Json)
}

/// Make a client key. The answer holds its secret, once.
#[utoipa::path(post, path = "/api/allowed_keys", tag = "client keys", request_body = ClientInput,
    responses(
        (status = 201, description = "The key is made, and callers are let in with it.", body = CreatedClient),
        (status = 409, description = "The given secret is a client key already.", body = ErrorBody)))]
async fn create_client(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<ClientInput>,
) -> Result<(StatusCode, Json<CreatedClient>), ApiError> {
    let names = Names::load(&app.store).await?;
    let draft = draft(&app, &who, &names, input, KeySource::Admin)?;
    let secret = secrets::new_client_key().map_err(ApiError::internal)?;
    let now = app.clock.now();
    let change = app.store.change().await?;
    let client = change
        .create_client(&draft, &secret, now)
        .await
        .map_err(taken)?;
    let details = format!("{} ({})", client.name, client.masked);
    change
        .log(&event(&who, Action::Add, &client, details), now)
        .await?;
    live::publish(&app, change, Touched::Clients).await?;
    // From the row itself: its secret is shown now or never, whatever happens to the key meanwhile.
    let known = KnownClient {
        access: Access::of(&client.limits).map_err(ApiError::internal)?,
        meter: app.meters.of(client.id),
        client,
    };
    let created = CreatedClient {
        client: ClientView::new(&known, &names, app.clock.now()),
        key: secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// One client key.
#[utoipa::path(get, path = "/api/allowed_keys/{id}", tag = "client keys",
    params(("id" = i64, Path, description = "The client key.")),
    responses(
        (status = 200, description = "The key, without its secret.", body = ClientView),
        (status = 404, description = "There is no such client key.", body = ErrorBody)))]
async fn get_client(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<Json<ClientView>, ApiError> {
    let known = find(&app, &who, id)?;
    let names = Names::load(&app.store).await?;
    Ok(Json(ClientView::new(&known, &names, app.clock.now())))
}

/// Replace everything about a client key but its secret: what is left out returns to its default.
#[utoipa::path(put, path = "/api/allowed_keys/{id}", tag = "client keys", request_body = ClientInput,
    params(("id" = i64, Path, description = "The client key.")),
    responses(
        (status = 200, description = "The key as it is now.", body = ClientView),
        (status = 404, description = "There is no such client key.", body = ErrorBody),
        (status = 409, description = "The configuration states it.", body = ErrorBody)))]
async fn update_client(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
    Input(input): Input<ClientInput>,
) -> Result<Json<ClientView>, ApiError> {
    let known = find(&app, &who, id)?;
    refuse_fixed(&known.client)?;
    let names = Names::load(&app.store).await?;
    let draft = draft(&app, &who, &names, input, known.client.source)?;
    let now = app.clock.now();
    let change = app.store.change().await?;
    let patch = ClientPatch {
        name: Some(draft.name),
        enabled: Some(draft.enabled),
        expires_at: Some(draft.expires_at),
        owner: Some(draft.owner),
        limits: Some(draft.limits),
    };
    let updated = change.update_client(known.client.id, &patch).await?;
    let client = updated.ok_or_else(|| ApiError::not_found("client key", id))?;
    let details = body::describe(&known.client, &client);
    change
        .log(&event(&who, Action::Update, &client, details), now)
        .await?;
    live::publish(&app, change, Touched::Clients).await?;
    Ok(Json(view(&app, client.id, &names)?))
}

/// Delete a client key: its callers are refused from now on.
#[utoipa::path(delete, path = "/api/allowed_keys/{id}", tag = "client keys",
    params(("id" = i64, Path, description = "The client key.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such client key.", body = ErrorBody),
        (status = 409, description = "The configuration states it.", body = ErrorBody)))]
async fn delete_client(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<StatusCode, ApiError> {
    let known = find(&app, &who, id)?;
    refuse_fixed(&known.client)?;
    let now = app.clock.now();
    let change = app.store.change().await?;
    if !change.delete_client(known.client.id).await? {
        return Err(ApiError::not_found("client key", id));
    }
    let details = format!("{} ({})", known.client.name, known.client.masked);
    change
        .log(&event(&who, Action::Delete, &known.client, details), now)
        .await?;
    live::publish(&app, change, Touched::Clients).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The client key, when it is there for this user.
fn find(app: &App, who: &Who, id: i64) -> Result<Arc<KnownClient>, ApiError> {
    let known = app.snapshot.load().client(ClientId(id));
    known
        .filter(|known| who.may_touch(known.client.owner))
        .ok_or_else(|| ApiError::not_found("client key", id))
}

fn view(app: &App, id: ClientId, names: &Names) -> Result<ClientView, ApiError> {
    let known = app.snapshot.load().client(id);
    let known = known.ok_or_else(|| ApiError::not_found("client key", id))?;
    Ok(ClientView::new(&known, names, app.clock.now()))
}

fn draft(
    app: &App,
    who: &Who,
    names: &Names,
    input: ClientInput,
    source: KeySource,
) -> Result<ClientDraft, ApiError> {
    let owner = names.owner(who, input.owner.as_deref())?;
    Ok(ClientDraft {
        name: body::check_name(&input.name)?,
        enabled: input.enabled,
        expires_at: input.expires_at.map(|time| time.0),
        owner,
        limits: input.limits(app)?,
        source,
    })
}

fn refuse_fixed(client: &Client) -> Result<(), ApiError> {
    let place = match client.source {
        KeySource::Config => "the configuration file (clients)",
        KeySource::Env => "the environment (KEYMUX_CLIENT_KEYS)",
        KeySource::File | KeySource::Admin => return Ok(()),
    };
    let text = format!(
        "{} is fixed by {place}; change it there, and send SIGHUP",
        client.name
    );
    Err(ApiError::conflict("fixed", text))
}

fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Duplicate => ApiError::conflict("duplicate", "it is a client key already"),
        other => other.into(),
    }
}

fn sort(clients: &mut [&Arc<KnownClient>], order: Order<'_>) {
    match order.field {
        "name" => clients.sort_by_key(|known| (known.client.name.to_lowercase(), known.client.id)),
        _ => clients.sort_by_key(|known| known.client.id),
    }
    if order.is_descending {
        clients.reverse();
    }
}

fn event(who: &Who, action: Action, client: &Client, details: String) -> Event {
    Event::new(who.name(), action, "allowed_keys")
        .of(client.owner)
        .about(client.id)
        .details(details)
}
