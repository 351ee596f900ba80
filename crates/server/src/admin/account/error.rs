//! The errors of the account API: those of the admin API in another shape, `{"detail": …}`. Extractors of the admin API
//! are wrapped in [`InDetail`], so that what they refuse has that shape too.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::StoreError;
use utoipa::ToSchema;

use crate::admin::error::ApiError;
use crate::admin::input::read_pairs;
use crate::admin::page::Paging;
use crate::app::App;
use crate::gateway::caller::without_credentials;

/// A failure of an account call.
#[derive(Debug)]
pub(super) struct AccountError(pub(super) ApiError);

/// The body of every error under `/api/v1`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin) struct DetailBody {
    /// A sentence for people, with the field that is wrong before it.
    #[schema(example = "provider_name: \"openai\" is no provider; expected google")]
    detail: String,
}

impl IntoResponse for AccountError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        error.log();
        let detail = error.detail();
        let mut response = (error.status, Json(DetailBody { detail })).into_response();
        error.add_retry_after(&mut response);
        response
    }
}

impl From<ApiError> for AccountError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

/// What an extractor of the admin API reads, or its error in the shape of this API.
#[derive(Debug)]
pub(super) struct InDetail<E>(pub(super) E);

impl<E: FromRequest<Arc<App>, Rejection = ApiError>> FromRequest<Arc<App>> for InDetail<E> {
    type Rejection = AccountError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, AccountError> {
        let read = E::from_request(request, app).await;
        read.map(Self).map_err(AccountError)
    }
}

impl<E: FromRequestParts<Arc<App>, Rejection = ApiError>> FromRequestParts<Arc<App>>
    for InDetail<E>
{
    type Rejection = AccountError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AccountError> {
        let read = E::from_request_parts(parts, app).await;
        read.map(Self).map_err(AccountError)
    }
}

/// The query's parameters, without those of [`Paging`] and without the client key, which may be one of them.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = AccountError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, AccountError> {
        let query = without_credentials(parts.uri.query().unwrap_or_default());
        let read = read_pairs(&query, |name| !Paging::NAMES.contains(&name));
        read.map(Self).map_err(AccountError)
    }
}
