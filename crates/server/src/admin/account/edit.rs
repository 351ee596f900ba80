//! An owner's provider keys, as they are changed: added, renamed, switched off, selected, deleted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, Key, KeyDraft, KeySource};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::KeyPatch;
use utoipa::{IntoParams, ToSchema};

use super::error::{AccountError, DetailBody, InDetail, Query};
use super::keys::{AccountKey, find, owned};
use super::providers::check_provider;
use super::who::Account;
use crate::activity::{about, shown};
use crate::admin::error::ApiError;
use crate::admin::input::{Id, Input, present};
use crate::admin::keys::{add_key, checked_label, is_there, refuse_fixed, refuse_stated};
use crate::app::App;
use crate::key_text::problem_with;
use crate::live::{self, Touched};
use crate::selection;

/// A new key of the owner's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccountKey {
    /// `google`, `xai`, `gigachat` or `perplexity`, as far as this version speaks to them.
    #[schema(example = "google")]
    provider_name: String,
    /// The key itself; `key` is taken too.
    #[serde(alias = "key")]
    #[schema(
        example = "AIzaSyD-0123456789abcdefghijklmnopqrstu",
        min_length = 8,
        max_length = 512
    )]
    api_key: String,
    /// What it is called; `label` is taken too.
    #[serde(alias = "label")]
    #[schema(example = "billing", max_length = 100)]
    name: Option<String>,
}

/// What changes about a key; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "left out, null and a value are three things"
)]
pub(super) struct AccountKeyChange {
    /// What it is called; `label` is taken too, null takes the name away.
    #[serde(default, deserialize_with = "present", alias = "label")]
    #[schema(value_type = Option<String>, example = "billing", max_length = 100)]
    name: Option<Option<String>>,
    /// True: it is used first from now on, in place of the one that was. False: it is not.
    #[schema(example = true)]
    is_selected: Option<bool>,
    /// False takes it out of use.
    #[schema(example = true)]
    enabled: Option<bool>,
}

/// Which keys are deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountDeletion {
    /// All keys of this provider; `provider` is taken too.
    #[serde(alias = "provider")]
    #[param(example = "google")]
    provider_name: String,
}

/// How many keys were deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountDeleted {
    /// Keys that are gone.
    #[schema(example = 3)]
    deleted: u64,
    /// Keys that stay, because the configuration states them.
    #[schema(example = 0)]
    skipped: usize,
}

/// Add a key. The owner's first one for a provider is selected.
#[utoipa::path(post, path = "/api/v1/provider-keys", tag = "account", request_body = NewAccountKey,
    responses(
        (status = 201, description = "The key is in use.", body = AccountKey),
        (status = 409, description = "The provider has this key already.", body = DetailBody)))]
pub(super) async fn create_account_key(
    State(app): State<Arc<App>>,
    account: Account,
    InDetail(Input(input)): InDetail<Input<NewAccountKey>>,
) -> Result<(StatusCode, Json<AccountKey>), AccountError> {
    check_provider(&app, "provider_name", &input.provider_name)?;
    let word = input.api_key.trim();
    if let Some(reason) = problem_with(word) {
        return Err(ApiError::invalid("api_key", reason).into());
    }
    let draft = KeyDraft {
        label: checked_label("name", input.name.as_deref())?,
        owner: Some(account.owner),
        ..KeyDraft::plain(&input.provider_name, word, KeySource::Admin)
    };
    let Some(id) = add_key(&app, &account.actor, &draft).await? else {
        return Err(is_there(&input.provider_name).into());
    };
    let status = find(&app, account.owner, id.0)?;
    let key = AccountKey::new(&status, app.clock.now());
    Ok((StatusCode::CREATED, Json(key)))
}

/// Rename a key, switch it off or on, or select it.
#[utoipa::path(patch, path = "/api/v1/provider-keys/{id}", tag = "account", request_body = AccountKeyChange,
    params(("id" = i64, Path, description = "The key.", example = 17)),
    responses(
        (status = 200, description = "The key as it is now.", body = AccountKey),
        (status = 404, description = "The owner has no such key.", body = DetailBody),
        (status = 409, description = "The configuration states it.", body = DetailBody)))]
