//! Changes to the outermost members of an object that lies in chunks: which pieces of it stay, and what comes between.
//! Commas stay right; what stays is never copied. `openai/request/edit.rs` and `openai/tidy/` change by it.

use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;

use crate::members::{Member, Members, within};

/// What becomes of a member.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) member: String,
    /// Its new value, as JSON; none takes it out.
    pub(crate) json: Option<String>,
}

/// A piece of what is changed.
#[derive(Debug)]
pub(crate) enum Piece {
    Kept(Range<usize>),
    New(String),
}

/// The pieces of an object of this length, its members changed.
pub(crate) fn pieces(members: &Members, changes: &[Change], length: usize) -> Vec<Piece> {
    let all = members.all();
    let begin = all.first().map_or(members.open, |member| member.span.start);
    let mut body = Body::after(begin);
    let mut is_done = vec![false; changes.len()];
    let mut end = begin;
    for member in all {
        let separator = std::mem::replace(&mut end, member.span.end)..member.span.start;
        match change_of(changes, member) {
            None => body.keep(separator, member.span.clone()),
            Some(at) if !is_done[at] => {
                is_done[at] = true;
                if let Some(member) = changes[at].written() {
                    body.put(separator, member);
                }
            }
            // The same member once more.
            Some(_) => {}
        }
    }
    for (change, is_done) in changes.iter().zip(is_done) {
        if let (false, Some(member)) = (is_done, change.written()) {
            body.append(&member);
        }
    }
    body.close(end..length)
}

fn change_of(changes: &[Change], member: &Member) -> Option<usize> {
    changes
        .iter()
        .position(|change| member.is_named(&change.member))
}

/// The pieces around replacements, which are in order and apart, in a text of this length.
pub(crate) fn replaced(replacements: Vec<(Range<usize>, String)>, length: usize) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(2 * replacements.len() + 1);
    let mut from = 0;
    for (range, text) in replacements {
        pieces.push(Piece::Kept(from..range.start));
        pieces.push(Piece::New(text));
        from = range.end;
    }
    pieces.push(Piece::Kept(from..length));
    pieces
}

/// What the pieces come to: slices of the chunks, and new ones between them.
pub(crate) fn splice(chunks: &[Bytes], pieces: Vec<Piece>) -> Vec<Bytes> {
    let mut spliced = Vec::with_capacity(chunks.len() + pieces.len());
    // Kept pieces are in order: each chunk is looked at once, and once more for each cut in it.
    let (mut at, mut start) = (0, 0);
    for piece in pieces {
        let range = match piece {
            Piece::New(text) => {
                spliced.push(text.into());
                continue;
            }
            Piece::Kept(range) => range,
        };
        while let Some(chunk) = chunks.get(at) {
            let end = start + chunk.len();
            spliced.extend(within(&range, start..end).map(|part| chunk.slice(part)));
            if end > range.end {
                break;
            }
            (at, start) = (at + 1, end);
        }
    }
    spliced
}

impl Change {
    /// The member as it is to be written, if it is to be.
    fn written(&self) -> Option<String> {
        let json = self.json.as_ref()?;
        Some(format!("{}:{json}", Value::from(self.member.as_str())))
    }
}

/// The pieces so far: an object that is open.
struct Body {
    pieces: Vec<Piece>,
    has_members: bool,
}

impl Body {
    fn after(begin: usize) -> Self {
        Self {
            pieces: vec![Piece::Kept(0..begin)],
            has_members: false,
        }
    }

    /// A member as it was; `separator` is what stood before it.
    fn keep(&mut self, separator: Range<usize>, member: Range<usize>) {
        self.separate(separator);
        self.add(member);
    }

    fn put(&mut self, separator: Range<usize>, member: String) {
        self.separate(separator);
        self.pieces.push(Piece::New(member));
    }

    fn append(&mut self, member: &str) {
        let comma = if self.has_members { "," } else { "" };
        self.has_members = true;
        self.pieces.push(Piece::New(format!("{comma}{member}")));
    }

    fn close(mut self, rest: Range<usize>) -> Vec<Piece> {
        self.add(rest);
        self.pieces
    }

    fn separate(&mut self, separator: Range<usize>) {
        if std::mem::replace(&mut self.has_members, true) {
            self.add(separator);
        }
    }

    fn add(&mut self, range: Range<usize>) {
        match self.pieces.last_mut() {
            Some(Piece::Kept(last)) if last.end == range.start => last.end = range.end,
            _ => self.pieces.push(Piece::Kept(range)),
        }
    }
}
