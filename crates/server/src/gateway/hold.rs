//! An answer that is held back: its bytes are read until it is known to be worth sending, or to be none.
//! What may go out is kept apart from the beginning of an event whose end has not come: a stream that breaks then
//! ends with a whole event, and the caller's parser sees an error rather than half a document.

use std::collections::VecDeque;

use bytes::Bytes;
use domain::{Class, Secret, Verdict};
use http::response::Parts;
use providers::{Api, Translate};
use wire::gemini::{AnswerScan, Content, Framing, Progress};
use wire::openai::tidy::Tidy;

use super::error::ErrorShape;
use super::{links, refusal};
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
    /// Whose words it is in.
    api: Api,
    /// What the provider was shown or knows, and the caller must not see.
    secrets: Vec<Secret>,
    /// Of another dialect than the caller's: what is read and passed on is what it becomes.
    translator: Option<Box<dyn Translate>>,
    /// What the caller is not to see, or to see otherwise.
    tidy: Option<Box<Tidy>>,
    /// Room for what `tidy` lets out.
    tidied: Vec<Bytes>,
    /// The dialect knows no end but a whole one: a stream that just stops is ended with an error.
    must_end: bool,
    /// What is of no known shape is worth sending too.
    passes_unknown: bool,
    /// None: the body is not of a kind that is read.
    scan: Option<Box<AnswerScan>>,
    ready: VecDeque<Bytes>,
    tail: Vec<Bytes>,
    tail_bytes: usize,
    /// The caller has got the beginning of an event whose end has not come.
    is_torn: bool,
    errors: Errors,
    /// The model that was asked for, as errors name it.
    model: Box<str>,
}

/// What becomes of an error event of the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errors {
    /// It passes, without secrets.
    Pass,
    /// It is dropped on its way, and told in OpenAI's words.
    Tell,
    /// It has been told.
    Told,
}

impl Flow {
    pub(crate) fn new(api: Api, scan: Option<AnswerScan>, secrets: Vec<Secret>) -> Self {
        Self {
            api,
            secrets,
            tidied: Vec::new(),
            translator: None,
            tidy: None,
            must_end: false,
            passes_unknown: false,
            scan: scan.map(Box::new),
            ready: VecDeque::new(),
            tail: Vec::new(),
            tail_bytes: 0,
            is_torn: false,
            errors: Errors::Pass,
            model: Box::default(),
        }
    }

    /// The same, where keymux does not have to know what passes: any endpoint of any provider.
    pub(crate) fn passing_what_is_unknown(self) -> Self {
        Self {
            passes_unknown: true,
            ..self
        }
    }

    /// The same, brought into OpenAI's dialect on its way.
    pub(crate) fn in_openais_dialect(
        self,
        translator: Option<Box<dyn Translate>>,
        tidy: Option<Tidy>,
        model: &str,
    ) -> Self {
        Self {
            errors: if tidy.is_some() {
                Errors::Tell
            } else {
                Errors::Pass
            },
            translator,
            tidy: tidy.map(Box::new),
            must_end: true,
            model: model.into(),
            ..self
        }
    }

    /// Takes the next chunk in. A body that is not read is worth sending at once.
    pub(crate) fn push(&mut self, chunk: Bytes) -> Progress {
        let Some(translator) = &mut self.translator else {
            return self.read(chunk);
        };
        let mut translated = Vec::new();
        translator.push(&chunk, &mut translated);
        self.read(translated.into())
    }

    /// From an error on, what passes is redacted: providers put keys into their error texts.
    fn read(&mut self, chunk: Bytes) -> Progress {
        let Some(scan) = &mut self.scan else {
            self.ready.push_back(chunk);
            return Progress {
                useful: true,
                ..Progress::default()
            };
        };
        let mut progress = scan.push(&chunk);
        progress.useful |= self.passes_unknown && is_unknown(scan);
        if scan.framing() == Framing::Json {
            self.pass(chunk);
        } else {
            let before = self.ready.len();
            self.keep_whole_events(chunk, progress.whole_events_end);
            if progress.error {
                self.handle_error(before);
            }
        }
        progress
    }