pub(super) async fn update_account_key(
    State(app): State<Arc<App>>,
    account: Account,
    InDetail(Id(id)): InDetail<Id<i64>>,
    InDetail(Input(input)): InDetail<Input<AccountKeyChange>>,
) -> Result<Json<AccountKey>, AccountError> {
    let status = find(&app, account.owner, id)?;
    let key = &status.cell.key;
    if input.name.is_some() {
        refuse_fixed(key)?;
    }
    let now = app.clock.now();
    let change = app.store.change().await?;
    let mut touched = Vec::new();
    if let Some(patch) = input.patch()? {
        if change.update_keys(&[key.id], &patch).await? == 0 {
            return Err(ApiError::not_found("key", id).into());
        }
        let details = format!("{}: {}", shown(key), describe(&patch));
        let line = about(key, &account.actor, Action::Update, details);
        change.log(&line, now).await?;
        touched.push(key.id);
    }
    touched.extend(match input.is_selected {
        Some(true) => selection::select(&app.store, &change, key, &account.actor, now).await?,
        Some(false) => selection::unselect(&change, key, &account.actor, now).await?,
        None => Vec::new(),
    });
    if !touched.is_empty() {
        live::publish(&app, change, Touched::Keys(touched)).await?;
    }
    let status = find(&app, account.owner, id)?;
    Ok(Json(AccountKey::new(&status, app.clock.now())))
}

/// Delete a key. Where it was the selected one, the next in order of creation is selected.
#[utoipa::path(delete, path = "/api/v1/provider-keys/{id}", tag = "account",
    params(("id" = i64, Path, description = "The key.", example = 17)),
    responses(
        (status = 204, description = "It is gone; requests under way with it go on."),
        (status = 404, description = "The owner has no such key.", body = DetailBody),
        (status = 409, description = "The configuration states it.", body = DetailBody)))]
pub(super) async fn delete_account_key(
    State(app): State<Arc<App>>,
    account: Account,
    InDetail(Id(id)): InDetail<Id<i64>>,
) -> Result<StatusCode, AccountError> {
    let status = find(&app, account.owner, id)?;
    let key = &status.cell.key;
    refuse_stated(key)?;
    let line = about(key, &account.actor, Action::Delete, shown(key));
    match delete(&app, std::slice::from_ref(key), &line).await? {
        0 => Err(ApiError::not_found("key", id).into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Delete all keys of a provider.
#[utoipa::path(delete, path = "/api/v1/provider-keys", tag = "account", params(AccountDeletion),
    responses((status = 200, description = "They are gone.", body = AccountDeleted)))]
pub(super) async fn delete_account_keys(
    State(app): State<Arc<App>>,
    account: Account,
    Query(which): Query<AccountDeletion>,
) -> Result<Json<AccountDeleted>, AccountError> {
    let name = which.provider_name;
    check_provider(&app, "provider_name", &name)?;
    let all = owned(&app, account.owner, Some(&name)).into_iter();
    let all: Vec<Key> = all.map(|status| status.cell.key.clone()).collect();
    let (free, fixed): (Vec<Key>, Vec<Key>) =
        all.into_iter().partition(|key| refuse_stated(key).is_ok());
    let line = Event::new(account.actor, Action::Delete, "keys")
        .of(account.owner)
        .at(&name)
        .details(format!("all {} keys of the provider", free.len()));
    let deleted = delete(&app, &free, &line).await?;
    let skipped = fixed.len();
    Ok(Json(AccountDeleted { deleted, skipped }))
}

/// Deletes keys as one change; says how many there were. Where there were none, nothing is written.
async fn delete(app: &App, keys: &[Key], line: &Event) -> Result<u64, AccountError> {
    let now = app.clock.now();
    let change = app.store.change().await?;
    change.log(line, now).await?;
    let deleted = selection::delete_keys(&app.store, &change, keys, now).await?;
    if deleted.count > 0 {
        let gone = keys.iter().map(|key| key.id);
        let touched = gone.chain(deleted.selected).collect();
        live::publish(app, change, Touched::Keys(touched)).await?;
    }
    Ok(deleted.count)
}

impl AccountKeyChange {
    /// What changes about the key itself; none where nothing does.
    fn patch(&self) -> Result<Option<KeyPatch>, ApiError> {
        let name = self.name.as_ref();
        let label = name
            .map(|name| checked_label("name", name.as_deref()))
            .transpose()?;
        let patch = KeyPatch {
            label,
            enabled: self.enabled,
            ..KeyPatch::default()
        };
        Ok((patch != KeyPatch::default()).then_some(patch))
    }
}

/// In the words of the activity log.
fn describe(patch: &KeyPatch) -> String {
    let name = patch.label.as_ref().map(|name| match name {
        Some(name) => format!("name {name}"),
        None => "no name".to_owned(),
    });
    let switched = patch
        .enabled
        .map(|enabled| if enabled { "enabled" } else { "disabled" }.to_owned());
    let all: Vec<String> = name.into_iter().chain(switched).collect();
    all.join(", ")
}
