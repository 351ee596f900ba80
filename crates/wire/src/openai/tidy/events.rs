//! The events of a stream: each is held until it is whole, looked at, and passed, changed or dropped.
//! Events that stay pass as slices of the chunk, neighbours in one; a quick search says which are worth a scan.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::choices::{self, Calls};
use super::event;
use crate::members::Members;
use crate::splice::{Change, pieces, splice};
use crate::sse;

/// Events longer than this pass as they are, so that nobody can make keymux hold more.
const MOST_HELD: usize = 64 * 1024;

/// What a stream's events pass through.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "wishes and facts that are independent of each other"
)]
pub(super) struct Events {
    pub(super) hides_usage: bool,
    pub(super) mends_finish: bool,
    pub(super) drops_done_after_error: bool,
    pub(super) stops_at_error: bool,
    pub(super) stops_at_done: bool,
    lines: sse::Reader,
    /// The beginning of an event whose end has not come.
    held: Vec<Bytes>,
    held_bytes: usize,
    /// The event that has begun is too long, and passes as it comes.
    passes: bool,
    /// The event before was dropped, and its last line feed may be yet to come.
    dropped_cr: bool,
    calls: Calls,
    has_begun: bool,
    is_over: bool,
    /// `[DONE]` has come, and nothing passes any more.
    pub(super) is_done: bool,
    /// It ended in a carriage return, whose line feed may be yet to come.
    done_cr: bool,
    has_error: bool,
}

/// What becomes of an event.
enum Fate {
    Pass,
    Drop,
    Change(Vec<Bytes>),
}

