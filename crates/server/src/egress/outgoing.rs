//! A request as it leaves, in a form that can be sent again: bodies are shared chunks, or a stream that is sent once.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// A request to a provider.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    /// Path and query below the provider's address, beginning with a slash.
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: OutgoingBody,
    /// It creates something: it must not be sent twice unless the first cannot have arrived.
    pub(crate) creates: bool,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) enum OutgoingBody {
    /// The chunks as they were received; sending them again copies nothing.
    Buffered(Arc<[Bytes]>),
    /// An upload, passed on as it comes. Gone after the first sending.
    Streamed {
        /// The caller's body.
        body: Option<RequestBody>,
        /// Tells how far it has come.
        moved: Arc<AtomicU64>,
    },
}

impl OutgoingBody {
    /// An upload of at most `limit` bytes.
    pub(crate) fn streamed(body: Incoming, limit: u64) -> Self {
        let moved = Arc::new(AtomicU64::new(0));
        let body = RequestBody::Incoming {
            body,
            left: limit,
            moved: moved.clone(),
        };
        Self::Streamed {
            body: Some(body),
            moved,
        }
    }

    /// Bytes of an upload that have been passed on; none of a body that is here.
    pub(crate) fn moved(&self) -> Option<Arc<AtomicU64>> {
        match self {
            Self::Buffered(_) => None,
            Self::Streamed { moved, .. } => Some(moved.clone()),
        }
    }

    /// The chunks that are here; none of an upload.
    pub(crate) fn chunks(&self) -> Arc<[Bytes]> {
        match self {
            Self::Buffered(chunks) => chunks.clone(),
            Self::Streamed { .. } => Arc::from([]),
        }
    }

    /// Whether an upload has been taken for a sending: it cannot be sent again.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Streamed { body: None, .. })
    }

    /// The body for one sending; none when it is gone.
    pub(crate) fn take(&mut self) -> Option<RequestBody> {
        match self {
            Self::Buffered(chunks) => Some(RequestBody::replay(chunks)),
            Self::Streamed { body, .. } => body.take(),
        }
    }
}

/// The body of one sending.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// Chunks that are all here.
    Chunks {
        /// Those still to be sent.
        left: VecDeque<Bytes>,
        /// Their bytes.
        length: u64,
    },
    /// A caller's body as it arrives, cut off with an error past `left` bytes.
    Incoming {
        /// The caller's body.
        body: Incoming,
        /// What may still come.
        left: u64,
        /// What has come.
        moved: Arc<AtomicU64>,
    },
}

/// A streamed upload grew past the limit.
#[derive(Debug, thiserror::Error)]
#[error("upload is larger than server.max_upload")]
pub(crate) struct TooLarge;

impl RequestBody {
    /// No body.
    pub(crate) fn empty() -> Self {
        Self::Chunks {
            left: VecDeque::new(),
            length: 0,
        }
    }

    fn replay(chunks: &Arc<[Bytes]>) -> Self {
        let length = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        Self::Chunks {
            left: chunks.iter().cloned().collect(),
            length,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Chunks { left, length } => {
                let chunk = left.pop_front();
                *length -= chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
            }
            Self::Incoming { body, left, moved } => {
                let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
                Poll::Ready(frame.map(|frame| {
                    let frame = frame?;
                    let size = frame.data_ref().map_or(0, |data| data.len() as u64);
                    *left = left.checked_sub(size).ok_or(TooLarge)?;
                    moved.fetch_add(size, Ordering::Relaxed);
                    Ok(frame)
                }))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Chunks { left, .. } => left.is_empty(),
            Self::Incoming { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Chunks { length, .. } => SizeHint::with_exact(*length),
            Self::Incoming { body, .. } => body.size_hint(),
        }
    }
}