    /// The body is over, at its own end.
    pub(crate) fn finish(&mut self) {
        let before = self.ready.len();
        if let Some(mut translator) = self.translator.take() {
            let mut translated = Vec::new();
            translator.finish(&mut translated);
            self.read(translated.into());
        }
        self.release();
        if let Some(tidy) = &mut self.tidy {
            tidy.finish(&mut self.tidied);
            self.ready.extend(self.tidied.drain(..));
        }
        let Some(scan) = &mut self.scan else { return };
        scan.finish();
        if scan.summary().error.is_some() && scan.framing() != Framing::Json {
            self.handle_error(before);
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
            self.finish();
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

    /// Whether the stream is over, and has not said so: the caller has to be told.
    pub(crate) fn lacks_its_end(&self) -> bool {
        let scan = self.scan.as_ref().filter(|_| self.must_end);
        scan.is_some_and(|scan| {
            let summary = scan.summary();
            let has_ended = summary.complete || self.has_said_done() && summary.has_content;
            scan.framing() == Framing::Sse && !has_ended && summary.error.is_none()
        })
    }

    /// The caller has been told that the stream is over.
    fn has_said_done(&self) -> bool {
        self.tidy.as_ref().is_some_and(|tidy| tidy.is_done())
    }

    /// What is here and has not gone out.
    pub(crate) fn held(&self) -> Vec<u8> {
        self.ready.iter().flatten().copied().collect()
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
            Some(scan) if !self.is_not_for_us_to_judge() => {
                self.api.judge_success(scan.summary(), self.is_stream())
            }
            _ => Verdict::ok(),
        }
    }

    /// Whether it passes without being understood.
    pub(crate) fn is_not_for_us_to_judge(&self) -> bool {
        self.scan.as_ref().is_none_or(|scan| {
            self.passes_unknown && scan.summary().error.is_none() && is_unknown(scan)
        })
    }

    /// What has come is no JSON, where one document of it has to be.
    pub(crate) fn is_no_document(&self) -> bool {
        self.scan.as_ref().is_some_and(|scan| {
            let summary = scan.summary();
            scan.framing() == Framing::Json
                && summary.content != Content::Any
                && summary.malformed
                && !summary.has_content
        })
    }

    /// What the error inside means by itself, whatever came before it.
    fn verdict_on_error(&self) -> Verdict {
        self.scan.as_ref().map_or_else(Verdict::ok, |scan| {
            let mut summary = scan.summary().clone();
            summary.has_content = false;
            self.api.judge_success(&summary, self.is_stream())
        })
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

    /// What the caller must not see.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        self.secrets.iter().map(Secret::expose).collect()
    }

    /// There is an error in it.
    pub(crate) fn holds_error(&self) -> bool {
        let summary = self.scan.as_ref().map(|scan| scan.summary());
        summary.is_some_and(|summary| summary.error.is_some())
    }

    /// It has come to its end without content, and with an error in words of its own.
    pub(crate) fn holds_only_an_error(&self) -> bool {
        let summary = self.scan.as_ref().map(|scan| scan.summary());
        summary.is_some_and(|summary| summary.error.is_some() && !summary.has_content)
    }

    /// Everything has been handed out.
    pub(crate) fn is_drained(&self) -> bool {
        self.ready.is_empty() && self.tail.is_empty()
    }

    pub(crate) fn scan(&self) -> Option<&AnswerScan> {
        self.scan.as_deref()
    }

    /// Whether the caller may get other bytes than the provider sent.
    pub(crate) fn may_change(&self) -> bool {
        self.translator.is_some() || self.tidy.is_some()
    }

    /// Nothing of it can be passed on before all of it is here.
    pub(crate) fn is_translated_whole(&self) -> bool {
        self.translator.is_some() && !self.is_stream()
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
            self.pass(chunk.split_to(whole.min(chunk.len())));
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

    /// An error event has come: what became ready since `before` may be of it.
    fn handle_error(&mut self, before: usize) {
        if self.errors == Errors::Pass {
            self.redact_from(before);
        } else if self.errors == Errors::Tell && !self.has_said_done() {
            self.errors = Errors::Told;
            let object = self
                .scan
                .as_ref()
                .and_then(|scan| scan.summary().error.clone());
            let object = Bytes::from(object.unwrap_or_default());
            let object = wire::redact::redact(object, &self.secrets());
            let verdict = self.verdict_on_error();
            let error = refusal::inside_a_stream(&object, &verdict, &self.model, self.api);
            let event = [b"data: ", &*error.body(ErrorShape::OpenAi), b"\n\n"].concat();
            self.ready.push_back(event.into());
        }
    }

    /// Redacts what has become ready, as one piece: a secret may be cut by a chunk's end.
    fn redact_from(&mut self, first: usize) {
        let whole: Bytes = self.ready.drain(first..).flatten().collect();
        if !whole.is_empty() {
            self.ready
                .push_back(wire::redact::redact(whole, &self.secrets()));
        }
    }

    fn release(&mut self) {
        for chunk in std::mem::take(&mut self.tail) {
            self.pass(chunk);
        }
        self.tail_bytes = 0;
    }

    /// Lets a chunk out to the caller.
    fn pass(&mut self, chunk: Bytes) {
        match &mut self.tidy {
            Some(tidy) => {
                tidy.push(chunk, &mut self.tidied);
                self.ready.extend(self.tidied.drain(..));
            }
            None => self.ready.push_back(chunk),
        }
    }
}

/// Whether an answer is of no shape that keymux reads. Where a model was asked for one document, that has to be JSON.
fn is_unknown(scan: &AnswerScan) -> bool {
    let summary = scan.summary();
    scan.is_strange() || summary.malformed && summary.content == Content::Any
}
