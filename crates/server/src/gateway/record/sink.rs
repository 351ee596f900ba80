//! Where records go: the queue in front of the writer, and the ids that they are told apart by.

use std::sync::atomic::{AtomicU16, Ordering};

use domain::{RequestId, RequestRecord, UnixMs};
use prometheus::IntCounter;
use tokio::sync::mpsc;

/// A bounded queue in front of the writer. A full queue drops and counts; it never waits.
#[derive(Debug)]
pub(crate) struct RecordSink {
    queue: mpsc::Sender<RequestRecord>,
    /// Records that were lost because the writer could not follow.
    dropped: IntCounter,
    instance: u16,
    sequence: AtomicU16,
}

impl RecordSink {
    pub(crate) fn new(queue: mpsc::Sender<RequestRecord>, dropped: IntCounter) -> Self {
        Self {
            queue,
            dropped,
            instance: fastrand::u16(..),
            sequence: AtomicU16::new(0),
        }
    }

    /// Records that wait to be written.
    pub(crate) fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// The id of a request that begins now.
    pub(crate) fn next_id(&self, now: UnixMs) -> RequestId {
        RequestId::new(
            now,
            self.instance,
            self.sequence.fetch_add(1, Ordering::Relaxed),
        )
    }

    pub(super) fn put(&self, record: RequestRecord) {
        if self.queue.try_send(record).is_err() {
            self.dropped.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Dialect;

    use super::*;

    #[test]
    fn a_full_queue_drops_and_counts_and_does_not_wait() {
        let dropped = IntCounter::new("dropped", "records").unwrap();
        let (queue, mut writer) = mpsc::channel(2);
        let sink = RecordSink::new(queue, dropped.clone());
        let record = RequestRecord::plain(RequestId(1), Dialect::Gemini, "other", 200);
        for _ in 0..5 {
            sink.put(record.clone());
        }
        assert_eq!((sink.depth(), dropped.get()), (2, 3));
        assert!(writer.try_recv().is_ok());
        sink.put(record);
        assert_eq!((sink.depth(), dropped.get()), (2, 3));
    }
}
