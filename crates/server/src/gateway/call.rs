//! What is asked: a request as it came (`Received`), and as it goes to one provider (`Call`), with its body held for retries.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use providers::{Operation, Place, Transfer, Translation, WithFiles};
use wire::gemini::{Content, Framing};

use super::brought::Brought;
use super::caller::{self, Shown, without_credentials, without_shown};
use super::error::GatewayError;
use super::live::Opening;
use super::tidying::Tidying;
use super::{address, headers};
use crate::egress::{Outgoing, OutgoingBody};
use crate::snapshot::Snapshot;

/// How long a caller may pause while it sends a body.
const BODY_PAUSE: Duration = Duration::from_secs(60);
/// How long a body may take that is held for retries.
const BODY_TIME: Duration = Duration::from_secs(15 * 60);
const SMALL_CHUNK: usize = 2048;

/// A request as it came, read as far as every dialect needs.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    /// Without credentials, and without what tells who called.
    pub(crate) headers: HeaderMap,
    pub(crate) body: OutgoingBody,
    /// The caller's own keys.
    pub(crate) brought: Brought,
    /// The address that the caller used.
    pub(crate) called_at: Option<String>,
}

impl Received {
    /// Reads the request: its body too, unless it is an upload.
    pub(crate) async fn read(
        transfer: Transfer,
        head: Parts,
        body: Incoming,
        peer: IpAddr,
        snapshot: &Snapshot,
    ) -> Result<Self, GatewayError> {
        let server = &snapshot.config.server;
        let called_at = address::as_called(&head.headers, peer, &server.trusted_proxies);
        let brought = Brought::read(&head.headers);
        let is_file = transfer == Transfer::Upload && !begins_upload(&head.headers);
        let body = if is_file {
            stream(body, &head.headers, server.max_upload.0)?
        } else {
            buffer(body, &head.headers, server.max_body.0).await?
        };
        let mut headers = head.headers;
        let shown = caller::shown(&headers, head.uri.query());
        headers::clean_of(&mut headers, &shown);
        if transfer != Transfer::Download {
            // Answers are read as they pass, so they have to come uncompressed. Without the header any coding would do
            // (RFC 9110, 12.5.3).
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        Ok(Self {
            method: head.method,
            headers,
            body,
            brought,
            called_at,
        })
    }

    /// The body's chunks; none of an upload's.
    pub(crate) fn chunks(&self) -> Arc<[Bytes]> {
        self.body.chunks()
    }

    /// The same, and the body is empty afterwards: they are freed as they are read.
    pub(crate) fn take_chunks(&mut self) -> Vec<Bytes> {
        let empty = OutgoingBody::Buffered(Arc::from([]));
        std::mem::replace(&mut self.body, empty).chunks().to_vec()
    }
}

/// A request as it goes to one provider.
#[derive(Debug)]
pub(crate) struct Call {
    /// The part of the provider's API that it is for.
    pub(crate) place: Place,
    /// The model asked for, as the provider names it; empty where the call names none.
    pub(crate) model: String,
    /// What its answer holds.
    pub(crate) answer: Content,
    /// The answer comes in pieces whatever the body says.
    pub(crate) is_stream: bool,
    /// The caller reads server-sent events.
    pub(crate) is_sse: bool,
    pub(crate) transfer: Transfer,
    /// What happens to the answer on its way to the caller.
    pub(crate) reply: Reply,
    /// Files that the provider must be given before the request can be sent.
    pub(crate) files: Option<Arc<dyn WithFiles>>,
    /// A WebSocket that is to be opened, and what it opens with.
    pub(crate) opening: Option<Box<Opening>>,
    /// As it leaves; the key is added for each attempt.
    pub(crate) outgoing: Outgoing,
    /// The address that the caller used.
    pub(crate) called_at: Option<String>,
}

/// What happens to an answer on its way to the caller.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// It passes as it is.
    AsItIs,
    /// It is brought into OpenAI's dialect, as far as it is not.
    OpenAi {
        /// The model by the name that the caller gave it, as errors name it.
        asked_for: Box<str>,
        /// Of another dialect.
        translation: Option<Translation>,
        /// What the caller did not ask for, or has asked for otherwise.
        tidying: Tidying,
    },
}

impl Call {
    /// A request that is passed on to a provider that speaks the caller's dialect.
    pub(crate) fn passed_on(
        operation: Operation<'_>,
        path_and_query: String,
        is_sse: bool,
        received: Received,
    ) -> Self {
        Self {
            place: operation.place,
            model: operation.model.unwrap_or_default().into_owned(),
            answer: operation.answer,
            is_stream: operation.stream,
            is_sse,
            transfer: operation.transfer,
            reply: Reply::AsItIs,
            files: None,
            opening: None,
            outgoing: Outgoing {
                method: received.method,
                path_and_query,
                headers: received.headers,
                body: received.body,
                creates: operation.creates,
            },
            called_at: received.called_at,
        }
    }

