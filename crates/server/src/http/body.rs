//! The body of every answer: whole, passed on from a provider, or still waiting for one.
//! An enum, so that a chunk passes through no virtual call and no box of its own.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use domain::{Class, Usage};
use http_body::{Frame, SizeHint};

use super::connections::Busy;
use crate::gateway::{Recording, Relay, Waiting};

/// Why an answer could not be sent to its end.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An answer's body.
#[derive(Debug)]
pub(crate) struct Body {
    content: Content,
    /// The record of the request, which is over when the body is.
    recording: Option<Recording>,
    /// Keeps the connection counted as busy.
    busy: Option<Busy>,
}

#[derive(Debug)]
enum Content {
    Full(Bytes),
    Relay(Box<Relay>),
    Waiting(Box<Waiting>),
}

impl Body {
    /// All of it at once.
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Self {
            content: Content::Full(bytes.into()),
            recording: None,
            busy: None,
        }
    }

    /// A provider's answer.
    pub(crate) fn relay(relay: Relay) -> Self {
        Self {
            content: Content::Relay(Box::new(relay)),
            recording: None,
            busy: None,
        }
    }

    /// Heartbeats until there is an answer.
    pub(crate) fn waiting(waiting: Waiting) -> Self {
        Self {
            content: Content::Waiting(Box::new(waiting)),
            recording: None,
            busy: None,
        }
    }

    /// The same, keeping the request's record open until it has been sent.
    pub(crate) fn recorded(mut self, recording: Recording) -> Self {
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
            Content::Relay(_) | Content::Waiting(_) => Bytes::new(),
        }
    }

    /// How a provider's answer ended, and what it cost; none where it is no provider's.
    pub(crate) fn outcome(&self) -> Option<(Class, Option<Usage>)> {
        match &self.content {
            Content::Full(_) => None,
            Content::Relay(relay) => Some(relay.outcome()),
            Content::Waiting(waiting) => waiting.outcome(),
        }
    }

    fn close_record_when_over(&mut self) {
        if self.recording.is_some() && http_body::Body::is_end_stream(self) {
            self.close_record();
        }
    }

    fn close_record(&mut self) {
        if let Some(recording) = self.recording.take()
            && let Some((class, usage)) = self.outcome()
        {
            recording.over(class, usage);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // The caller left: what was read until then was still paid for.
        if let Some(recording) = self.recording.take()
            && let Some((_, usage)) = self.outcome()
        {
            recording.left(usage);
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
        };
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
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Relay(_) | Content::Waiting(_) => SizeHint::default(),
        }
    }
}
