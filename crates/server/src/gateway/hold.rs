//! An answer that is held back: its bytes are read until it is known to be worth sending, or to be none.
//! What may go out is kept apart from the beginning of an event whose end has not come: a stream that breaks then
//! ends with a whole event, and the caller's parser sees an error rather than half a document.

use std::collections::VecDeque;

use bytes::Bytes;
use domain::{Class, Secret, Verdict};
use http::response::Parts;
use providers::google;
use wire::gemini::{AnswerScan, Framing, Progress};

use super::links;
use crate::egress::UpstreamBody;

/// The longest event that is kept back; of a longer one the caller gets the beginning as it comes.
const LONGEST_KEPT: usize = 16 * 1024;

/// A provider's answer, read as far as needed to judge it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Parts,
    pub(crate) flow: Flow,
    /// None: it has ended, and all of it is in `flow`.
    pub(crate) rest: Option<UpstreamBody>,
}

/// The bytes of an answer between the provider and the caller.
#[derive(Debug)]
pub(crate) struct Flow {
    /// None: the body is not of a kind that is read.
    scan: Option<Box<AnswerScan>>,
    ready: VecDeque<Bytes>,
    tail: Vec<Bytes>,
    tail_bytes: usize,
    /// The caller has got the beginning of an event whose end has not come.
    is_torn: bool,
}

impl Flow {
    pub(crate) fn new(scan: Option<AnswerScan>) -> Self {
        Self {
            scan: scan.map(Box::new),
            ready: VecDeque::new(),
            tail: Vec::new(),
            tail_bytes: 0,
            is_torn: false,
        }
    }

    /// Takes the next chunk in. A body that is not read is worth sending at once.
    ///
    /// From an error on, what passes is redacted: providers put keys into their error texts.
    pub(crate) fn push(&mut self, chunk: Bytes, secret: &Secret) -> Progress {
        let Some(scan) = &mut self.scan else {
            self.ready.push_back(chunk);
            return Progress {
                useful: true,
                ..Progress::default()
            };
        };
        let progress = scan.push(&chunk);
        if scan.framing() == Framing::Json {
            self.ready.push_back(chunk);
        } else {
            let before = self.ready.len();
            self.keep_whole_events(chunk, progress.whole_events_end);
            if progress.error {
                self.redact_from(before, secret);
            }
        }
        progress
    }

    /// The body is over, at its own end.
    pub(crate) fn finish(&mut self, secret: &Secret) {
        let before = self.ready.len();
        self.release();
        let Some(scan) = &mut self.scan else { return };
        scan.finish();
        if scan.summary().error.is_some() && scan.framing() != Framing::Json {
            self.redact_from(before, secret);
        }
    }

    /// The stream broke: what was kept back is dropped, and an error in the dialect ends it.
    /// False: the dialect has no way to say so here.
    pub(crate) fn break_off(&mut self, error: &wire::gemini::error::ErrorBody<'_>) -> bool {
        self.tail.clear();
        self.tail_bytes = 0;
        let Some(scan) = &self.scan else { return false };
        if scan.summary().complete && !self.is_torn {
            // The answer was whole; only the end of its framing was lost.
            return true;
        }
        if self.is_torn && scan.framing() == Framing::JsonArray {
            return false;
        }
        if self.is_torn {
            self.ready.push_back(Bytes::from_static(b"\r\n\r\n"));
        }
        let end = wire::gemini::stream_error_tail(scan, error);
        let is_told = !end.is_empty();
        self.ready.push_back(end.into());
        is_told
    }

    /// Turns download links in a body that is all here round to `here`.
    pub(crate) fn turn_links(&mut self, there: &str, here: Option<&str>) {
        let Some(here) = here else { return };
        let whole = if self.ready.len() == 1 {
            self.ready.pop_front().unwrap_or_default()
        } else {
            self.ready.drain(..).flatten().collect()
        };
        self.ready.push_back(links::turn_round(whole, there, here));
    }

    /// What the answer is so far. That its end has not come yet says nothing against it.
    pub(crate) fn verdict(&self) -> Verdict {
        let verdict = self.final_verdict();
        let has_error = self
            .scan
            .as_ref()
            .is_some_and(|scan| scan.summary().error.is_some());
        let is_known = has_error || matches!(verdict.class, Class::Blocked | Class::AcctSuspended);
        if is_known { verdict } else { Verdict::ok() }
    }

    /// What the answer was, now that it is over.
    pub(crate) fn final_verdict(&self) -> Verdict {
        match &self.scan {
            Some(scan) => google::judge_success(scan.summary(), self.is_stream()),
            None => Verdict::ok(),
        }
    }

    /// The next bytes for the caller.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        self.ready.pop_front()
    }

    /// Something can go out now. Half an event cannot: if its other half never comes, another key can still answer.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The model has said something.
    pub(crate) fn has_content(&self) -> bool {
        self.scan
            .as_ref()
            .is_some_and(|scan| scan.summary().has_content)
    }

    /// Everything has been handed out.
    pub(crate) fn is_drained(&self) -> bool {
        self.ready.is_empty() && self.tail.is_empty()
    }

    pub(crate) fn scan(&self) -> Option<&AnswerScan> {
        self.scan.as_deref()
    }

    /// Whether it is a stream whose end can be told in the dialect.
    pub(crate) fn is_stream(&self) -> bool {
        self.scan
            .as_ref()
            .is_some_and(|scan| scan.framing() != Framing::Json)
    }

    fn keep_whole_events(&mut self, mut chunk: Bytes, whole: usize) {
        if whole > 0 {
            self.release();
            self.is_torn = false;
            self.ready.push_back(chunk.split_to(whole.min(chunk.len())));
        }
        if chunk.is_empty() {
            return;
        }
        self.tail_bytes += chunk.len();
        self.tail.push(chunk);
        if self.tail_bytes > LONGEST_KEPT {
            self.release();
            self.is_torn = true;
        }
    }

    /// Redacts what has become ready, as one piece: a secret may be cut by a chunk's end.
    fn redact_from(&mut self, first: usize, secret: &Secret) {
        let whole: Bytes = self.ready.drain(first..).flatten().collect();
        if !whole.is_empty() {
            self.ready
                .push_back(wire::redact::redact(whole, &[secret.expose()]));
        }
    }

    fn release(&mut self) {
        self.ready.extend(self.tail.drain(..));
        self.tail_bytes = 0;
    }
}
