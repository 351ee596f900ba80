//! Browsers that call from another origin (`server.cors_origins`). Without the setting nothing is allowed.

use config::Server;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::Body;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
const AN_HOUR: HeaderValue = HeaderValue::from_static("3600");
/// What scripts may read besides the few headers that they always may.
const READABLE: HeaderValue = HeaderValue::from_static(
    "retry-after, retry-after-ms, x-request-id, x-should-retry, x-keymux-request-id, x-keymux-provider, x-keymux-attempts, x-keymux-key, \
     x-goog-upload-url, x-goog-upload-status, x-goog-upload-size-received, \
     x-goog-upload-chunk-granularity, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, \
     x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, \
     x-ratelimit-reset-tokens",
);

/// The origin of a request that the settings let in.
pub(crate) fn allowed_origin(headers: &HeaderMap, server: &Server) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let is_allowed = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
    server
        .cors_origins
        .iter()
        .any(is_allowed)
        .then(|| origin.clone())
}

/// Answers the question that a browser asks before it calls; none where the request is no such question.
pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
    if method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut response = Response::new(Body::full(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    answer.insert(ACCESS_CONTROL_MAX_AGE, AN_HOUR);
    if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    // Caches keep answers to this question apart by what it asks.
    answer.append(VARY, ACCESS_CONTROL_REQUEST_METHOD.into());
    answer.append(VARY, ACCESS_CONTROL_REQUEST_HEADERS.into());
    Some(response)
}

/// Lets scripts of that origin read the answer.
pub(crate) fn allow(answer: &mut HeaderMap, origin: &HeaderValue) {
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READABLE);
}

/// Says that the answer may be another one for another origin, also where this request names none: caches give it to all
/// who ask otherwise.
pub(crate) fn vary(answer: &mut HeaderMap) {
    answer.append(VARY, ORIGIN.into());
}
