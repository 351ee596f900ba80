//! Finds choices that end with an empty `finish_reason`, in a document or in one chunk of a stream, and says what the
//! reason is. Some providers leave it empty where a tool was called.

use std::ops::Range;

use bytes::Bytes;

use crate::json::{self, Edge, Scanner, Visitor, Want};
use crate::splice::{Piece, replaced};

/// The choices of a stream that have called a tool.
#[derive(Debug, Default)]
pub(super) struct Calls(u64);

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole answer: its choices are at their end.
    Document,
    /// A chunk of a stream: choices that still say something may go on.
    Chunk,
}

/// An answer or chunk whose finish reasons are mended.
#[derive(Debug)]
pub(super) struct Mended {
    pub(super) pieces: Vec<Piece>,
    /// A choice has been given a reason, rather than none.
    pub(super) has_reason: bool,
}

impl Calls {
    fn add(&mut self, index: u32) {
        self.0 |= 1_u64.checked_shl(index).unwrap_or_default();
    }

    fn has(&self, index: u32) -> bool {
        self.0 & 1_u64.checked_shl(index).unwrap_or_default() != 0
    }
}

/// The pieces of a mended answer; none where there is nothing to mend, or it is no answer. Calls are noted either way.
pub(super) fn mended(chunks: &[Bytes], calls: &mut Calls, kind: Kind) -> Option<Mended> {
    let mut scanner = Scanner::default();
    let mut finder = Finder::default();
    for chunk in chunks {
        scanner.push(chunk, &mut finder);
        finder.read += chunk.len();
    }
    if !scanner.is_done() {
        return None;
    }
    let mut replacements = Vec::new();
    let mut has_reason = false;
    for choice in finder.found {
        if choice.has_calls {
            calls.add(choice.index);
        }
        let Some(at) = choice.empty_finish else {
            continue;
        };
        let reason = if calls.has(choice.index) {
            "\"tool_calls\""
        } else if kind == Kind::Chunk && choice.says_something {
            "null"
        } else {
            "\"stop\""
        };
        has_reason |= reason != "null";
        replacements.push((at, reason.to_owned()));
    }
    (!replacements.is_empty()).then(|| Mended {
        pieces: replaced(replacements, finder.read),
        has_reason,
    })
}

#[derive(Debug, Default)]
struct Choice {
    index: u32,
    has_calls: bool,
    says_something: bool,
    empty_finish: Option<Range<usize>>,
}

/// What the next member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Member {
    Choices,
    Index,
    Finish,
    Message,
    Calls,
    Says,
    #[default]
    Other,
}

/// Containers that are open tell the place: the answer, its choices, a choice, its message, its calls.
const CHOICE: usize = 3;
const CALLS: usize = 5;

#[derive(Debug, Default)]
struct Finder {
    read: usize,
    depth: usize,
    member: Member,
    /// Where the last value of a choice begins.
    from: usize,
    choice: Choice,
    is_empty: bool,
    found: Vec<Choice>,
}

impl Visitor for Finder {
    fn edge(&mut self, edge: Edge, at: usize) {
        if self.depth != CHOICE || self.member != Member::Finish {
            return;
        }
        match edge {
            Edge::Value => self.from = self.read + at,
            Edge::End if std::mem::take(&mut self.is_empty) => {
                self.choice.empty_finish = Some(self.from..self.read + at);
            }
            Edge::End | Edge::Name => {}
        }
    }

    fn name(&mut self, name: &[u8]) {
        self.member = match (self.depth, name) {
            (1, b"choices") => Member::Choices,
            (CHOICE, b"index") => Member::Index,
            (CHOICE, b"finish_reason") => Member::Finish,
            (CHOICE, b"delta" | b"message") => Member::Message,
            (4, b"tool_calls") => Member::Calls,
            (CHOICE, b"text")
            | (4, b"content" | b"reasoning_content" | b"reasoning" | b"refusal") => Member::Says,
            _ => Member::Other,
        };
    }

    fn begin(&mut self, kind: json::Kind) -> Want {
        use json::Kind::{Array, Object, String, Word};
        let is_entered = match (self.depth, self.member, kind) {
            (0 | 2, _, Object)
            | (1, Member::Choices, Array)
            | (CHOICE, Member::Message, Object)
            | (4, Member::Calls, Array) => true,
            (CALLS, _, _) => {
                self.choice.has_calls = true;
                false
            }
            (CHOICE, Member::Finish, String) | (CHOICE | 4, Member::Says, String) => {
                return Want::Keep(1);
            }
            (CHOICE, Member::Index, Word) => return Want::Keep(4),
            _ => false,
        };
        if !is_entered {
            return Want::Skip;
        }
        self.depth += 1;
        if self.depth == CHOICE {
            self.choice = Choice::default();
        }
        Want::Enter
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        match self.member {
            Member::Finish => self.is_empty = whole && text.is_empty(),
            Member::Says => self.choice.says_something |= !text.is_empty(),
            Member::Index => {
                let text = std::str::from_utf8(text).unwrap_or_default();
                self.choice.index = text.parse().unwrap_or_default();
            }
            _ => {}
        }
    }

    fn leave(&mut self, _end: usize) {
        if self.depth == CHOICE {
            self.found.push(std::mem::take(&mut self.choice));
        }
        self.depth = self.depth.saturating_sub(1);
        self.member = Member::Other;
    }
}
