//! An answer before it is on the wire: status, headers, content; and the cutting of any answer by a
//! scripted fault. Built by the providers' folders and `rule.rs`, turned into a hyper response by `stand.rs`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SERVER};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::body::{AnswerBody, Ending, Pieces, Stake};
use crate::call::ErrorShape;
use crate::rule::{Midway, Then};
use crate::socket::Cord;

/// The content type of Google's JSON answers.
pub(crate) const JSON: &str = "application/json; charset=UTF-8";
/// The content type of everybody else's JSON answers.
pub(crate) const PLAIN_JSON: &str = "application/json";
/// The content type of a stream asked for with `alt=sse`.
pub(crate) const SSE: &str = "text/event-stream";

/// An answer that can still be changed.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// One body, or pieces over time.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Whole(Bytes),
    Pieces(Pieces),
}

impl Reply {
    pub(crate) fn new(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        if let Ok(value) = HeaderValue::from_str(content_type) {
            headers.insert(CONTENT_TYPE, value);
        }
        Self {
            status,
            headers,
            content: Content::Whole(body.into()),
        }
    }

    /// A 200 with pretty-printed JSON, which is how Google writes unary answers.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, JSON, pretty(value))
    }

    /// A 200 with JSON on one line, which is how everybody else writes.
    pub(crate) fn compact(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::new(StatusCode::OK, PLAIN_JSON, body)
    }

    /// A 200 that sends `list` with a pause between the pieces.
    pub(crate) fn stream(content_type: &str, list: Vec<Bytes>, pause: Duration) -> Self {
        let mut reply = Self::new(StatusCode::OK, content_type, Bytes::new());
        reply.content = Content::Pieces(Pieces {
            list: list.into(),
            pause,
            ending: Ending::Proper,
            declared: None,
        });
        reply
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// The same with another content type.
    pub(crate) fn content_type(mut self, content_type: &str) -> Self {
        self.headers.remove(CONTENT_TYPE);
        self.header(CONTENT_TYPE, content_type)
    }

    /// The bytes of a unary answer.
    pub(crate) fn size(&self) -> usize {
        match &self.content {
            Content::Whole(bytes) => bytes.len(),
            Content::Pieces(_) => 0,
        }
    }

    /// Ends the answer early: after `after` pieces, or inside a unary body (0: right after the head,
    /// more: half-way).
    pub(crate) fn interrupted(mut self, after: usize, ending: Ending) -> Self {
        self.content = Content::Pieces(match self.content {
            Content::Whole(bytes) => halved(&bytes, after, ending),
            Content::Pieces(pieces) => Pieces {
                list: pieces.list.iter().take(after).cloned().collect(),
                ending,
                ..pieces
            },
        });
        self
    }

    /// Breaks off a unary answer as a rule says; streams have been broken off where they were built.
    pub(crate) fn broken(self, midway: Option<&Midway>, shape: ErrorShape) -> Self {
        let (Some(midway), Content::Whole(bytes)) = (midway, &self.content) else {
            return self;
        };
        let ending = match &midway.then {
            Then::Stall => Ending::Stall,
            Then::Reset => Ending::Reset,
            Then::Cut => Ending::Cut,
            Then::End => {
                let half = bytes.slice(..bytes.len() / 2);
                return Self {
                    content: Content::Whole(half),
                    ..self
                };
            }
            Then::Error(refusal) => return refusal.clone().into_reply(shape),
        };
        self.interrupted(midway.after, ending)
    }

    pub(crate) fn into_response(
        self,
        server: &'static str,
        stake: Stake,
        cord: &Arc<Cord>,
    ) -> Response<AnswerBody> {
        let body = match self.content {
            Content::Whole(bytes) => AnswerBody::whole(bytes, stake),
            Content::Pieces(pieces) => AnswerBody::paced(pieces, stake, Arc::clone(cord)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
            .headers_mut()
            .insert(SERVER, HeaderValue::from_static(server));
        response
    }
}

fn halved(bytes: &Bytes, after: usize, ending: Ending) -> Pieces {
    let sent = if after == 0 { 0 } else { bytes.len() / 2 };
    let list = if sent == 0 {
        Vec::new()
    } else {
        vec![bytes.slice(..sent)]
    };
    Pieces {
        list: list.into(),
        pause: Duration::ZERO,
        ending,
        declared: Some(bytes.len() as u64),
    }
}

/// JSON with two-space indentation. Plain data always serializes; were it not to, the body is empty.
pub(crate) fn pretty(value: &impl Serialize) -> Bytes {
    serde_json::to_vec_pretty(value).unwrap_or_default().into()
}
