//! A small HTTP client for the tests, which tells a clean end from a broken one.

use std::future::Future;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fake_upstream::FakeUpstream;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// The patience of every wait; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer that has been read to its end, or to where it broke.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body ended in the middle.
    pub(crate) broken: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first candidate's parts.
    pub(crate) fn said(&self) -> String {
        said(&self.json())
    }

    /// The events of an `alt=sse` stream.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with("\r\n\r\n"), "{text:?}");
        let data =
            |event: &str| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        text.split("\r\n\r\n")
            .filter(|event| !event.is_empty())
            .map(data)
            .collect()
    }
}

/// The text of the first candidate of one response.
pub(crate) fn said(response: &Value) -> String {
    let parts = response["candidates"][0]["content"]["parts"].as_array();
    parts
        .into_iter()
        .flatten()
        .filter_map(|part| part["text"].as_str())
        .collect()
}

/// A request under construction.
#[derive(Debug)]
pub(crate) struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

pub(crate) fn get(path: &str) -> Ask {
    Ask {
        method: "GET",
        path: path.to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
    }
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Ask {
    Ask {
        method: "POST",
        body: body.into(),
        ..get(path)
    }
}

/// A `generateContent` of one user text on the usual model.
pub(crate) fn generate(text: &str) -> Ask {
    ask_model("generateContent", text)
}

/// A method with `contents` of one user text, on the usual model.
pub(crate) fn ask_model(method: &str, text: &str) -> Ask {
    let body = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
    post(
        &format!("/v1beta/models/gemini-3.8-flash:{method}"),
        body.to_string(),
    )
}

impl Ask {
    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("x-goog-api-key", key)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
            .header("host", "fake")
            .body(Full::new(self.body.clone()))
            .unwrap()
    }

    /// Sends with key `k` unless a key was set, and reads the whole answer.
    pub(crate) async fn send(self, upstream: &FakeUpstream) -> Answer {
        let keyed = self
            .headers
            .iter()
            .any(|(n, _)| n == "x-goog-api-key" || n == "authorization");
        let ask = if keyed || self.path.contains("key=") {
            self
        } else {
            self.key("k")
        };
        within(read(ask.open(upstream).await.unwrap())).await
    }

    /// Sends without adding a key.
    pub(crate) async fn send_bare(self, upstream: &FakeUpstream) -> Answer {
        within(read(self.open(upstream).await.unwrap())).await
    }

    /// Sends and returns as soon as the head is there.
    pub(crate) async fn open(
        &self,
        upstream: &FakeUpstream,
    ) -> Result<http::Response<Incoming>, hyper::Error> {
        let stream = TcpStream::connect(upstream.addr()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        // Ends with the sender or the peer: the runtime of the test owns it.
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's runtime outlives its connections"
        )]
        tokio::spawn(connection);
        sender.send_request(self.request()).await
    }
}

/// Reads a response to its end.
pub(crate) async fn read(response: http::Response<Incoming>) -> Answer {
    let (parts, mut incoming) = response.into_parts();
    let mut body = BytesMut::new();
    let mut broken = false;
    while let Some(frame) = incoming.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => body.extend_from_slice(&data),
            Ok(Err(_)) => {}
            Err(_) => {
                broken = true;
                break;
            }
        }
    }
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.freeze(),
        broken,
    }
}

/// Waits for a future, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("an answer in time")
}

/// Waits until something has become true.
pub(crate) async fn eventually(mut is_true: impl FnMut() -> bool) {
    within(async {
        while !is_true() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
