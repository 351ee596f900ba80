//! Reads an answer while it passes: what it costs, how it ends, whether it is worth committing to.
//! It keeps none of the body but the few values of its [`Summary`]; the bytes go on unchanged elsewhere.
//! `sse.rs` and `json.rs` cut the body, `read.rs` understands it, `tail.rs` ends a stream that broke.

use crate::{json, sse};

use super::read::Reader;
use super::{Content, Framing, Progress, Summary};

/// The reader of one answer's body, pushed as it comes.
#[derive(Debug)]
pub struct AnswerScan {
    framing: Framing,
    lines: sse::Reader,
    scanner: json::Scanner,
    reader: Reader,
    /// Whole events have been seen, so that a tail must follow on them.
    has_whole: bool,
    /// See [`AnswerScan::is_strange`].
    is_strange: bool,
}

impl AnswerScan {
    /// A scan of a body that has not begun.
    pub fn new(framing: Framing, content: Content) -> Self {
        Self {
            framing,
            lines: sse::Reader::default(),
            scanner: json::Scanner::default(),
            reader: Reader::new(content),
            has_whole: false,
            is_strange: false,
        }
    }

    /// Reads the next chunk of the body, cut anywhere.
    pub fn push(&mut self, chunk: &[u8]) -> Progress {
        let whole_events_end = match self.framing {
            Framing::Sse => self.push_events(chunk),
            Framing::Json | Framing::JsonArray => self.push_document(chunk),
        };
        self.has_whole |= whole_events_end > 0;
        self.update();
        Progress {
            useful: self.reader.useful,
            error: self.reader.summary.error.is_some(),
            whole_events_end,
        }
    }

    /// The body is over. Where [`Summary::mid_event`] stays false, bytes behind the last whole event are whole too.
    pub fn finish(&mut self) {
        if self.framing == Framing::Sse && self.scanner.is_done() {
            // The last event may lack its blank line, as a bare error does.
            self.is_strange |= end_event(&mut self.scanner, &mut self.reader);
            self.lines = sse::Reader::default();
        }
        self.update();
    }

    /// What is known so far; final after [`AnswerScan::finish`].
    pub fn summary(&self) -> &Summary {
        &self.reader.summary
    }

    /// An event or a document has come that is of no shape that is read here: text, a number, an object of other members.
    /// Of the summary it has nothing; whoever passes on what it does not know can.
    pub fn is_strange(&self) -> bool {
        self.is_strange
    }

    /// How the body is cut into events.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whole events have been read, and their array, if any, is still open.
    pub(super) fn is_open_after_events(&self) -> bool {
        self.has_whole && !self.scanner.is_done()
    }

    /// The array of the stream has been closed.
    pub(super) fn is_closed(&self) -> bool {
        self.framing != Framing::Sse && self.scanner.is_done()
    }

    fn push_events(&mut self, chunk: &[u8]) -> usize {
        let (scanner, reader) = (&mut self.scanner, &mut self.reader);
        let is_strange = &mut self.is_strange;
        self.lines.push(chunk, |piece| match piece {
            sse::Piece::Data(data) => scanner.push(data, reader),
            sse::Piece::End => *is_strange |= end_event(scanner, reader),
        })
    }

    fn push_document(&mut self, chunk: &[u8]) -> usize {
        self.reader.element_end = 0;
        self.scanner.push(chunk, &mut self.reader);
        if self.scanner.is_done() {
            return chunk.len();
        }
        self.reader.element_end
    }

    fn update(&mut self) {
        let closed = self.scanner.is_done();
        let malformed = self.scanner.is_malformed();
        let reader = &mut self.reader;
        let mid_event = match self.framing {
            Framing::Sse => self.lines.is_mid_event(),
            Framing::Json => self.scanner.is_started() && !closed,
            Framing::JsonArray => self.scanner.is_started() && reader.is_mid_element(),
        };
        let summary = &mut reader.summary;
        summary.malformed |= malformed;
        summary.mid_event = mid_event;
        let whole = if self.framing == Framing::Sse {
            !mid_event && summary.events > 0
        } else {
            closed
        };
        let said_why = match (self.framing, summary.content) {
            (Framing::Json, _) | (_, Content::Any) => true,
            (_, Content::Generate) => {
                summary.finish_reason.is_some() || summary.block_reason.is_some()
            }
            (_, Content::Interaction) => reader.ended,
            (_, Content::OpenAi) => {
                reader.ended || (summary.finish_reason.is_some() && !summary.is_pending())
            }
        };
        summary.complete = whole && said_why && !summary.malformed;
        self.is_strange |= closed && self.framing == Framing::Json && reader.is_strange();
        let summary = &reader.summary;
        reader.useful |= closed && summary.is_pending() && self.framing != Framing::Sse;
        reader.useful |= closed && summary.content == Content::Any && summary.error.is_none();
    }
}

/// An SSE event is over: its data must have been one document, and the next one begins. Gives whether it was strange.
fn end_event(scanner: &mut json::Scanner, reader: &mut Reader) -> bool {
    let is_strange = scanner.is_started() && reader.is_strange();
    if scanner.is_started() && !scanner.is_done() {
        reader.summary.malformed = true;
    }
    scanner.reset();
    reader.next_document();
    is_strange
}
