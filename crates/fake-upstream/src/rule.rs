//! Scripted faults: which requests a rule is for, how often, and what happens to them. The first
//! rule that fits and has uses left wins. The JSON form of the same is in `form.rs`.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName};

use crate::call::{Call, ErrorShape};
use crate::fixtures::{self, Fixture};
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply, SSE};

/// A scripted fault: conditions, a number of uses, and one deed.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    key: Option<String>,
    model: Option<String>,
    method: Option<String>,
    path_contains: Option<String>,
    peer: Option<IpAddr>,
    uses_left: Option<usize>,
    pub(crate) delay: Duration,
    pub(crate) deed: Deed,
}

/// The three forms of an empty answer that Google gives with HTTP 200; the other stand-ins say the
/// same in their dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyKind {
    /// Neither `candidates` nor `promptFeedback`.
    NoCandidates,
    /// A candidate that stopped and has no parts.
    StopNoParts,
    /// A candidate whose only part is `{"text": ""}`.
    EmptyText,
}

/// What a rule does.
#[derive(Debug, Clone, Default)]
pub(crate) enum Deed {
    /// Only the delay; then the ordinary answer.
    #[default]
    Pass,
    Respond(Reply),
    Fixture(&'static Fixture),
    StallBeforeHead,
    Reset,
    Close,
    Midway(Midway),
    Empty(EmptyKind),
    BlockedPrompt,
    BlockedSafety,
    Garbage,
    /// The answer ends with this finish reason instead of its own.
    Finish(String),
    /// Perplexity's answer failed, with HTTP 200.
    Failed,
}

impl Deed {
    pub(crate) fn midway(&self) -> Option<&Midway> {
        match self {
            Self::Midway(midway) => Some(midway),
            _ => None,
        }
    }
}

/// A fault in the middle of an answer that began well.
#[derive(Debug, Clone)]
pub(crate) struct Midway {
    pub(crate) after: usize,
    pub(crate) then: Then,
}

/// What follows the last good chunk.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    Stall,
    Reset,
    Cut,
    /// The stream ends as HTTP demands, without a finish reason.
    End,
    Error(Refusal),
}

impl Rule {
    /// A rule for every request, without limit of uses, that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only requests that show this key.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Only requests whose path names this model (without `models/`), or else their body.
    #[must_use]
    pub fn model(mut self, model: &str) -> Self {
        self.model = Some(model.to_owned());
        self
    }

    /// Only this method of Google's resources, for example `generateContent`; the other providers
    /// have none.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only paths that contain this text.
    #[must_use]
    pub fn path_contains(mut self, text: &str) -> Self {
        self.path_contains = Some(text.to_owned());
        self
    }