impl Events {
    pub(super) fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) {
        // What passes as it is, up to `at`.
        let (mut from, mut at) = (0, 0);
        while let Some(length) = self.lines.push_event(&chunk[at..], |_| {}) {
            let end = at + length;
            let fate = self.event(chunk.slice(at..end));
            if !matches!(fate, Fate::Pass) {
                pass(chunk, from..at, out);
                from = end;
            }
            let held = std::mem::take(&mut self.held);
            self.held_bytes = 0;
            match fate {
                Fate::Pass => out.extend(held),
                Fate::Drop => {}
                Fate::Change(changed) => out.extend(changed),
            }
            at = end;
        }
        pass(chunk, from..at, out);
        self.hold(chunk.slice(at..), out);
    }

    pub(super) fn finish(&mut self, out: &mut Vec<Bytes>) {
        let rest = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        let event = whole(&rest);
        match self.fate(&event) {
            Fate::Pass => out.extend(rest),
            Fate::Drop => {}
            Fate::Change(changed) => out.extend(changed),
        }
    }

    pub(super) fn ended_cleanly(&self) -> bool {
        self.is_over && !self.has_error
    }

    /// What becomes of the event that ends with this slice.
    fn event(&mut self, end: Bytes) -> Fate {
        let is_rest = std::mem::take(&mut self.dropped_cr) && *end == *b"\n";
        if std::mem::take(&mut self.done_cr) && *end == *b"\n" {
            return Fate::Pass;
        }
        if is_rest || self.is_done {
            return Fate::Drop;
        }
        if std::mem::take(&mut self.passes) || self.held_bytes + end.len() > MOST_HELD {
            return Fate::Pass;
        }
        let event = if self.held.is_empty() {
            end
        } else {
            self.held.push(end);
            let event = whole(&self.held);
            self.held.pop();
            event
        };
        let fate = self.fate(&event);
        self.dropped_cr = matches!(fate, Fate::Drop) && event.ends_with(b"\r");
        self.done_cr = self.is_done && event.ends_with(b"\r");
        fate
    }

    fn hold(&mut self, rest: Bytes, out: &mut Vec<Bytes>) {
        if rest.is_empty() || self.is_done {
            return;
        }
        self.held_bytes += rest.len();
        self.held.push(rest);
        self.passes |= self.held_bytes > MOST_HELD;
        if self.passes {
            out.append(&mut self.held);
            self.held_bytes = 0;
        }
    }

    /// The same, without the byte order mark that a stream may begin with: clients look for `data:` there.
    fn fate(&mut self, event: &Bytes) -> Fate {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        if !is_first || !event.starts_with(sse::BOM) {
            return self.fate_of(event);
        }
        let event = event.slice(sse::BOM.len()..);
        match self.fate_of(&event) {
            Fate::Pass => Fate::Change(vec![event]),
            fate => fate,
        }
    }

    fn fate_of(&mut self, event: &Bytes) -> Fate {
        let Some(at) = event::data(event) else {
            return Fate::Pass;
        };
        let data = event.slice(at.clone());
        self.has_error |= event::mentions(&data, "\"error\"") && event::is_error(&data);
        if self.has_error && self.stops_at_error {
            return Fate::Drop;
        }
        if data.trim_ascii() == b"[DONE]" {
            self.is_over = true;
            self.is_done = self.stops_at_done;
            return if self.has_error && self.drops_done_after_error {
                Fate::Drop
            } else {
                Fate::Pass
            };
        }
        let mended = self.mend_finish(&data);
        let data = mended.as_ref().unwrap_or(&data);
        let changed = match self.hide_usage(data) {
            Fate::Drop => return Fate::Drop,
            Fate::Change(changed) => changed,
            Fate::Pass if mended.is_none() => return Fate::Pass,
            Fate::Pass => vec![data.clone()],
        };
        let mut all = vec![event.slice(..at.start)];
        all.extend(changed);
        all.push(event.slice(at.end..));
        Fate::Change(all)
    }

    /// The data with a finish reason where an empty one was; none where nothing changes.
    fn mend_finish(&mut self, data: &Bytes) -> Option<Bytes> {
        let ends = event::ends(data);
        self.is_over |= ends.told;
        let is_of_interest = ends.empty || event::mentions(data, "\"tool_calls\"");
        if !self.mends_finish || !is_of_interest {
            self.is_over |= ends.empty;
            return None;
        }
        let chunks = std::slice::from_ref(data);
        let mended = choices::mended(chunks, &mut self.calls, choices::Kind::Chunk)?;
        self.is_over |= mended.has_reason;
        Some(whole(&splice(chunks, mended.pieces)))
    }

    fn hide_usage(&self, data: &Bytes) -> Fate {
        if !self.hides_usage || !event::mentions(data, "\"usage\"") {
            return Fate::Pass;
        }
        let Ok(members) = Members::read([&**data]) else {
            return Fate::Pass;
        };
        let Some(usage) = members.named("usage").next() else {
            return Fate::Pass;
        };
        let mut choices = members.named("choices");
        let has_usage = data.get(usage.value.clone()) != Some(b"null");
        let is_empty = |value: &[u8]| {
            let inside = value.strip_prefix(b"[").and_then(|v| v.strip_suffix(b"]"));
            inside.is_some_and(|inside| inside.trim_ascii().is_empty())
        };
        if has_usage && choices.any(|choices| is_empty(&data[choices.value.clone()])) {
            return Fate::Drop;
        }
        let change = Change {
            member: "usage".to_owned(),
            json: None,
        };
        let pieces = pieces(&members, &[change], data.len());
        Fate::Change(splice(std::slice::from_ref(data), pieces))
    }
}

fn pass(chunk: &Bytes, range: Range<usize>, out: &mut Vec<Bytes>) {
    if !range.is_empty() {
        out.push(chunk.slice(range));
    }
}

/// The slices in one piece.
fn whole(slices: &[Bytes]) -> Bytes {
    if let [slice] = slices {
        return slice.clone();
    }
    let mut whole = BytesMut::with_capacity(slices.iter().map(Bytes::len).sum());
    for slice in slices {
        whole.extend_from_slice(slice);
    }
    whole.freeze()
}
