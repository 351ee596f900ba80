//! What is written down of a request. A recording goes with the request from its first byte to its last; wherever that
//! ends, also by the caller going away, the record is handed to the writer once, without waiting.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{Attempt, AttemptOutcome, Class, Dialect, RequestId, RequestRecord, UnixMs, Usage};
use http::{HeaderMap, HeaderValue};
use prometheus::IntCounter;
use tokio::sync::mpsc;

use super::attempt::Tried;
use super::call::Call;
use super::caller::Caller;
use super::credentials::Credential;
use super::{Kind, Route};
use crate::app::App;
use crate::snapshot::Provider;

/// The status of a request whose caller went away before there was an answer (nginx's convention).
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Where records go: a bounded queue in front of the writer. A full queue drops and counts; it never waits.
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

    fn put(&self, record: RequestRecord) {
        if self.queue.try_send(record).is_err() {
            self.dropped.inc();
        }
    }
}

/// A request's record while it is being made: a handle that everything about the request shares.
///
/// The mutex is never contended: a request is in one place at a time.
#[derive(Clone, Debug)]
pub(crate) struct Recording(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    app: Arc<App>,
    id: RequestId,
    began: Instant,
    draft: Mutex<Draft>,
}

#[derive(Debug)]
struct Draft {
    record: RequestRecord,
    key_label: Option<HeaderValue>,
}

impl Recording {
    pub(crate) fn begin(app: &Arc<App>, route: &Route) -> Self {
        let began = Instant::now();
        let id = app.records.next_id(app.clock.at(began));
        let (dialect, endpoint) = match route.kind {
            Kind::Gemini => (Dialect::Gemini, "other"),
            Kind::OpenAiModels => (Dialect::OpenAi, "models.list"),
        };
        let record = RequestRecord {
            id,
            client: None,
            dialect,
            endpoint,
            provider: None,
            model: None,
            key: None,
            status: CLIENT_CLOSED_REQUEST,
            stream: false,
            latency_us: 0,
            first_byte_us: None,
            usage: None,
            error: Some(Class::ClientGone),
            attempts: Vec::new(),
        };
        let draft = Mutex::new(Draft {
            record,
            key_label: None,
        });
        Self(Arc::new(Shared {
            app: app.clone(),
            id,
            began,
            draft,
        }))
    }

    pub(crate) fn id(&self) -> RequestId {
        self.0.id
    }

    pub(crate) fn caller(&self, caller: &Caller) {
        self.draft().record.client = caller.client().map(|client| client.id);
    }

    pub(crate) fn call(&self, call: &Call, provider: &Provider) {
        let record = &mut self.draft().record;
        if record.dialect == Dialect::Gemini {
            record.endpoint = call.endpoint;
        }
        record.provider = Some(provider.name.clone());
        record.model = (!call.model.is_empty()).then(|| call.model.as_str().into());
    }

    pub(crate) fn attempt(&self, credential: &Credential, tried: &Tried) {
        let app = &self.0.app;
        let key = credential.key();
        let mut draft = self.draft();
        draft.key_label = key.and_then(|key| {
            let label = key.label.clone().unwrap_or_else(|| key.id.to_string());
            HeaderValue::try_from(label).ok()
        });
        let record = &mut draft.record;
        record.key = key.map(|key| key.id);
        let provider = record.provider.as_deref().unwrap_or_default();
        let model = record.model.as_deref().unwrap_or_default();
        app.metrics.attempt(provider, model, tried.verdict.class);
        if !record.attempts.is_empty() {
            app.metrics.retries.inc();
        }
        record.attempts.push(Attempt {
            key: record.key,
            egress: app.direct.clone(),
            status: tried.status,
            outcome: AttemptOutcome {
                class: tried.verdict.class,
                reason: tried.verdict.reason.into(),
            },
            latency_us: micros(tried.took),
            chosen: credential.chosen().into(),
        });
    }

    /// The caller gets the provider's answer. Until it is over, it counts as one that the caller left.
    pub(crate) fn answered(&self, status: u16, stream: bool) {
        let first_byte_us = micros(self.0.began.elapsed());
        let record = &mut self.draft().record;
        record.status = status;
        record.stream = stream;
        record.first_byte_us = Some(first_byte_us);
    }

    /// The caller gets an error, of the provider's or of ours.
    pub(crate) fn refused(&self, status: u16, class: Class) {
        let record = &mut self.draft().record;
        record.status = status;
        record.error = Some(class);
    }

    /// The answer has been handed to the caller whole: what it turned out to be, and what it cost.
    pub(crate) fn over(&self, class: Class, usage: Option<Usage>) {
        let record = &mut self.draft().record;
        record.error = (class != Class::Ok).then_some(class);
        record.usage = usage;
    }

    /// The caller went away before the end: what the answer has cost so far.
    pub(crate) fn left(&self, usage: Option<Usage>) {
        self.draft().record.usage = usage;
    }

    /// Adds what every answer tells of itself.
    pub(crate) fn label(&self, headers: &mut HeaderMap) {
        insert(
            headers,
            "x-keymux-request-id",
            HeaderValue::try_from(self.0.id.to_string()),
        );
        let draft = self.draft();
        let Some(provider) = &draft.record.provider else {
            return;
        };
        if draft.record.attempts.is_empty() {
            return;
        }
        insert(
            headers,
            "x-keymux-provider",
            HeaderValue::try_from(&**provider),
        );
        headers.insert(
            "x-keymux-attempts",
            HeaderValue::from(draft.record.attempts.len()),
        );
        if let Some(key) = &draft.key_label {
            headers.insert("x-keymux-key", key.clone());
        }
    }

    fn draft(&self) -> MutexGuard<'_, Draft> {
        self.0.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let draft = self.draft.get_mut().unwrap_or_else(PoisonError::into_inner);
        draft.record.latency_us = micros(self.began.elapsed());
        self.app.metrics.request(&draft.record);
        let attempts = std::mem::take(&mut draft.record.attempts);
        self.app.records.put(RequestRecord {
            attempts,
            ..draft.record.clone()
        });
    }
}

fn insert<E>(headers: &mut HeaderMap, name: &'static str, value: Result<HeaderValue, E>) {
    if let Ok(value) = value {
        headers.insert(name, value);
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
