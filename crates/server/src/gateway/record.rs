//! What is written down of a request. A recording goes with the request from its first byte to its last; wherever that
//! ends, also by the caller going away, the record is handed to the writer once, without waiting.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use config::Bodies;
use domain::{
    Attempt, AttemptOutcome, Class, Elsewhere, Nanodollars, RequestId, RequestRecord, Secret,
    UnixMs, Usage,
};
use http::{HeaderMap, HeaderValue};
use metering::{Permit, Standing};
use prometheus::IntCounter;
use tokio::sync::mpsc;

use super::Route;
use super::admission::Ask;
use super::attempt::Tried;
use super::caller::Caller;
use super::credential::Credential;
use super::kept_bodies::{KeptBodies, KeptBody};
use super::relay::Ending;
use crate::app::App;
use crate::egress::OutgoingBody;
use crate::events::Happening;
use crate::saver::LONGEST_MODEL;

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
    /// Usage in the answer is what the request took.
    takes_tokens: bool,
    /// The model that the provider says has answered.
    answered_by: Option<Arc<str>>,
    key_label: Option<HeaderValue>,
    /// The place that the request takes of its client key's limits.
    permit: Option<Permit>,
    /// What of its usage counts there already: tokens and money.
    settled: (u64, Nanodollars),
    standing: Option<Standing>,
    /// Bodies are kept where the settings say so.
    bodies: Bodies,
    request_body: Option<KeptBody>,
    response_body: Option<KeptBody>,
    secrets: Vec<Secret>,
}