    /// Only requests that come from this address, whatever key they show: a provider that throttles
    /// the exit of a proxy ([`ProxyScript::exit`](crate::ProxyScript::exit)).
    #[must_use]
    pub fn peer(mut self, peer: IpAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// At most so many uses; afterwards the rule is passed over.
    #[must_use]
    pub fn times(mut self, uses: usize) -> Self {
        self.uses_left = Some(uses);
        self
    }

    /// Waits before anything is sent; goes together with any deed.
    #[must_use]
    pub fn delay_head(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Answers with this status and JSON body, byte for byte.
    #[must_use]
    pub fn respond(self, status: u16, body: impl Into<Bytes>) -> Self {
        self.respond_with(status, &[], body)
    }

    /// Answers with this status, these headers and this body, byte for byte; the content type is
    /// JSON unless a header says otherwise. Headers that HTTP does not allow are left out.
    #[must_use]
    pub fn respond_with(
        self,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Reply::new(status, JSON, body);
        for (name, value) in headers {
            if let Ok(name) = HeaderName::try_from(*name) {
                if name == CONTENT_TYPE {
                    reply.headers.remove(&name);
                }
                reply = reply.header(name, value);
            }
        }
        self.deed(Deed::Respond(reply))
    }

    /// Answers with a fixture, its status and content type taken from the manifest. Errors are
    /// wrapped as the path demands (an array for streams without `alt=sse`).
    ///
    /// # Panics
    /// When there is no such fixture: the test is misspelt.
    #[must_use]
    #[track_caller]
    pub fn fixture(self, name: &str) -> Self {
        self.deed(Deed::Fixture(required(name)))
    }

    /// Never sends a byte; the connection stays open.
    #[must_use]
    pub fn stall_before_head(self) -> Self {
        self.deed(Deed::StallBeforeHead)
    }

    /// Sends the head of the ordinary answer and nothing more.
    #[must_use]
    pub fn stall_after_head(self) -> Self {
        self.stall_after_chunks(0)
    }

    /// Sends `chunks` chunks of the ordinary answer (half of a unary one) and nothing more.
    #[must_use]
    pub fn stall_after_chunks(self, chunks: usize) -> Self {
        self.midway(chunks, Then::Stall)
    }

    /// Resets the TCP connection before any byte of an answer.
    #[must_use]
    pub fn reset(self) -> Self {
        self.deed(Deed::Reset)
    }

    /// Closes the connection before any byte of an answer.
    #[must_use]
    pub fn close(self) -> Self {
        self.deed(Deed::Close)
    }

    /// Resets the TCP connection after `chunks` chunks.
    #[must_use]
    pub fn reset_after_chunks(self, chunks: usize) -> Self {
        self.midway(chunks, Then::Reset)
    }

    /// Closes the connection after `chunks` chunks, without the end of the body.
    #[must_use]
    pub fn cut_after_chunks(self, chunks: usize) -> Self {
        self.midway(chunks, Then::Cut)
    }

    /// Ends the stream properly after `chunks` chunks, without a finish reason.
    #[must_use]
    pub fn end_after_chunks(self, chunks: usize) -> Self {
        self.midway(chunks, Then::End)
    }

    /// Sends the fixture as an error event inside the 200 stream after `chunks` chunks (0: as its
    /// first event). A unary answer becomes that error.
    ///
    /// # Panics
    /// When there is no such fixture: the test is misspelt.
    #[must_use]
    #[track_caller]
    pub fn error_after_chunks(self, chunks: usize, name: &str) -> Self {
        self.midway(chunks, Then::Error(Refusal::from_fixture(required(name))))
    }

    /// Answers 200 with nothing in it.
    #[must_use]
    pub fn empty(self, kind: EmptyKind) -> Self {
        self.deed(Deed::Empty(kind))
    }

    /// Blocks the prompt: `promptFeedback.blockReason`.
    #[must_use]
    pub fn blocked_prompt(self) -> Self {
        self.deed(Deed::BlockedPrompt)
    }

    /// Ends the candidate with `SAFETY`.
    #[must_use]
    pub fn blocked_safety(self) -> Self {
        self.deed(Deed::BlockedSafety)
    }

    /// Answers 200 with bytes that are neither JSON nor UTF-8.
    #[must_use]
    pub fn garbage(self) -> Self {
        self.deed(Deed::Garbage)
    }

    /// Ends the answer with this finish reason instead of its own, for example `""` as older models
    /// of xAI do with tool calls, or `error` of GigaChat. Chat completions only.
    #[must_use]
    pub fn finish_reason(self, reason: &str) -> Self {
        self.deed(Deed::Finish(reason.to_owned()))
    }

    /// Answers 200 with `status: "failed"`, or ends a stream with `response.failed`: the Responses
    /// dialect only, and Perplexity's habit.
    #[must_use]
    pub fn failed(self) -> Self {
        self.deed(Deed::Failed)
    }

    pub(crate) fn deed(mut self, deed: Deed) -> Self {
        self.deed = deed;
        self
    }

    pub(crate) fn midway(self, after: usize, then: Then) -> Self {
        self.deed(Deed::Midway(Midway { after, then }))
    }

    fn fits(&self, call: &Call) -> bool {
        let (_, method) = call.resource_and_method();
        self.uses_left != Some(0)
            && self
                .key
                .as_deref()
                .is_none_or(|key| call.key.as_deref() == Some(key))
            && self
                .model
                .as_deref()
                .is_none_or(|model| call.model().as_deref() == Some(model))
            && self.method.as_deref().is_none_or(|wanted| method == wanted)
            && self
                .path_contains
                .as_deref()
                .is_none_or(|text| call.path.contains(text))
            && self.peer.is_none_or(|peer| call.peer == peer)
    }
}

#[expect(
    clippy::panic,
    reason = "a misspelt fixture is a mistake in the test that names it"
)]
#[track_caller]
fn required(name: &str) -> &'static Fixture {
    fixtures::find(name).unwrap_or_else(|| panic!("there is no fixture {name:?}"))
}

/// The rules in force. The lock guards one search and its count; it is never held across a wait.
#[derive(Debug, Default)]
pub(crate) struct RuleBook {
    rules: Mutex<Vec<Rule>>,
    any: AtomicBool,
}

impl RuleBook {
    pub(crate) fn add(&self, rule: Rule) {
        let mut rules = self.lock();
        rules.push(rule);
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        let mut rules = self.lock();
        rules.clear();
        self.any.store(false, Ordering::Release);
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// The rule for this call, one use of it taken.
    pub(crate) fn take(&self, call: &Call) -> Option<Rule> {
        if self.is_empty() {
            return None;
        }
        let mut rules = self.lock();
        let rule = rules.iter_mut().find(|rule| rule.fits(call))?;
        if let Some(left) = &mut rule.uses_left {
            *left -= 1;
        }
        Some(rule.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer of a fixture: its bytes, or for an error the error in the shape of the path.
pub(crate) fn fixture_reply(fixture: &'static Fixture, shape: ErrorShape) -> Reply {
    if fixture.status.is_success() {
        let reply = Reply::new(fixture.status, &fixture.content_type, fixture.bytes());
        return fixture.headers.iter().fold(
            reply,
            |reply, (name, value)| match HeaderName::try_from(name) {
                Ok(name) => reply.header(name, value),
                Err(_) => reply,
            },
        );
    }
    Refusal::from_fixture(fixture).into_reply(shape)
}

/// A 200 that no parser takes.
pub(crate) fn garbage_reply(call: &Call) -> Reply {
    let streams = call.wants_sse() || asks_for_stream(&call.body);
    let content_type = if streams { SSE } else { JSON };
    let body: &'static [u8] = b"data: \xff\xfe{{{not json \x00\x9f\r\n\r\n<<<>>>";
    Reply::new(StatusCode::OK, content_type, Bytes::from_static(body))
}

fn asks_for_stream(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Asked {
        stream: bool,
    }
    serde_json::from_slice(body).is_ok_and(|asked: Asked| asked.stream)
}
