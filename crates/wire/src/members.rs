//! The members of a JSON object that lies in chunks: their names, and where they stand, without a parse or a copy.
//! Strict, so that nobody can show one member here and another to whoever parses the object next: every container is
//! entered, because what the scanner skips it does not check. `request.rs` and `openai/request.rs` read by it.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{Edge, Kind, Scanner, Visitor, Want};

/// From this many bytes on, the scanner may have cut a member's name.
pub(crate) const CUT_NAME: usize = 64;

/// An object with more members than this is refused: no request has as many, and each one is remembered.
const MOST: usize = 256;

/// Why an object cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MembersError {
    /// There is nothing but white space.
    Nothing,
    /// It is not one object by the letter of RFC 8259, or is nested deeper than 64 levels.
    NotAnObject,
    /// It has more than [`MOST`] members.
    TooMany,
}

/// One member of an object; offsets count from the first chunk's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name, unescaped; a long one is cut.
    name: Box<[u8]>,
    /// From the name's quote to behind the value.
    pub(crate) span: Range<usize>,
    /// The value.
    pub(crate) value: Range<usize>,
    /// What the value is.
    pub(crate) kind: Kind,
}

/// The members of one object, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    members: Vec<Member>,
    /// Behind the brace that opens the object.
    pub(crate) open: usize,
}

impl Member {
    /// Whether it is the member of that name, to whoever reads it: some parsers do not tell `Model` from `model`.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Its name, for an error's text.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }
}

impl Members {
    /// Reads an object to its end.
    pub(crate) fn read<'a>(
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, MembersError> {
        let mut scanner = Scanner::default();
        let mut finder = Finder::default();
        for chunk in chunks {
            scanner.push(chunk, &mut finder);
            finder.read += chunk.len();
            if let Some(error) = finder.error {
                return Err(error);
            }
            if scanner.is_malformed() {
                return Err(MembersError::NotAnObject);
            }
        }
        match (scanner.is_started(), scanner.is_done()) {
            (false, _) => Err(MembersError::Nothing),
            (true, false) => Err(MembersError::NotAnObject),
            (true, true) => Ok(finder.found),
        }
    }

    /// All of them, in their order.
    pub(crate) fn all(&self) -> &[Member] {
        &self.members
    }

    /// Those of a name, in their order; names are compared without regard to case.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .filter(move |member| member.is_named(name))
    }

    /// A member that is given twice, with values that are not the same to the byte.
    pub(crate) fn contradictory(&self, chunks: &[impl AsRef<[u8]>]) -> Option<&Member> {
        self.members.iter().enumerate().find_map(|(at, member)| {
            let earlier = self.members[..at]
                .iter()
                .find(|earlier| earlier.name.eq_ignore_ascii_case(&member.name))?;
            let is_same = equal(chunks, &earlier.value, &member.value);
            (!is_same).then_some(member)
        })
    }
}

/// The text of a JSON string without its quotes; none where it has escapes that JSON does not have, which those who
/// forgive them read differently.
pub(crate) fn unescape(text: &[u8]) -> Option<String> {
    let quoted = [b"\"", text, b"\""].concat();
    serde_json::from_slice(&quoted).ok()
}

/// The slices of a range.
pub(crate) fn slices<'a>(
    chunks: &'a [impl AsRef<[u8]>],
    range: &Range<usize>,
) -> impl Iterator<Item = &'a [u8]> {
    let range = range.clone();
    let mut start = 0;
    chunks.iter().filter_map(move |chunk| {
        let chunk = chunk.as_ref();
        let offset = start;
        start += chunk.len();
        chunk.get(within(&range, offset..start)?)
    })
}

/// The part of a chunk that is in the range, counted from the chunk's beginning; none where that is nothing.
pub(crate) fn within(range: &Range<usize>, chunk: Range<usize>) -> Option<Range<usize>> {
    let from = range.start.max(chunk.start);
    let to = range.end.min(chunk.end);
    (from < to).then(|| from - chunk.start..to - chunk.start)
}

/// The bytes of a range, in one piece; none where they are more than `most`.
pub(crate) fn gathered<'a>(
    chunks: &'a [impl AsRef<[u8]>],
    range: &Range<usize>,
    most: usize,
) -> Option<Cow<'a, [u8]>> {
    if range.len() > most {
        return None;
    }
    let mut slices = slices(chunks, range);
    let first = slices.next().unwrap_or_default();
    if first.len() == range.len() {
        return Some(Cow::Borrowed(first));
    }
    let mut whole = first.to_vec();
    slices.for_each(|slice| whole.extend_from_slice(slice));
    Some(Cow::Owned(whole))
}

fn equal(chunks: &[impl AsRef<[u8]>], one: &Range<usize>, other: &Range<usize>) -> bool {
    one.len() == other.len()
        && slices(chunks, one)
            .flatten()
            .eq(slices(chunks, other).flatten())
}

/// The visitor that notes the outermost members.
#[derive(Debug, Default)]
struct Finder {
    /// Bytes of the chunks before the one being pushed.
    read: usize,
    /// Containers that are open.
    depth: usize,
    /// Where the member's name begins, and its value.
    from: usize,
    value: usize,
    name: Box<[u8]>,
    kind: Option<Kind>,
    found: Members,
    error: Option<MembersError>,
}

impl Finder {
    fn fail(&mut self, error: MembersError) {
        self.error.get_or_insert(error);
    }

    fn add(&mut self, end: usize) {
        let Some(kind) = self.kind.take() else { return };
        if self.found.members.len() == MOST {
            return self.fail(MembersError::TooMany);
        }
        self.found.members.push(Member {
            name: std::mem::take(&mut self.name),
            span: self.from..end,
            value: self.value..end,
            kind,
        });
    }
}

impl Visitor for Finder {
    fn edge(&mut self, edge: Edge, at: usize) {
        let at = self.read + at;
        match (edge, self.depth) {
            (Edge::Value, 0) => self.found.open = at + 1,
            (Edge::Name, 1) => self.from = at,
            (Edge::Value, 1) => self.value = at,
            (Edge::End, 1) => self.add(at),
            _ => {}
        }
    }

    fn name(&mut self, name: &[u8]) {
        if self.depth != 1 {
            return;
        }
        if !name.contains(&b'\\') {
            self.name = name.into();
            return;
        }
        // An escaped name that was cut may be the beginning of any.
        let whole = name.len() < CUT_NAME;
        match unescape(name).filter(|_| whole) {
            Some(name) => self.name = name.into_bytes().into(),
            None => self.fail(MembersError::NotAnObject),
        }
    }

    fn begin(&mut self, kind: Kind) -> Want {
        if self.depth == 0 && kind != Kind::Object {
            self.fail(MembersError::NotAnObject);
        }
        if self.depth == 1 {
            self.kind = Some(kind);
        }
        if matches!(kind, Kind::String | Kind::Word) {
            return Want::Skip;
        }
        self.depth += 1;
        Want::Enter
    }

    fn value(&mut self, _text: &[u8], _whole: bool) {}

    fn leave(&mut self, _end: usize) {
        self.depth = self.depth.saturating_sub(1);
    }
}
