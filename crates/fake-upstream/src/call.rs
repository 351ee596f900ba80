//! One request, read as far as every route needs it: version, path segments, query, credential and
//! the shape in which errors must be answered. Bodies are read by the routes in the providers' folders.

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

/// The wrapping of an error body, which on Google's and xAI's side depends on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    /// `{"error":{"code":429,…}}`.
    Object,
    /// `[{"error":{…}}]`: streams without `alt=sse`, and the OpenAI-compatible paths.
    Array,
    /// `{"error":{"code":"rate_limit_exceeded","message":…}}`.
    Interactions,
    /// As the provider composed it.
    Plain,
    /// xAI's errors in OpenAI's form.
    OpenAi,
}

/// How a caller identified itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    None,
    ApiKey(String),
    Bearer(String),
}

/// A request whose body has been read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The decoded path.
    pub(crate) path: String,
    /// The query as on the wire.
    pub(crate) raw_query: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) credential: Credential,
    /// Whose request this is, as rules and the record name it.
    pub(crate) key: Option<String>,
    /// Where it came from.
    pub(crate) peer: IpAddr,
    pub(crate) body: Bytes,
    /// `v1`, `v1beta` or `v1alpha`; empty for any other path.
    pub(crate) version: &'static str,
    /// The path begins with `/upload/`.
    pub(crate) upload: bool,
    /// What follows the version, without its slash.
    pub(crate) rest: String,
}

impl Call {
    pub(crate) fn read(parts: Parts, body: Bytes, key: Option<String>, peer: IpAddr) -> Self {
        let credential = credential(&parts);
        let path = decoded(parts.uri.path());
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        let query = pairs(&raw_query);
        let upload = path.starts_with("/upload/");
        let (version, rest) = version_and_rest(path.strip_prefix("/upload").unwrap_or(&path));
        let rest = rest.to_owned();
        Self {
            method: parts.method,
            headers: parts.headers,
            path,
            raw_query,
            query,
            credential,
            key,
            peer,
            body,
            version,
            upload,
            rest,
        }
    }

    /// The first value of a query parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// A request header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The bearer token, which is what everybody but Google looks at.
    pub(crate) fn bearer(&self) -> Option<&str> {
        bearer(&self.headers)
    }

    /// The model that the path names, or else the body.
    pub(crate) fn model(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Named {
            model: String,
        }
        let in_body = || serde_json::from_slice(&self.body).ok();
        self.path_model()
            .map(ToOwned::to_owned)
            .or_else(|| in_body().map(|named: Named| named.model))
    }

    /// Splits `models/x:generateContent` into resource and method; the method is empty without colon.
    pub(crate) fn resource_and_method(&self) -> (&str, &str) {
        self.rest.rsplit_once(':').unwrap_or((&self.rest, ""))
    }

    /// The model that the path names, without `models/`.
    pub(crate) fn path_model(&self) -> Option<&str> {
        let (resource, _) = self.resource_and_method();
        ["models/", "tunedModels/", "dynamic/"]
            .iter()
            .find_map(|collection| resource.strip_prefix(collection))
            .filter(|id| !id.is_empty() && !id.contains('/'))
    }

    pub(crate) fn is_openai(&self) -> bool {
        self.rest.starts_with("openai/")
    }

    pub(crate) fn is_interactions(&self) -> bool {
        self.rest == "interactions" || self.rest.starts_with("interactions/")
    }

    pub(crate) fn wants_sse(&self) -> bool {
        self.param("alt") == Some("sse")
    }

    pub(crate) fn error_shape(&self) -> ErrorShape {
        let array_stream =
            self.resource_and_method().1 == "streamGenerateContent" && !self.wants_sse();
        if self.is_interactions() {
            ErrorShape::Interactions
        } else if array_stream || self.is_openai() {
            ErrorShape::Array
        } else {
            ErrorShape::Object
        }
    }
}