    /// How the answer is cut into events, by its content type.
    pub(crate) fn framing(&self, content_type: Option<&str>) -> Framing {
        if content_type.is_some_and(|kind| is_kind(kind, "text/event-stream")) {
            Framing::Sse
        } else if self.is_stream {
            Framing::JsonArray
        } else {
            Framing::Json
        }
    }

    /// The body's chunks; none of an upload's.
    pub(crate) fn chunks(&self) -> Arc<[Bytes]> {
        self.outgoing.body.chunks()
    }

    /// Whether its answer is of no use as it comes: it has to be translated.
    pub(crate) fn must_be_read(&self) -> bool {
        matches!(
            &self.reply,
            Reply::OpenAi {
                translation: Some(_),
                ..
            }
        )
    }

    /// Whether a model is to make something: lists, files and the like are no work for it.
    pub(crate) fn asks_a_model(&self) -> bool {
        self.answer != Content::Any
    }

    /// Whether the body is gone once it has been sent.
    pub(crate) fn is_sent_once(&self) -> bool {
        matches!(self.outgoing.body, OutgoingBody::Streamed { .. })
    }
}

/// Whether a `Content-Type` is of this media type, whose case does not matter (RFC 9110, 8.3.1).
pub(crate) fn is_kind(content_type: &str, kind: &str) -> bool {
    let head = content_type.trim_start().get(..kind.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(kind))
}

/// A path with the caller's query, but for its credentials.
pub(crate) fn path_and_query(path: &str, query: Option<&str>) -> String {
    let query = query.map(without_credentials).unwrap_or_default();
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{query}")
}

/// The same, and without any parameter whose value is a key that the caller has shown.
pub(crate) fn path_and_query_without(path: &str, query: Option<&str>, shown: &Shown) -> String {
    let query = query.map(|query| without_shown(query, shown));
    path_and_query(path, query.as_deref())
}

/// The first request of a resumable upload brings no file yet, so it can be tried with another key.
fn begins_upload(headers: &HeaderMap) -> bool {
    headers
        .get("x-goog-upload-command")
        .is_some_and(|command| command == "start")
}

fn stream(body: Incoming, headers: &HeaderMap, limit: u64) -> Result<OutgoingBody, GatewayError> {
    refuse_declared(headers, limit, "server.max_upload")?;
    if body.is_end_stream() {
        return Ok(OutgoingBody::Buffered(Arc::from([])));
    }
    Ok(OutgoingBody::streamed(body, limit))
}

async fn buffer(
    mut body: Incoming,
    headers: &HeaderMap,
    limit: u64,
) -> Result<OutgoingBody, GatewayError> {
    refuse_declared(headers, limit, "server.max_body")?;
    let mut chunks = Chunks::default();
    let mut length = 0;
    let began = Instant::now();
    while !body.is_end_stream() {
        let frame = tokio::time::timeout(BODY_PAUSE, body.frame())
            .await
            .map_err(|_| {
                let text = format!("no more of the body came for {} s", BODY_PAUSE.as_secs());
                GatewayError::caller(StatusCode::REQUEST_TIMEOUT, text)
            })?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| {
            GatewayError::caller(StatusCode::BAD_REQUEST, "the body broke off")
                .private(error.to_string())
        })?;
        if began.elapsed() > BODY_TIME {
            let text = format!("the body took longer than {} s", BODY_TIME.as_secs());
            return Err(GatewayError::caller(StatusCode::REQUEST_TIMEOUT, text));
        }
        if let Ok(chunk) = frame.into_data() {
            length += chunk.len() as u64;
            if length > limit {
                return Err(too_large(limit, "server.max_body"));
            }
            chunks.push(chunk);
        }
    }
    Ok(OutgoingBody::Buffered(chunks.finish()))
}

/// A body's chunks. Small ones are copied together: each would keep the whole buffer that it was read into.
#[derive(Default)]
struct Chunks {
    whole: Vec<Bytes>,
    small: BytesMut,
}

impl Chunks {
    fn push(&mut self, chunk: Bytes) {
        if chunk.len() < SMALL_CHUNK {
            self.small.extend_from_slice(&chunk);
        } else {
            self.close_small();
            self.whole.push(chunk);
        }
    }

    fn finish(mut self) -> Arc<[Bytes]> {
        self.close_small();
        self.whole.into()
    }

    fn close_small(&mut self) {
        if !self.small.is_empty() {
            self.whole.push(self.small.split().freeze());
        }
    }
}

fn refuse_declared(headers: &HeaderMap, limit: u64, setting: &str) -> Result<(), GatewayError> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    match declared {
        Some(length) if limit < length => Err(too_large(limit, setting)),
        _ => Ok(()),
    }
}

fn too_large(limit: u64, setting: &str) -> GatewayError {
    let text = format!("the body is larger than {limit} bytes ({setting})");
    GatewayError::caller(StatusCode::PAYLOAD_TOO_LARGE, text)
}