impl Recording {
    pub(crate) fn begin(app: &Arc<App>, route: &Route) -> Self {
        let began = Instant::now();
        let id = app.records.next_id(app.clock.at(began));
        let record = RequestRecord {
            error: Some(Class::ClientGone),
            ..RequestRecord::plain(id, route.dialect(), route.endpoint(), CLIENT_CLOSED_REQUEST)
        };
        let draft = Mutex::new(Draft {
            record,
            takes_tokens: false,
            answered_by: None,
            key_label: None,
            permit: None,
            settled: (0, Nanodollars::default()),
            standing: None,
            bodies: app.snapshot.load().config.logs.bodies,
            request_body: None,
            response_body: None,
            secrets: Vec::new(),
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

    /// Who asks; the keys that were shown are kept out of kept bodies.
    pub(crate) fn caller(&self, caller: &Caller, shown: impl FnOnce() -> Vec<Secret>) {
        let mut draft = self.draft();
        draft.record.client = caller.client().map(|client| client.id);
        if draft.bodies != Bodies::None {
            draft.secrets = shown();
        }
    }

    /// What is asked, as far as it is known before it is known of whom.
    pub(crate) fn ask(&self, ask: &Ask<'_>) {
        let mut draft = self.draft();
        draft.takes_tokens = ask.takes_tokens();
        draft.record.endpoint = ask.endpoint;
    }

    /// The provider that is asked next, and for which of its models; empty where none is named.
    pub(crate) fn goes_to(&self, provider: &Arc<str>, model: &str) {
        let record = &mut self.draft().record;
        let before = record.provider.replace(provider.clone());
        let model = (!model.is_empty()).then(|| beginning(model).into());
        let before = before.zip(std::mem::replace(&mut record.model, model));
        let Some((provider, model)) = before else {
            return;
        };
        let elsewhere = Elsewhere { provider, model };
        let earlier = record.attempts.iter_mut();
        for attempt in earlier.filter(|attempt| attempt.elsewhere.is_none()) {
            attempt.elsewhere = Some(elsewhere.clone());
        }
    }

    /// The caller's limits let the request in: what it holds of them is free again when the record is written.
    pub(crate) fn admitted(&self, permit: Permit, standing: Standing) {
        let mut draft = self.draft();
        draft.permit = Some(permit);
        draft.standing = Some(standing);
    }

    /// Room for the body of the answer, where bodies are kept.
    pub(crate) fn keeps_body(&self) -> Option<KeptBody> {
        (self.draft().bodies != Bodies::None).then(KeptBody::default)
    }

    /// What the caller sent.
    pub(crate) fn request_body(&self, body: &OutgoingBody) {
        let mut draft = self.draft();
        if draft.bodies != Bodies::None
            && let OutgoingBody::Buffered(chunks) = body
        {
            let kept = draft.request_body.get_or_insert_default();
            chunks.iter().for_each(|chunk| kept.push(chunk));
        }
    }

    /// What the caller got.
    pub(crate) fn response_body(&self, body: KeptBody) {
        self.draft().response_body = Some(body);
    }

    /// How the caller's limits stand, for the headers of the answer.
    pub(crate) fn standing(&self, standing: Option<Standing>) {
        self.draft().standing = standing;
    }

    pub(crate) fn attempt(&self, credential: &Credential, tried: &Tried) {
        let app = &self.0.app;
        let key = credential.key();
        let mut draft = self.draft();
        if draft.bodies != Bodies::None {
            draft.secrets.push(credential.secret().clone());
        }
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
            elsewhere: None,
            key: record.key,
            egress: match tried.egress.proxy() {
                Some(proxy) => proxy.name.clone(),
                None => app.direct.clone(),
            },
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

    /// The answer has been handed to the caller whole: what it turned out to be, and what it took.
    pub(crate) fn over(&self, ending: Ending) {
        let mut draft = self.draft();
        draft.record.error = (ending.class != Class::Ok).then_some(ending.class);
        draft.took(ending);
    }

    /// What it has taken until now counts at once: it may go on for long.
    pub(crate) fn takes(&self, usage: Usage) {
        let app = &self.0.app;
        let mut draft = self.draft();
        if draft.takes_tokens {
            draft.record.usage = Some(usage);
            let cost = draft.cost(app);
            draft.settle(cost, app.clock.now());
        }
    }

    /// How the provider ended what had begun well.
    pub(crate) fn closed(&self, class: Class, reason: String) {
        let mut draft = self.draft();
        if let Some(last) = draft.record.attempts.last_mut() {
            let reason = reason.into();
            last.outcome = AttemptOutcome { class, reason };
        }
    }

    /// The caller went away before the end: what the answer has taken so far.
    pub(crate) fn left(&self, ending: Ending) {
        self.draft().took(ending);
    }

    /// Adds what every answer tells of itself.
    pub(crate) fn label(&self, headers: &mut HeaderMap) {
        insert(
            headers,
            "x-keymux-request-id",
            HeaderValue::try_from(self.0.id.to_string()),
        );
        let draft = self.draft();
        show(draft.standing.as_ref(), headers);
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

impl Draft {
    /// Where neither the path nor the caller's own words name a model that is known, the answer does.
    fn took(&mut self, ending: Ending) {
        self.record.usage = ending.usage.filter(|_| self.takes_tokens);
        self.record.cost = ending.cost.filter(|_| self.takes_tokens);
        if self.record.model.is_none() {
            self.record.model.clone_from(&ending.model);
        }
        self.answered_by = ending.model;
    }

    /// What the answer cost: as its provider says, or by the prices that hold now.
    fn cost(&self, app: &App) -> Option<Nanodollars> {
        if self.record.cost.is_some() {
            return self.record.cost;
        }
        let usage = self.record.usage.as_ref()?;
        let provider = self.record.provider.as_deref()?;
        let snapshot = app.snapshot.load();
        let names = [&self.record.model, &self.answered_by];
        let mut costs = names
            .into_iter()
            .flatten()
            .filter_map(|model| snapshot.prices.cost(provider, model, usage));
        costs.next()
    }

    /// Counts what has been taken since it was counted last.
    fn settle(&mut self, cost: Option<Nanodollars>, now: UnixMs) {
        let (Some(permit), Some(usage)) = (&self.permit, self.record.usage) else {
            return;
        };
        let (tokens, cost) = (u64::from(usage.total), cost.unwrap_or_default());
        let (before, paid) = std::mem::replace(&mut self.settled, (tokens, cost));
        let cost = Nanodollars(cost.0.saturating_sub(paid.0));
        permit.settle(tokens.saturating_sub(before), cost, now);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let draft = self.draft.get_mut().unwrap_or_else(PoisonError::into_inner);
        let app = &self.app;
        draft.record.cost = draft.cost(app);
        draft.settle(draft.record.cost, app.clock.now());
        draft.permit = None;
        let record = &mut draft.record;
        record.latency_us = micros(self.began.elapsed());
        app.metrics.request(record);
        app.pulse.ended(record, app.clock.now());
        let attempts = std::mem::take(&mut record.attempts);
        let record = RequestRecord {
            attempts,
            ..record.clone()
        };
        let is_kept = match draft.bodies {
            Bodies::None => false,
            Bodies::Errors => record.error.is_some() || record.status >= 400,
            Bodies::All => true,
        };
        if is_kept {
            app.bodies.put(KeptBodies {
                id: record.id,
                request: draft.request_body.take(),
                response: draft.response_body.take(),
                secrets: std::mem::take(&mut draft.secrets),
            });
        }
        app.events
            .tell(|| Happening::Request(Arc::new(record.clone())));
        app.records.put(record);
    }
}

/// As much of a model's name as is kept.
fn beginning(model: &str) -> &str {
    let longest = model.len().min(LONGEST_MODEL);
    let mut ends = (0..=longest).rev();
    let end = ends.find(|&end| model.is_char_boundary(end));
    &model[..end.unwrap_or(0)]
}

/// Adds how the limits stand, where there are any.
pub(super) fn show(standing: Option<&Standing>, headers: &mut HeaderMap) {
    for (name, value) in standing.into_iter().flat_map(Standing::headers) {
        insert(headers, name, HeaderValue::try_from(value));
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

    #[test]
    fn of_a_long_name_the_beginning_is_kept() {
        assert_eq!(beginning("gemini-2.5-flash"), "gemini-2.5-flash");
        assert_eq!(beginning(&"é".repeat(200)), "é".repeat(128));
    }
}
