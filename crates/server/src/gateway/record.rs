//! What is written down of a request. A recording goes with the request from its first byte to its last; wherever that
//! ends, also by the caller going away, the record is handed to the writer once, without waiting.
//! `record/draft.rs` is what is known until then, `record/sink.rs` where it goes.

mod draft;
mod sink;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use config::Bodies;
use domain::{Attempt, AttemptOutcome, Class, RequestId, RequestRecord, Secret, Usage};
use http::{HeaderMap, HeaderValue};
use metering::{Permit, Standing};

pub(crate) use sink::RecordSink;

use super::Route;
use super::admission::Ask;
use super::attempt::Tried;
use super::caller::Caller;
use super::credential::Credential;
use super::kept_bodies::KeptBody;
use super::relay::Ending;
use crate::app::App;
use crate::egress::OutgoingBody;
use draft::Draft;

/// The status of a request whose caller went away before there was an answer (nginx's convention).
const CLIENT_CLOSED_REQUEST: u16 = 499;

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

impl Recording {
    pub(crate) fn begin(app: &Arc<App>, route: &Route) -> Self {
        let began = Instant::now();
        let id = app.records.next_id(app.clock.at(began));
        let record = RequestRecord {
            error: Some(Class::ClientGone),
            ..RequestRecord::plain(id, route.dialect(), route.endpoint(), CLIENT_CLOSED_REQUEST)
        };
        let bodies = app.snapshot.load().config.logs.bodies;
        Self(Arc::new(Shared {
            app: app.clone(),
            id,
            began,
            draft: Mutex::new(Draft::new(record, bodies)),
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
        self.draft().goes_to(provider, model);
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

impl Drop for Shared {
    fn drop(&mut self) {
        let draft = self.draft.get_mut().unwrap_or_else(PoisonError::into_inner);
        draft.hand_over(&self.app, self.began);
    }
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
