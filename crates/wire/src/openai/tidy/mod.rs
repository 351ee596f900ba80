//! What must change in an answer of OpenAI's dialect between the provider's bytes and the caller's.
//! Only what was asked for is done, and what need not change passes as the slices that came: `events.rs` handles streams,
//! `document.rs` single documents. Whether an answer is good is not judged here.

mod choices;
mod document;
mod event;
mod events;
mod vectors;

use bytes::Bytes;

use document::Document;
use events::Events;

/// The stage that one answer passes through; it does nothing that it was not asked for.
#[derive(Debug)]
pub struct Tidy {
    body: Body,
}

#[derive(Debug)]
enum Body {
    Events(Events),
    Document(Document),
}

/// How embeddings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// As arrays of numbers: what a request without `encoding_format` means.
    Floats,
    /// As base64 of little-endian 32-bit floats: what OpenAI's own clients ask for.
    Base64,
}

impl Tidy {
    /// For server-sent events.
    pub fn stream() -> Self {
        Self {
            body: Body::Events(Events::default()),
        }
    }

    /// For one JSON document. It is held back to its end where something may have to change, at most 32 MiB of it: a
    /// longer one passes as it is.
    pub fn document() -> Self {
        Self {
            body: Body::Document(Document::default()),
        }
    }

    /// Takes usage out of a stream whose caller did not ask for it: the chunk that has nothing else, and the member
    /// `usage` of others.
    #[must_use]
    pub fn hide_usage(mut self) -> Self {
        if let Body::Events(events) = &mut self.body {
            events.hides_usage = true;
        }
        self
    }

    /// Gives choices that end with an empty `finish_reason` the reason that they have: `tool_calls` where they called a
    /// tool, else `stop`. In a chunk that still says something it becomes null.
    #[must_use]
    pub fn mend_finish_reasons(mut self) -> Self {
        match &mut self.body {
            Body::Events(events) => events.mends_finish = true,
            Body::Document(document) => document.mends_finish = true,
        }
        self
    }

    /// Drops a `[DONE]` that comes after an error event, which was no good end.
    #[must_use]
    pub fn drop_done_after_error(mut self) -> Self {
        if let Body::Events(events) = &mut self.body {
            events.drops_done_after_error = true;
        }
        self
    }

    /// Drops an error event and whatever comes after it: whoever passes the answer on tells the error in words of its own.
    #[must_use]
    pub fn stop_at_error(mut self) -> Self {
        if let Body::Events(events) = &mut self.body {
            events.stops_at_error = true;
        }
        self
    }

    /// Drops whatever comes after `[DONE]`.
    #[must_use]
    pub fn stop_at_done(mut self) -> Self {
        if let Body::Events(events) = &mut self.body {
            events.stops_at_done = true;
        }
        self
    }

    /// Writes the embeddings of a document as the caller asked for them.
    #[must_use]
    pub fn write_vectors(mut self, vectors: Vectors) -> Self {
        if let Body::Document(document) = &mut self.body {
            document.vectors = Some(vectors);
        }
        self
    }

    /// Takes in the next chunk of the body, cut anywhere; what may be sent after it is added to `out`.
    ///
    /// An event that is not whole is held back, up to 64 KiB; a longer event passes as it is.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        match &mut self.body {
            Body::Events(events) => events.push(&chunk, out),
            Body::Document(document) => document.push(chunk, out),
        }
    }

    /// The body is over at its own end: the rest is added to `out`. Of a body that broke off, what is held back is torn:
    /// drop it by not calling this.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) {
        match &mut self.body {
            Body::Events(events) => events.finish(out),
            Body::Document(document) => document.finish(out),
        }
    }

    /// Whether a stream of chat or completions has said that it is over, by a `finish_reason` or `[DONE]`, and no error
    /// came. A document says nothing of the kind: true.
    pub fn ended_cleanly(&self) -> bool {
        match &self.body {
            Body::Events(events) => events.ended_cleanly(),
            Body::Document(_) => true,
        }
    }
}

impl Tidy {
    /// Whether a stream is over, and nothing of it passes any more: see [`Tidy::stop_at_done`].
    pub fn is_done(&self) -> bool {
        matches!(&self.body, Body::Events(events) if events.is_done)
    }
}

#[cfg(test)]
mod tests;
