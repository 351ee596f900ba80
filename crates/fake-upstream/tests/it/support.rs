//! A small HTTP client for the tests, which tells a clean end from a broken one.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fake_upstream::{FakeKey, FakeUpstream, KeyFault};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The patience of every wait; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// What the data lines of a stream of OpenAI's dialect hold, `[DONE]` left out.
pub(crate) fn chunks(stream: &Answer) -> Vec<Value> {
    let text = stream.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// The text of every delta of the first choice.
pub(crate) fn streamed_text(chunks: &[Value]) -> String {
    let delta = |chunk: &Value| {
        chunk["choices"][0]["delta"]["content"]
            .as_str()
            .map(str::to_owned)
    };
    chunks.iter().filter_map(delta).collect()
}

/// A tool of OpenAI's dialect that takes a city.
pub(crate) fn weather_tool() -> Value {
    serde_json::json!({"type": "function", "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }})
}

/// A user's message.
pub(crate) fn user(text: &str) -> Value {
    serde_json::json!({"role": "user", "content": text})
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

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
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
        self.open_on(stream).await
    }

    /// Sends over a connection that is there and returns as soon as the head is there.
    pub(crate) async fn open_on<S>(
        &self,
        stream: S,
    ) -> Result<http::Response<Incoming>, hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
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

/// TLS over a stream, verified with one authority alone.
pub(crate) async fn secured<S>(
    stream: S,
    name: &str,
    authority: &str,
    protocol: &[u8],
) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
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

/// Asks with a key that has one fault after the other: each has its status, and its words in the body.
pub(crate) async fn check_faults<const N: usize>(
    upstream: &FakeUpstream,
    key: &FakeKey,
    cases: [(KeyFault, u16, &str); N],
    ask: impl AsyncFn() -> Answer,
) {
    for (fault, status, words) in cases {
        upstream.set_key(key.clone().fault(fault));
        let answer = ask().await;
        let text = answer.text();
        assert_eq!(answer.status, status, "{fault:?}");
        assert!(text.contains(words), "{fault:?}: {text}");
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
