//! A JSON scanner that is pushed bytes as they come, cut anywhere, and keeps only what its visitor asks for.
//! It is no parser: it builds no tree, leaves escapes as they are, and does not check what it skips.
//! `gemini/scan.rs` is its main user.

use memchr::{memchr2, memchr3};

/// Containers that can be entered within each other; deeper ones count as malformed.
const MAX_DEPTH: u8 = 64;

/// The longest member name that is told whole; a longer one is cut to this many bytes.
const MAX_NAME: usize = 64;

/// What kind of value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number, `true`, `false`, `null`, or any other bare word.
    Word,
}

/// What the visitor wants of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing: it is skipped, however large.
    Skip,
    /// Its members or elements, one by one. Scalars cannot be entered: they are skipped.
    Enter,
    /// Its text, at most this many bytes.
    Keep(usize),
}

/// Where something begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The quote before a member's name.
    Name,
    /// The first byte of a value.
    Value,
    /// Behind a value.
    End,
}

/// Who is told of what the scanner finds.
pub trait Visitor {
    /// An edge at this offset in the slice being pushed. It is told before the name or value that begins, and after
    /// the value that ends.
    fn edge(&mut self, _edge: Edge, _at: usize) {}

    /// The name of the next member of the object entered last, escapes untouched.
    fn name(&mut self, name: &[u8]);

    /// A value begins: the member named last, an element of the array entered last, or the document.
    fn begin(&mut self, kind: Kind) -> Want;

    /// The value asked for by [`Want::Keep`], a string without its quotes and with its escapes.
    /// `whole` is false when it is longer than was asked for; it is told as soon as that shows.
    fn value(&mut self, text: &[u8], whole: bool);

    /// The container entered last is over; `end` is the offset behind it in the slice being pushed.
    fn leave(&mut self, end: usize);
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A value must come.
    #[default]
    Value,
    /// A value or the end of the array.
    FirstElement,
    /// A name or the end of the object.
    FirstName,
    /// A name must come.
    NextName,
    /// Inside a name.
    Name,
    /// A colon must come.
    Colon,
    /// A comma or the end of the container.
    After,
    /// Inside a string value.
    Text,
    /// Inside a bare word.
    Word,
    /// Inside a container that is not entered.
    Skip,
    /// The document is over.
    Done,
    /// This is not JSON; nothing more is read.
    Malformed,
}

/// The scanner of one document. Its memory is what it keeps for its visitor, and nothing else that grows.
#[derive(Debug, Default)]
pub struct Scanner {
    state: State,
    /// Something other than white space has come.
    started: bool,
    /// The next byte of the string is escaped.
    escaped: bool,
    /// Bit `n` is set when the `n`-th container entered is an object.
    objects: u64,
    depth: u8,
    skip: Skip,
    /// Bytes of the current value still asked for.
    keep: Option<usize>,
    kept: Vec<u8>,
}

/// Where in a skipped container the scanner is.
#[derive(Debug, Default)]
struct Skip {
    open: u8,
    close: u8,
    level: u32,
    in_string: bool,
}

impl Scanner {
    /// Reads on. After the end of the document only white space is well-formed.
    pub fn push(&mut self, chunk: &[u8], visitor: &mut impl Visitor) {
        let mut at = 0;
        while at < chunk.len() {
            at = match self.state {
                State::Name => self.name(chunk, at, visitor),
                State::Text => self.text(chunk, at, visitor),
                State::Word => self.word(chunk, at, visitor),
                State::Skip => self.skip(chunk, at, visitor),
                State::Malformed => return,
                _ => self.structure(chunk, at, visitor),
            };
        }
    }

    /// Forgets the document, to read another.
    pub fn reset(&mut self) {
        self.kept.clear();
        *self = Self {
            kept: std::mem::take(&mut self.kept),
            ..Self::default()
        };
    }

    /// A whole document has been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// What has come is not JSON.
    pub fn is_malformed(&self) -> bool {
        self.state == State::Malformed
    }

    /// Something other than white space has come.
    pub fn is_started(&self) -> bool {
        self.started
    }

    fn structure(&mut self, chunk: &[u8], mut at: usize, visitor: &mut impl Visitor) -> usize {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = chunk.get(at) {
            at += 1;
        }
        let Some(&byte) = chunk.get(at) else {
            return at;
        };
        self.started = true;
        match (self.state, byte) {
            (State::FirstElement, b']') | (State::FirstName, b'}') => self.close(at + 1, visitor),
            (State::Value | State::FirstElement, _) => return self.begin(byte, at, visitor),
            (State::FirstName | State::NextName, b'"') => {
                visitor.edge(Edge::Name, at);
                self.state = State::Name;
            }
            (State::After, b',') if self.in_object() => self.state = State::NextName,
            (State::Colon, b':') | (State::After, b',') => self.state = State::Value,
            (State::After, b'}') if self.in_object() => self.close(at + 1, visitor),
            (State::After, b']') if !self.in_object() => self.close(at + 1, visitor),
            _ => self.state = State::Malformed,
        }
        at + 1
    }

