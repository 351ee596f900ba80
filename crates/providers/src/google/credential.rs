//! How a key is shown to Google.

use domain::Secret;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};

use crate::Place;

const API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Adds the key: as `x-goog-api-key`, under `/v1beta/openai/` as bearer.
///
/// The newer `AQ.` keys are refused as bearer anywhere else (401 `ACCESS_TOKEN_TYPE_UNSUPPORTED`).
/// The header is marked sensitive. Fails for a key that no header can carry.
pub fn authenticate(
    headers: &mut HeaderMap,
    key: &Secret,
    place: Place,
) -> Result<(), InvalidHeaderValue> {
    let (name, mut value) = if place == Place::OpenAi {
        let bearer = format!("Bearer {}", key.expose());
        (AUTHORIZATION, HeaderValue::try_from(bearer)?)
    } else {
        (API_KEY, HeaderValue::from_str(key.expose())?)
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(place: Place, name: &str, value: &str) {
        let mut headers = HeaderMap::new();
        authenticate(&mut headers, &Secret::new("AQ.k"), place).unwrap();
        assert_eq!(headers.len(), 1);
        assert_eq!(headers[name], value);
        assert!(headers[name].is_sensitive());
    }

    #[test]
    fn a_key_is_a_bearer_only_on_openai_paths() {
        check(Place::Model, "x-goog-api-key", "AQ.k");
        check(Place::Resource, "x-goog-api-key", "AQ.k");
        check(Place::Interactions, "x-goog-api-key", "AQ.k");
        check(Place::Live, "x-goog-api-key", "AQ.k");
        check(Place::OpenAi, "authorization", "Bearer AQ.k");
    }

    #[test]
    fn a_key_with_a_line_break_is_refused() {
        let mut headers = HeaderMap::new();
        assert!(authenticate(&mut headers, &Secret::new("a\nb"), Place::Model).is_err());
        assert!(headers.is_empty());
    }
}
