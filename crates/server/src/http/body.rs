//! The body of every answer: whole, passed on from a provider, still waiting for one, or the admin API's.
//! An enum, so that a chunk passes through no virtual call and no box of its own.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::connections::Busy;
use crate::gateway::{Ending, KeptBody, Recording, Relay, Waiting};

/// Why an answer could not be sent to its end.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An answer's body.
#[derive(Debug)]
pub(crate) struct Body {
    content: Content,
    /// The record of the request, which is over when the body is.
    recording: Option<Recording>,
    /// What is kept of it for the request log.
    kept: Option<KeptBody>,
    /// Keeps the connection counted as busy.
    busy: Option<Busy>,
}

#[derive(Debug)]
enum Content {
    Full(Bytes),
    Relay(Box<Relay>),
    Waiting(Box<Waiting>),
    Api(axum::body::Body),
}

impl Body {
    /// All of it at once.
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Self {
            content: Content::Full(bytes.into()),
            recording: None,
            kept: None,
            busy: None,
        }
    }

    /// A provider's answer.
    pub(crate) fn relay(relay: Relay) -> Self {
        Self {
            content: Content::Relay(Box::new(relay)),
            recording: None,
            kept: None,
            busy: None,
        }
    }

    /// Heartbeats until there is an answer.
    pub(crate) fn waiting(waiting: Waiting) -> Self {
        Self {
            content: Content::Waiting(Box::new(waiting)),
            recording: None,
            kept: None,
            busy: None,
        }
    }

    /// An answer of the admin API.
    pub(crate) fn api(body: axum::body::Body) -> Self {
        Self {
            content: Content::Api(body),
            recording: None,
            kept: None,
            busy: None,
        }
    }

    /// The same, keeping the request's record open until it has been sent.
    pub(crate) fn recorded(mut self, recording: Recording) -> Self {
        self.kept = recording.keeps_body();
        self.recording = Some(recording);
        self.close_record_when_over();
        self
    }

    /// The same, keeping its connection counted as busy until it has been sent.
    pub(crate) fn busy(mut self, busy: Busy) -> Self {
        self.busy = Some(busy);
        self
    }

    /// The bytes of a whole body; none of a body that streams.
    pub(crate) fn into_full(mut self) -> Bytes {
        match &mut self.content {
            Content::Full(bytes) => std::mem::take(bytes),
            Content::Relay(_) | Content::Waiting(_) | Content::Api(_) => Bytes::new(),
        }
    }

    /// How a provider's answer ended, and what it took; none where it is no provider's.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match &self.content {
            Content::Full(_) | Content::Api(_) => None,
            Content::Relay(relay) => Some(relay.ending()),
            Content::Waiting(waiting) => waiting.ending(),
        }
    }

    fn close_record_when_over(&mut self) {
        if self.recording.is_some() && http_body::Body::is_end_stream(self) {
            self.close_record();
        }
    }

    fn close_record(&mut self) {
        let Some(recording) = self.recording.take() else {
            return;
        };
        if let Some(kept) = self.kept.take() {
            recording.response_body(kept);
        }
        if let Some(ending) = self.ending() {
            recording.over(ending);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // The caller left: what was read until then was still paid for.
        let Some(recording) = self.recording.take() else {
            return;
        };
        if let Some(kept) = self.kept.take() {
            recording.response_body(kept);
        }
        if let Some(ending) = self.ending() {
            recording.left(ending);
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let chunk = match &mut this.content {
            Content::Full(bytes) if bytes.is_empty() => None,
            Content::Full(bytes) => Some(Ok(std::mem::take(bytes))),
            Content::Relay(relay) => {
                ready!(relay.poll_chunk(cx)).map(|chunk| chunk.map_err(BoxError::from))
            }
            Content::Waiting(waiting) => ready!(waiting.poll_chunk(cx)),
            Content::Api(body) => return Pin::new(body).poll_frame(cx).map_err(BoxError::from),
        };
        if let (Some(Ok(chunk)), Some(kept)) = (&chunk, &mut this.kept) {
            kept.push(chunk);
        }
        match &chunk {
            Some(Ok(_)) => this.close_record_when_over(),
            Some(Err(_)) | None => this.close_record(),
        }
        Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Full(bytes) => bytes.is_empty(),
            Content::Relay(relay) => relay.is_over(),
            Content::Waiting(_) => false,
            Content::Api(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Relay(_) | Content::Waiting(_) => SizeHint::default(),
            Content::Api(body) => body.size_hint(),
        }
    }
}