/// The credential's text as the recorder notes it.
pub(crate) fn shown_key(parts: &Parts) -> Option<String> {
    match credential(parts) {
        Credential::None => None,
        Credential::ApiKey(text) | Credential::Bearer(text) => Some(text),
    }
}

/// A bearer token that is not empty.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let token = text
        .strip_prefix("Bearer ")
        .or_else(|| text.strip_prefix("bearer "))?;
    Some(token.trim()).filter(|token| !token.is_empty())
}

fn credential(parts: &Parts) -> Credential {
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if let Some(key) = header("x-goog-api-key").filter(|key| !key.is_empty()) {
        return Credential::ApiKey(key.to_owned());
    }
    let query = parts.uri.query().unwrap_or_default();
    if let Some((_, key)) = pairs(query)
        .into_iter()
        .find(|(name, v)| name == "key" && !v.is_empty())
    {
        return Credential::ApiKey(key);
    }
    bearer(&parts.headers).map_or(Credential::None, |token| {
        Credential::Bearer(token.to_owned())
    })
}

fn version_and_rest(path: &str) -> (&'static str, &str) {
    for version in ["v1beta", "v1alpha", "v1"] {
        let rest = path.strip_prefix('/').and_then(|p| p.strip_prefix(version));
        if let Some(rest) = rest.and_then(|r| r.strip_prefix('/')) {
            return (version, rest);
        }
    }
    ("", "")
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let split = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(split)
        .collect()
}

fn decoded(text: &str) -> String {
    Cow::into_owned(percent_decode_str(text).decode_utf8_lossy())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn call(method: &str, uri: &str, headers: &[(&str, &str)]) -> Call {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        Call::read(parts, Bytes::new(), None, Ipv4Addr::LOCALHOST.into())
    }

    #[test]
    fn paths_are_split_by_version_resource_and_method() {
        let cases = [
            (
                "/v1/models/a:generateContent",
                "v1",
                "models/a",
                "generateContent",
            ),
            (
                "/v1beta/models/a%3AstreamGenerateContent",
                "v1beta",
                "models/a",
                "streamGenerateContent",
            ),
            ("/v1alpha/auth_tokens", "v1alpha", "auth_tokens", ""),
            ("/upload/v1beta/files", "v1beta", "files", ""),
            ("/v2/models", "", "", ""),
        ];
        for (path, version, resource, method) in cases {
            let call = call("POST", path, &[]);
            assert_eq!(
                (call.version, call.resource_and_method()),
                (version, (resource, method))
            );
        }
    }

    #[test]
    fn every_credential_form_is_read() {
        let goog = ("x-goog-api-key", "k");
        let bearer = ("authorization", "Bearer t");
        let read = |uri: &str, headers: &[_]| call("GET", uri, headers).credential;
        let api_key = |text: &str| Credential::ApiKey(text.to_owned());
        assert_eq!(read("/v1/models", &[]), Credential::None);
        assert_eq!(read("/v1/models", &[goog]), api_key("k"));
        assert_eq!(read("/v1/models?a=b&key=q%2F", &[]), api_key("q/"));
        assert_eq!(
            read("/v1/models", &[bearer]),
            Credential::Bearer("t".to_owned())
        );
        assert_eq!(read("/v1/models?key=q", &[goog, bearer]), api_key("k"));
    }

    #[test]
    fn the_error_shape_follows_the_path() {
        let cases = [
            ("/v1beta/models/a:generateContent", ErrorShape::Object),
            ("/v1beta/models/a:streamGenerateContent", ErrorShape::Array),
            (
                "/v1beta/models/a:streamGenerateContent?alt=sse",
                ErrorShape::Object,
            ),
            ("/v1beta/openai/chat/completions", ErrorShape::Array),
            ("/v1beta/interactions", ErrorShape::Interactions),
        ];
        for (uri, shape) in cases {
            assert_eq!(call("POST", uri, &[]).error_shape(), shape, "{uri}");
        }
    }
}
