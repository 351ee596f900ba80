//! Provider keys: list, show, add, change, delete, reset, test, alone and in bulk. How a key stands is what the running
//! pools know; what it is, is in the store. Members see and change their own.

mod bulk;
mod edit;
mod egress;
mod export;
mod filter;
mod probe;
mod view;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, Key, KeyId};
use keypool::KeyStatus;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{ApiError, ErrorBody};
use super::input::{Id, Params};
use super::names::Names;
use super::page::{Page, Paging, slice};
use super::who::{Admin, Who};
use crate::activity::{self, shown};
use crate::app::App;
use crate::snapshot::Provider;
use filter::KeyFilter;
pub(super) use view::KeyView;
use view::{KeyDetail, KeyStanding};

pub(super) use bulk::add::{AddResult, add, read};
pub(super) use edit::{add_key, checked_label, is_there, refuse_fixed, refuse_stated};
pub(super) use view::{Standing, Status};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, edit::create_key))
        .routes(routes!(export::export_keys))
        .routes(routes!(bulk::add::bulk_add))
        .routes(routes!(bulk::bulk_delete))
        .routes(routes!(bulk::bulk_reset))
        .routes(routes!(bulk::bulk_test))
        .routes(routes!(bulk::bulk_update))
        .routes(routes!(get_key, edit::update_key, edit::delete_key))
        .routes(routes!(list_standings))
        .routes(routes!(get_standing))
        .routes(routes!(edit::reset_key))
        .routes(routes!(probe::test_key))
}

/// Keys, as they stand now.
#[utoipa::path(get, path = "/api/keys", tag = "keys", params(Paging, KeyFilter),
    responses((status = 200, description = "A page of them.", body = Page<KeyView>)))]
async fn list_keys(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<KeyFilter>,
) -> Result<Json<Page<KeyView>>, ApiError> {
    let names = Names::load(&app.store).await?;
    let rows = filter.sorted(&app, &who, &names, &paging)?;
    let now = app.clock.now();
    slice(
        &rows,
        &paging,
        |row| row.id.0,
        |row| KeyView::new(row, &names, now),
    )
    .map(Json)
}

/// One key, with its secret and with what is known of each model. Each look is written into the activity log.
#[utoipa::path(get, path = "/api/keys/{id}", tag = "keys",
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 200, description = "The key.", body = KeyDetail),
        (status = 404, description = "There is no such key.", body = ErrorBody)))]
async fn get_key(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Id(id): Id<i64>,
) -> Result<Json<KeyDetail>, ApiError> {
    let (provider, status) = find(&app, &who, id)?;
    let names = Names::load(&app.store).await?;
    let key = &status.cell.key;
    app.store
        .log(
            &[event(&who, Action::Reveal, key, shown(key))],
            app.clock.now(),
        )
        .await?;
    let checks = app.checks.of_key(&provider.name, status.id);
    Ok(Json(KeyDetail::new(
        &provider,
        &status,
        &checks,
        &names,
        app.clock.now(),
    )))
}

/// One key without its secret, with what is known of each model. Nothing is revealed, so nothing is written down.
#[utoipa::path(get, path = "/api/keys/{id}/standing", tag = "keys",
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 200, description = "The key as it stands now.", body = KeyStanding),
        (status = 404, description = "There is no such key.", body = ErrorBody)))]
async fn get_standing(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<Json<KeyStanding>, ApiError> {
    let (provider, status) = find(&app, &who, id)?;
    let names = Names::load(&app.store).await?;
    let checks = app.checks.of_key(&provider.name, status.id);
    let now = app.clock.now();
    let standing = KeyStanding::new(&provider, &status, &checks, &names, now);
    Ok(Json(standing))
}

/// Keys as `/api/keys` lists them, each with what is known of its models: what the grid of keys and models shows.
#[utoipa::path(get, path = "/api/keys/standings", tag = "keys", params(Paging, KeyFilter),
    responses((status = 200, description = "A page of them.", body = Page<KeyStanding>)))]
async fn list_standings(
    State(app): State<Arc<App>>,
    who: Who,
    paging: Paging,
    Params(filter): Params<KeyFilter>,
) -> Result<Json<Page<KeyStanding>>, ApiError> {
    let (names, now) = (Names::load(&app.store).await?, app.clock.now());
    let rows = filter.sorted(&app, &who, &names, &paging)?;
    let snapshot = app.snapshot.load();
    let standing = |row: &KeyStatus| {
        // A provider that the configuration has just lost takes its keys with it.
        let provider = snapshot.provider(&row.cell.key.provider)?;
        let checks = app.checks.of_key(&provider.name, row.id);
        Some(KeyStanding::new(provider, row, &checks, &names, now))
    };
    let page = slice(&rows, &paging, |row| row.id.0, standing)?;
    Ok(Json(Page {
        items: page.items.into_iter().flatten().collect(),
        next_cursor: page.next_cursor,
        total: page.total,
    }))
}

/// The key, when it is there for this user.
fn find(app: &App, who: &Who, id: i64) -> Result<(Arc<Provider>, KeyStatus), ApiError> {
    let snapshot = app.snapshot.load();
    let found = snapshot.key(KeyId(id));
    found
        .filter(|(_, status)| who.may_touch(status.cell.key.owner))
        .map(|(provider, status)| (provider.clone(), status))
        .ok_or_else(|| ApiError::not_found("key", id))
}

fn event(who: &Who, action: Action, key: &Key, details: String) -> Event {
    activity::about(key, &who.name(), action, details)
}
