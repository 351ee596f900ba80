//! What a call brings: a JSON body, a query, a path, each refused in the API's own words when it is wrong.

use axum::body::Bytes;
use axum::body::HttpBody as _;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::page::Paging;

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Input<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(CONTENT_TYPE).cloned();
        let is_json = kind.as_ref().is_none_or(|kind| {
            let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
            kind.split(';').next().unwrap_or_default().trim() == "application/json"
        });
        if !is_json {
            let text = "the body must be application/json";
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                text,
            ));
        }
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|error: BytesRejection| {
                    ApiError::new(error.status(), "bad_body", error.body_text())
                })?;
        read_json(&bytes).map(Self)
    }
}

/// A JSON body that may be left out.
#[derive(Debug)]
pub(crate) struct MaybeInput<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeInput<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        let Input(input) = Input::from_request(request, state).await?;
        Ok(Self(input))
    }
}

/// Reads JSON; what is no JSON is 400, what has another shape is 422 with its field.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            let text = inner.to_string();
            let text = text
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned();
            return ApiError::invalid(field, text);
        }
        not_json(&inner)
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> ApiError {
    let text = format!("the body is no JSON: {error}");
    ApiError::new(StatusCode::BAD_REQUEST, "bad_json", text)
}

/// The query's parameters, without those of [`Paging`]; unknown ones are refused when `T` denies them.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read_query(&parts.uri, |name| !Paging::NAMES.contains(&name)).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read_query(&parts.uri, |name| Self::NAMES.contains(&name))
    }
}

/// Reads those parameters of the query whose names are taken.
pub(crate) fn read_query<T: DeserializeOwned>(
    uri: &Uri,
    takes: impl Fn(&str) -> bool,
) -> Result<T, ApiError> {
    read_pairs(uri.query().unwrap_or_default(), takes)
}

/// Reads those parameters of a query's text whose names are taken.
pub(crate) fn read_pairs<T: DeserializeOwned>(
    query: &str,
    takes: impl Fn(&str) -> bool,
) -> Result<T, ApiError> {
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let own: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && takes(&name(pair)))
        .collect();
    // Nothing that is stored holds a NUL, and PostgreSQL refuses to compare with one.
    if let Some(pair) = own.iter().find(|pair| pair.contains("%00")) {
        return Err(ApiError::invalid(name(pair), "it holds a NUL character"));
    }
    let own = own.join("&");
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(own.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let field = error.path().to_string();
        let text = error.into_inner().to_string();
        // An unknown parameter has no path; its name stands in the text.
        let named = text.split('`').nth(1).unwrap_or("query");
        let field = if field == "." {
            named.to_owned()
        } else {
            field
        };
        ApiError::invalid(field, text)
    })
}

/// The path's parameter; one that cannot be an id names nothing.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = parts.uri.path().to_owned();
        if path.contains("%00") {
            return Err(ApiError::not_found("resource", path));
        }
        let read = Path::<T>::from_request_parts(parts, state).await;
        let Path(id) = read.map_err(|_: PathRejection| ApiError::not_found("resource", path))?;
        Ok(Self(id))
    }
}

/// A field that may be left out, and that null empties.
#[expect(
    clippy::option_option,
    reason = "left out, null and a value are three things"
)]
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}
