//! Many provider keys of an owner added at once: the admin API's `bulk_add`, for the owner alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{KeyDraft, KeySource};
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::{AccountError, InDetail};
use super::providers::check_provider;
use super::who::Account;
use crate::admin::input::Input;
use crate::admin::keys::{AddResult, add, read};
use crate::app::App;

/// Keys to add: either a list, or a text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountImport {
    /// `google`, `xai`, `gigachat` or `perplexity`, as far as this version speaks to them.
    #[schema(example = "google")]
    provider_name: String,
    /// One key each; the place in the list counts as the line.
    #[schema(example = json!(["AIzaSyD-0123456789abcdefghijklmnopqrstu"]))]
    keys: Option<Vec<String>>,
    /// Keys separated by lines, blanks, commas or semicolons; `#` begins a comment.
    #[schema(example = "AIzaSyE-0123456789abcdefghijklmnopqrstu # second account")]
    text: Option<String>,
}

/// Add many keys. Those that are known already, or are none, are told apart.
#[utoipa::path(post, path = "/api/v1/provider-keys/import", tag = "account", request_body = AccountImport,
    responses((status = 200, description = "What became of each.", body = AddResult)))]
pub(super) async fn import_account_keys(
    State(app): State<Arc<App>>,
    account: Account,
    InDetail(Input(input)): InDetail<Input<AccountImport>>,
) -> Result<Json<AddResult>, AccountError> {
    check_provider(&app, "provider_name", &input.provider_name)?;
    let found = read(input.keys, input.text)?;
    let template = KeyDraft {
        owner: Some(account.owner),
        ..KeyDraft::plain(&input.provider_name, "", KeySource::Admin)
    };
    let reader = Some(account.owner);
    let added = add(&app, &account.actor, &template, found, reader).await?;
    Ok(Json(added))
}
