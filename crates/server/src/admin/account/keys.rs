//! An owner's provider keys, as they are read. Changes are in `edit.rs`; the keys' standing is what the running pools
//! know.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, KeyId, UserId};
use keypool::KeyStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{AccountError, DetailBody, InDetail, Query};
use super::providers::check_provider;
use super::who::Account;
use crate::activity::{about, shown};
use crate::admin::error::ApiError;
use crate::admin::input::Id;
use crate::admin::keys::{Standing, Status};
use crate::admin::page::{Page, Paging, slice};
use crate::admin::time::Time;
use crate::app::App;

/// A provider key of the owner's, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountKey {
    #[schema(example = 17)]
    id: i64,
    /// The provider that it is a key of.
    #[schema(example = "google")]
    provider_name: String,
    /// What its owner calls it.
    #[schema(example = "billing")]
    name: Option<String>,
    /// The key as it may be shown.
    #[schema(example = "AIza…9f3c")]
    masked_key: String,
    /// It is used before the owner's other keys for the provider. At most one is.
    is_selected: bool,
    /// False: the owner, or an operator, has switched it off.
    enabled: bool,
    /// Whether it may be used now.
    status: Status,
    /// Why it is cooling or invalid, for example `billing` or `suspended`.
    #[schema(example = "billing")]
    reason: Option<&'static str>,
    /// When it may be used again.
    cooling_until: Option<Time>,
    /// When it was added.
    created_at: Time,
}

/// A provider key of the owner's with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountKeyDetail {
    #[serde(flatten)]
    key: AccountKey,
    /// The key itself.
    #[schema(example = "AIzaSyD-0123456789abcdefghijklmnopqrstu")]
    api_key: String,
}

/// Which of the owner's keys.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Keys of this provider.
    #[param(example = "google")]
    #[serde(alias = "provider_name")]
    provider: Option<String>,
}

/// The owner's keys, in order of creation.
#[utoipa::path(get, path = "/api/v1/provider-keys", tag = "account", params(Paging, Filter),
    responses((status = 200, description = "A page of them.", body = Page<AccountKey>)))]
pub(super) async fn list_account_keys(
    State(app): State<Arc<App>>,
    account: Account,
    InDetail(paging): InDetail<Paging>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<AccountKey>>, AccountError> {
    if let Some(name) = &filter.provider {
        check_provider(&app, "provider", name)?;
    }
    let mut keys = owned(&app, account.owner, filter.provider.as_deref());
    let order = paging.order(&["created_at", "id"])?;
    keys.sort_by_key(|status| status.id);
    if order.is_descending {
        keys.reverse();
    }
    let now = app.clock.now();
    let page = slice(
        &keys,
        &paging,
        |status| status.id.0,
        |status| AccountKey::new(status, now),
    );
    Ok(page.map(Json)?)
}

/// One key, with its secret. Each look is written into the activity log.
#[utoipa::path(get, path = "/api/v1/provider-keys/{id}", tag = "account",
    params(("id" = i64, Path, description = "The key.", example = 17)),
    responses(
        (status = 200, description = "The key.", body = AccountKeyDetail),
        (status = 404, description = "The owner has no such key.", body = DetailBody)))]
pub(super) async fn get_account_key(
    State(app): State<Arc<App>>,
    account: Account,
    InDetail(Id(id)): InDetail<Id<i64>>,
) -> Result<Json<AccountKeyDetail>, AccountError> {
    let status = find(&app, account.owner, id)?;
    let key = &status.cell.key;
    let now = app.clock.now();
    let line = about(key, &account.actor, Action::Reveal, shown(key));
    app.store.log(&[line], now).await?;
    Ok(Json(AccountKeyDetail {
        key: AccountKey::new(&status, now),
        api_key: key.secret.expose().to_owned(),
    }))
}

/// The owner's key of that id; somebody else's is as if it were not there.
pub(super) fn find(app: &App, owner: UserId, id: i64) -> Result<KeyStatus, ApiError> {
    let snapshot = app.snapshot.load();
    let mut pools = snapshot
        .providers
        .iter()
        .filter_map(|provider| provider.pools.of(owner));
    let found = pools.find_map(|pool| pool.status(KeyId(id)));
    found.ok_or_else(|| ApiError::not_found("key", id))
}

/// The owner's keys, of one provider or of all.
pub(super) fn owned(app: &App, owner: UserId, provider: Option<&str>) -> Vec<KeyStatus> {
    let snapshot = app.snapshot.load();
    let wanted = snapshot
        .providers
        .iter()
        .filter(|known| provider.is_none_or(|name| *known.name == *name));
    let pools = wanted.filter_map(|provider| provider.pools.of(owner));
    pools.flat_map(|pool| pool.statuses()).collect()
}

impl AccountKey {
    pub(super) fn new(status: &KeyStatus, now: domain::UnixMs) -> Self {
        let key = &status.cell.key;
        let standing = Standing::of(status, now);
        Self {
            id: key.id.0,
            provider_name: key.provider.to_string(),
            name: key.label.clone(),
            masked_key: key.secret.masked(),
            is_selected: key.selected,
            enabled: key.enabled,
            status: standing.status,
            reason: standing.reason,
            cooling_until: standing.cooling_until,
            created_at: key.created_at.into(),
        }
    }
}