    fn begin(&mut self, byte: u8, at: usize, visitor: &mut impl Visitor) -> usize {
        let kind = match byte {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Kind::Word,
            _ => {
                self.state = State::Malformed;
                return at;
            }
        };
        visitor.edge(Edge::Value, at);
        let want = visitor.begin(kind);
        self.keep = match want {
            Want::Keep(limit) => Some(limit),
            Want::Skip | Want::Enter => None,
        };
        match kind {
            Kind::String => {
                self.state = State::Text;
                at + 1
            }
            Kind::Word => {
                self.state = State::Word;
                at
            }
            Kind::Object | Kind::Array if want == Want::Enter => {
                self.open(kind);
                at + 1
            }
            Kind::Object | Kind::Array => {
                self.skip = Skip::over(byte);
                self.state = State::Skip;
                at
            }
        }
    }

    fn open(&mut self, kind: Kind) {
        if self.depth == MAX_DEPTH {
            self.state = State::Malformed;
            return;
        }
        let bit = 1 << self.depth;
        self.depth += 1;
        if kind == Kind::Object {
            self.objects |= bit;
            self.state = State::FirstName;
        } else {
            self.objects &= !bit;
            self.state = State::FirstElement;
        }
    }

    fn close(&mut self, end: usize, visitor: &mut impl Visitor) {
        self.depth = self.depth.saturating_sub(1);
        visitor.leave(end);
        self.value_over(end, visitor);
    }

    fn value_over(&mut self, end: usize, visitor: &mut impl Visitor) {
        visitor.edge(Edge::End, end);
        self.state = if self.depth == 0 {
            State::Done
        } else {
            State::After
        };
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1
    }

    fn name(&mut self, chunk: &[u8], at: usize, visitor: &mut impl Visitor) -> usize {
        let rest = &chunk[at..];
        let end = string_end(rest, &mut self.escaped);
        let piece = &rest[..end.unwrap_or(rest.len())];
        let room = MAX_NAME - self.kept.len();
        let piece = &piece[..piece.len().min(room)];
        let Some(end) = end else {
            self.kept.extend_from_slice(piece);
            return chunk.len();
        };
        if self.kept.is_empty() {
            visitor.name(piece);
        } else {
            self.kept.extend_from_slice(piece);
            visitor.name(&self.kept);
            self.kept.clear();
        }
        self.state = State::Colon;
        at + end + 1
    }

    fn text(&mut self, chunk: &[u8], at: usize, visitor: &mut impl Visitor) -> usize {
        let rest = &chunk[at..];
        let end = string_end(rest, &mut self.escaped);
        self.gather(&rest[..end.unwrap_or(rest.len())], end.is_some(), visitor);
        match end {
            None => chunk.len(),
            Some(end) => {
                self.value_over(at + end + 1, visitor);
                at + end + 1
            }
        }
    }

    fn word(&mut self, chunk: &[u8], at: usize, visitor: &mut impl Visitor) -> usize {
        let rest = &chunk[at..];
        let end = rest.iter().position(|&byte| !is_word(byte));
        self.gather(&rest[..end.unwrap_or(rest.len())], end.is_some(), visitor);
        match end {
            None => chunk.len(),
            Some(end) => {
                self.value_over(at + end, visitor);
                at + end
            }
        }
    }

    fn skip(&mut self, chunk: &[u8], at: usize, visitor: &mut impl Visitor) -> usize {
        let rest = &chunk[at..];
        let end = self.skip.end(rest, &mut self.escaped);
        self.gather(&rest[..end.unwrap_or(rest.len())], end.is_some(), visitor);
        match end {
            None => chunk.len(),
            Some(end) => {
                self.value_over(at + end, visitor);
                at + end
            }
        }
    }

    /// Adds a piece to the value asked for, and tells the visitor when it is whole or too long.
    fn gather(&mut self, piece: &[u8], ended: bool, visitor: &mut impl Visitor) {
        let Some(limit) = self.keep else { return };
        let room = limit.saturating_sub(self.kept.len());
        let fits = piece.len() <= room;
        if fits && !ended {
            self.kept.extend_from_slice(piece);
            return;
        }
        let piece = &piece[..piece.len().min(room)];
        if self.kept.is_empty() {
            visitor.value(piece, fits);
        } else {
            self.kept.extend_from_slice(piece);
            visitor.value(&self.kept, fits);
            self.kept.clear();
        }
        self.keep = None;
    }
}

impl Skip {
    fn over(open: u8) -> Self {
        Self {
            open,
            close: if open == b'{' { b'}' } else { b']' },
            level: 0,
            in_string: false,
        }
    }

    /// The offset behind the container's end. Brackets of the other kind balance by themselves in JSON.
    fn end(&mut self, bytes: &[u8], escaped: &mut bool) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.in_string {
                at += string_end(&bytes[at..], escaped)? + 1;
                self.in_string = false;
            }
            at += memchr3(b'"', self.open, self.close, &bytes[at..])? + 1;
            match bytes[at - 1] {
                b'"' => self.in_string = true,
                byte if byte == self.open => self.level = self.level.saturating_add(1),
                _ => self.level = self.level.saturating_sub(1),
            }
            if self.level == 0 {
                return Some(at);
            }
        }
    }
}

/// The offset of the quote that ends a string; `escaped` carries a backslash over to the next slice.
fn string_end(bytes: &[u8], escaped: &mut bool) -> Option<usize> {
    let mut at = usize::from(std::mem::take(escaped));
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
        *escaped = at > bytes.len();
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')
}

#[cfg(test)]
mod tests;
