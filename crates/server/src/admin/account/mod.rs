//! The account API under `/api/v1`: what the holder of a client key does with the provider keys of the key's owner. It
//! knows no sessions and no roles: the client key is everything (`who.rs`), and errors are `{"detail": …}` (`error.rs`).
//! Which key is used first is in `selection.rs`; how requests go through an owner's keys, in `gateway`.

mod activity;
mod edit;
mod error;
mod import;
mod keys;
mod providers;
mod who;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{Request, Uri};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use error::DetailBody;

use super::error::ApiError;
use crate::app::App;
use error::AccountError;

/// The tag of these routes in the document.
pub(super) const TAG: &str = "account";
const ROOT: &str = "/api/v1/";

/// The routes of the account API.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(
            keys::list_account_keys,
            edit::create_account_key,
            edit::delete_account_keys
        ))
        .routes(routes!(import::import_account_keys))
        .routes(routes!(
            keys::get_account_key,
            edit::update_account_key,
            edit::delete_account_key
        ))
        .routes(routes!(activity::list_account_activity))
}

/// An error of the router in the shape of the API that the path belongs to.
pub(super) fn in_its_shape(uri: &Uri, error: ApiError) -> Response {
    if uri.path().starts_with(ROOT) {
        AccountError(error).into_response()
    } else {
        error.into_response()
    }
}

/// Takes the slashes at the end of the path away, which callers of this API may write.
pub(super) fn take_trailing_slashes<B>(request: &mut Request<B>) {
    let path = request.uri().path();
    let tidy = path.trim_end_matches('/');
    if !path.starts_with(ROOT) || tidy.len() == path.len() {
        return;
    }
    let tidy = match request.uri().query() {
        Some(query) => format!("{tidy}?{query}"),
        None => tidy.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(tidy).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}
