//! Bodies that are kept with the request log, where `logs.bodies` says so: the beginning of what the caller sent and of
//! what it got. While a request goes on only references to the chunks are held; `jobs/write_bodies.rs` redacts,
//! compresses and stores them.

use bytes::{Bytes, BytesMut};
use domain::{RequestId, Secret};
use prometheus::IntCounter;
use tokio::sync::mpsc;

/// What is kept of each body.
const LARGEST_KEPT: usize = 64 * 1024;
/// What is held beyond that, so that a secret at the end of what is kept is seen whole. It is cut off after redaction.
const LARGEST_SECRET: usize = 512;

/// The beginning of one body.
#[derive(Debug, Default)]
pub(crate) struct KeptBody {
    chunks: Vec<Bytes>,
    held: usize,
    /// How long the whole body is.
    pub(crate) original_len: u64,
}

/// The bodies of one request.
#[derive(Debug)]
pub(crate) struct KeptBodies {
    pub(crate) id: RequestId,
    pub(crate) request: Option<KeptBody>,
    pub(crate) response: Option<KeptBody>,
    /// Credentials of the request, of the caller and of the provider: none of them is stored.
    pub(crate) secrets: Vec<Secret>,
}

impl KeptBody {
    /// Takes in the next chunk, as far as there is room.
    pub(crate) fn push(&mut self, chunk: &Bytes) {
        self.original_len += chunk.len() as u64;
        let room = LARGEST_KEPT + LARGEST_SECRET - self.held;
        let part = chunk.slice(..chunk.len().min(room));
        if !part.is_empty() {
            self.held += part.len();
            self.chunks.push(part);
        }
    }

    /// Whether only the beginning is kept.
    pub(crate) fn is_truncated(&self) -> bool {
        self.original_len > LARGEST_KEPT as u64
    }

    /// What is kept, in one piece and without these secrets.
    pub(crate) fn redacted(&self, secrets: &[&str]) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.held);
        for chunk in &self.chunks {
            whole.extend_from_slice(chunk);
        }
        let mut kept = wire::redact::redact(whole.freeze(), secrets);
        // The beginning of a secret whose end is not there lies in what was held beyond.
        kept.truncate(kept.len() - self.held.saturating_sub(LARGEST_KEPT).min(kept.len()));
        kept
    }
}

/// Where bodies go: a bounded queue in front of the writer. A full queue drops and counts; it never waits.
#[derive(Debug)]
pub(crate) struct BodySink {
    queue: mpsc::Sender<KeptBodies>,
    dropped: IntCounter,
}

impl BodySink {
    pub(crate) fn new(queue: mpsc::Sender<KeptBodies>, dropped: IntCounter) -> Self {
        Self { queue, dropped }
    }

    pub(super) fn put(&self, bodies: KeptBodies) {
        if self.queue.try_send(bodies).is_err() {
            self.dropped.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_is_kept() {
        let mut kept = KeptBody::default();
        kept.push(&Bytes::from(vec![b'a'; LARGEST_KEPT - 2]));
        assert!(!kept.is_truncated());
        kept.push(&Bytes::from_static(b"bcd"));
        kept.push(&Bytes::from_static(b"e"));
        assert!(kept.is_truncated());
        assert_eq!(kept.original_len, LARGEST_KEPT as u64 + 2);
        let bytes = kept.redacted(&[]);
        assert!(
            bytes.ends_with(b"abc") && bytes.len() == LARGEST_KEPT,
            "{}",
            bytes.len()
        );
    }

    #[test]
    fn a_secret_at_the_end_is_seen_whole_or_not_kept_at_all() {
        for ahead in [
            LARGEST_KEPT - 20,
            LARGEST_KEPT - 3,
            LARGEST_KEPT + LARGEST_SECRET - 4,
        ] {
            let mut kept = KeptBody::default();
            kept.push(&Bytes::from(vec![b'a'; ahead]));
            kept.push(&Bytes::from_static(b"sk-secret-of-a-caller"));
            kept.push(&Bytes::from(vec![b'a'; LARGEST_KEPT]));
            let bytes = kept.redacted(&["sk-secret-of-a-caller"]);
            assert!(memchr::memmem::find(&bytes, b"sk").is_none(), "{ahead}");
        }
    }
}
