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
            let text = text.split(" at line ").next().unwrap_or_default();
            return ApiError::invalid(with_missing(&field, text), in_plain_words(text));
        }
        not_json(&inner)
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// The path of the field that is wrong; of one that is missing only the text says the name.
fn with_missing(path: &str, text: &str) -> String {
    let missing = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    match (missing, path) {
        (Some(name), ".") => name.to_owned(),
        (Some(name), _) => format!("{path}.{name}"),
        (None, _) => path.to_owned(),
    }
}

/// Without the words of the language that keymux is written in.
fn in_plain_words(text: &str) -> String {
    let Some((before, kind)) = text.rsplit_once("expected ") else {
        return text.to_owned();
    };
    let bounds = match kind {
        "u8" => (0, i128::from(u8::MAX)),
        "u16" => (0, i128::from(u16::MAX)),
        "u32" => (0, i128::from(u32::MAX)),
        "u64" | "usize" => (0, i128::from(u64::MAX)),
        "i16" => (i128::from(i16::MIN), i128::from(i16::MAX)),
        "i32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        "i64" => (i128::from(i64::MIN), i128::from(i64::MAX)),
        "f64" => return format!("{before}expected a number"),
        _ => return text.to_owned(),
    };
    format!(
        "{before}expected a whole number from {} to {}",
        bounds.0, bounds.1
    )
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
        let text = match &*text {
            "invalid digit found in string"
            | "cannot parse integer from empty string"
            | "number too large to fit in target type"
            | "number too small to fit in target type" => {
                let value = value_of(&own, &field);
                format!("{field} is {value:?}; expected a whole number that is not too large")
            }
            _ => text,
        };
        ApiError::invalid(field, text)
    })
}

fn value_of(query: &str, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(known, _)| known == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read from text")]
    struct Shape {
        name: String,
        #[serde(default)]
        priority: i16,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read from text")]
    struct Inner {
        weight: u32,
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field_and_what_was_expected() {
        let said = |text: &str| read_json::<Shape>(text.as_bytes()).unwrap_err().detail();
        assert_eq!(said("{}"), "name: missing field `name`");
        assert_eq!(
            said(r#"{"name": "a", "inner": {}}"#),
            "inner.weight: missing field `weight`"
        );
        assert_eq!(
            said(r#"{"name": "a", "priority": 99999}"#),
            "priority: invalid value: integer `99999`, expected a whole number from -32768 to 32767"
        );
        assert_eq!(
            said(r#"{"name": 5}"#),
            "name: invalid type: integer `5`, expected a string"
        );
    }

    #[test]
    fn a_parameter_that_is_no_number_is_said_with_its_value() {
        let said = |query: &str| read_pairs::<Inner>(query, |_| true).unwrap_err().detail();
        let expected = r#"weight: weight is "ab c"; expected a whole number that is not too large"#;
        assert_eq!(said("other=1&weight=ab+c"), expected);
    }
}
