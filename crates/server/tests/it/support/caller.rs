//! What callers ask: requests with the client key of every test gateway, and with keys that tests make.
//! Whoever makes such a key is in `operator.rs`.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;

use super::{CLIENT_KEY, MODEL, request};

/// A client key that was made while keymux runs.
#[derive(Clone, Debug)]
pub(crate) struct ClientKey {
    pub(crate) id: i64,
    pub(crate) secret: String,
}

impl ClientKey {
    /// Where the admin API has it.
    pub(crate) fn path(&self) -> String {
        format!("/api/allowed_keys/{}", self.id)
    }

    /// A `POST` with this key.
    pub(crate) fn post(&self, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        self.send("POST", path, &[], body)
    }

    /// Any call with this key, and with more headers.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Request<Full<Bytes>> {
        let headers = [&[("x-goog-api-key", &*self.secret)], more].concat();
        request(method, path, &headers, body)
    }

    /// A request for the model's answer.
    pub(crate) fn generate(&self) -> Request<Full<Bytes>> {
        generate_as(&self.secret)
    }

    /// A request for the model's answer as events.
    pub(crate) fn stream(&self) -> Request<Full<Bytes>> {
        self.post(&stream_path(), prompt("Say hello"))
    }
}

/// Where a model is asked for an answer.
pub(crate) fn generate_path(model: &str) -> String {
    format!("/v1beta/models/{model}:generateContent")
}

/// Where the model is asked for events.
fn stream_path() -> String {
    format!("/v1beta/models/{MODEL}:streamGenerateContent?alt=sse")
}

/// A request for the model's answer.
pub(crate) fn generate() -> Request<Full<Bytes>> {
    post(&generate_path(MODEL), prompt("Say hello"))
}

/// A request for the model's answer with this client key.
pub(crate) fn generate_as(secret: &str) -> Request<Full<Bytes>> {
    let headers = [("x-goog-api-key", secret)];
    request("POST", &generate_path(MODEL), &headers, prompt("Say hello"))
}

/// A request for the model's answer as events.
pub(crate) fn stream() -> Request<Full<Bytes>> {
    post(&stream_path(), prompt("Say hello"))
}

/// The body of a request with one prompt.
pub(crate) fn prompt(text: &str) -> Bytes {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
        .to_string()
        .into()
}

/// A `POST` of JSON with [`CLIENT_KEY`].
pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("content-type", "application/json"),
    ];
    request("POST", path, &headers, body)
}
