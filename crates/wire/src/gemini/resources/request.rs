//! What a request's body names. Callers are not trusted in it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use domain::ResourceName;

use super::meaning::{Id, Meaning, meaning};
use super::{Addresses, COLLECTIONS, INTERACTIONS, LONGEST, plain_text};
use crate::json::{Kind, Scanner, Visitor, Want};
use crate::members::CUT_NAME;

/// What a body has somewhere that names a resource, or that may hide that it does.
static HINTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let names = COLLECTIONS.iter().chain(&INTERACTIONS);
    let mut hints: Vec<String> = names.map(|name| format!("{name}/")).collect();
    hints.extend(["nteraction_id", "nteractionId", r#""voice""#].map(str::to_owned));
    hints.extend([r"\/", r"\u00"].map(str::to_owned));
    AhoCorasick::new(hints).ok()
});
/// No hint is longer.
const LONGEST_HINT: usize = 24;

/// Names that are taken out of one body.
const MOST: usize = 1024;

/// A body that may name something, and cannot be read: it is no JSON, is nested deeper than 64 levels, or names more than
/// anybody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Something that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// What it is called.
    pub name: ResourceName,
    /// How it is named.
    pub how: How,
}

/// How a request names something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By its name, or by an id that can be nothing else.
    Surely,
    /// By an id that may also be the provider's own word, as `deep-research-…` is for an agent and `remote` for an
    /// environment: it counts where somebody is known to have it.
    IfKnown,
}

/// The part of the API that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Interactions and their family, which name agents, environments and credentials by their ids.
    Interactions,
    /// Everything else.
    Other,
}

/// What a request's body names, each once. Addresses count where `is_google` says that their host, with its port, is the
/// provider.
pub fn in_request<'a>(
    part: Part,
    chunks: impl IntoIterator<Item = &'a [u8]> + Clone,
    is_google: impl Fn(&str) -> bool,
) -> Result<Vec<Mention>, Unreadable> {
    if part == Part::Other && !hints_at_names(chunks.clone()) {
        return Ok(Vec::new());
    }
    read(RequestReader::new(part, is_google), chunks)
}

/// Whether a body may name something at all. Bodies are large and most name nothing, so this is a search for few words,
/// at the speed of memory; whatever is written so that a search does not find it counts as well.
fn hints_at_names<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let Some(hints) = &*HINTS else { return true };
    // What a hint may have been cut from by a chunk's end.
    let mut seam: Vec<u8> = Vec::new();
    chunks.into_iter().any(|chunk| {
        seam.extend_from_slice(&chunk[..chunk.len().min(LONGEST_HINT)]);
        let is_hint = hints.is_match(&seam)
            || hints.is_match(chunk)
            || has_odd_escape(chunk)
            || has_percent_escape(chunk);
        if chunk.len() > LONGEST_HINT {
            seam.clear();
            seam.extend_from_slice(&chunk[chunk.len() - LONGEST_HINT..]);
        } else {
            seam.drain(..seam.len().saturating_sub(LONGEST_HINT));
        }
        is_hint
    })
}

/// Whether something is escaped that nobody has to escape: `\s` may pass for `s` with whoever reads it next.
fn has_odd_escape(chunk: &[u8]) -> bool {
    let mut rest = chunk;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        match rest.get(at + 1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' | b'u') => rest = &rest[at + 2..],
            _ => return true,
        }
    }
    false
}

/// Whether a character that names have is written as an address may write it: `%66iles/x` is `files/x`.
fn has_percent_escape(chunk: &[u8]) -> bool {
    let hex = |digit: u8| char::from(digit).to_digit(16);
    memchr::memchr_iter(b'%', chunk).any(|at| match chunk.get(at + 1..at + 3) {
        Some(&[high, low]) => match (hex(high), hex(low)) {
            (Some(high @ 2..8), Some(low)) => {
                let byte = u8::try_from(16 * high + low).unwrap_or_default();
                byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'-'
            }
            _ => false,
        },
        // It may go on in the next chunk.
        _ => true,
    })
}

fn read<'a, F: Fn(&str) -> bool>(
    mut reader: RequestReader<F>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Mention>, Unreadable> {
    let mut scanner = Scanner::default();
    for chunk in chunks {
        scanner.push(chunk, &mut reader);
        if scanner.is_malformed() || reader.is_unreadable || reader.found.len() > MOST {
            return Err(Unreadable);
        }
    }
    if scanner.is_started() && !scanner.is_done() {
        return Err(Unreadable);
    }
    Ok(reader.found)
}

/// The visitor of a request. It enters everything: what the scanner skips it does not check.
struct RequestReader<F> {
    part: Part,
    addresses: Addresses<F>,
    meaning: Meaning,
    /// What the elements or members mean of the containers that are open.
    within: Vec<Meaning>,
    is_unreadable: bool,
    found: Vec<Mention>,
}

impl<F: Fn(&str) -> bool> RequestReader<F> {
    fn new(part: Part, is_google: F) -> Self {
        Self {
            part,
            addresses: Addresses(is_google),
            meaning: Meaning::Open,
            within: Vec::new(),
            is_unreadable: false,
            found: Vec::new(),
        }
    }

    /// Takes down a name. What is sure of it once is sure.
    fn note(&mut self, name: ResourceName, how: How) {
        match self.found.iter_mut().find(|known| known.name == name) {
            Some(known) if how == How::Surely => known.how = how,
            Some(_) => {}
            None => self.found.push(Mention { name, how }),
        }
    }

    fn find(&mut self, text: &str) {
        match self.meaning {
            Meaning::Id(id) if id.may_be(text, self.part) => self.find_id(id, text),
            _ => {
                if let Some(name) = self.addresses.name_in(text) {
                    self.note(name, How::Surely);
                }
            }
        }
    }

    fn find_id(&mut self, id: Id, text: &str) {
        let plain = text.trim_matches(|c: char| c == '/' || c.is_whitespace() || c.is_control());
        let name = ResourceName::new(&format!("{}/{plain}", id.collection));
        match (name, id.is_sure) {
            (Some(name), true) => self.note(name, How::Surely),
            (Some(name), false) => self.note(name, How::IfKnown),
            (None, true) if !plain.is_empty() => self.is_unreadable = true,
            (None, _) => {}
        }
    }
}

impl Id {
    /// Whether that text can be one: prebuilt voices have names of letters alone.
    fn may_be(self, text: &str, part: Part) -> bool {
        let is_of_part = match (self.collection, part) {
            (_, Part::Interactions) | ("interactions" | "voices", _) => true,
            (_, Part::Other) => false,
        };
        let is_prebuilt =
            || self.collection == "voices" && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_id = !text.trim_matches('/').contains('/');
        is_of_part && is_id && !is_prebuilt()
    }
}

impl<F: Fn(&str) -> bool> Visitor for RequestReader<F> {
    fn name(&mut self, name: &[u8]) {
        // The scanner cuts names: a longer one that is escaped may be any.
        let is_cut = name.len() >= CUT_NAME && name.contains(&b'\\');
        let Some(name) = plain_text(name).filter(|_| !is_cut) else {
            self.is_unreadable = true;
            return;
        };
        self.meaning = if self.within.last() == Some(&Meaning::Foreign) {
            Meaning::Foreign
        } else {
            meaning(&name, self.within.len() == 1)
        };
    }

    fn begin(&mut self, kind: Kind) -> Want {
        match (kind, self.meaning) {
            (Kind::Object | Kind::Array, meaning) => {
                self.meaning = meaning.inside(kind);
                self.within.push(self.meaning);
                Want::Enter
            }
            (Kind::String, Meaning::Open | Meaning::Id(_)) => Want::Keep(LONGEST),
            (Kind::String | Kind::Word, _) => Want::Skip,
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        if !whole {
            // Data in an address of its own; another address is longer than any that names something has to be.
            self.is_unreadable |= !text.starts_with(b"data:") && text.starts_with(b"http");
            return;
        }
        match plain_text(text) {
            Some(text) => self.find(&text),
            None => self.is_unreadable = true,
        }
    }

    fn leave(&mut self, _: usize) {
        self.within.pop();
        self.meaning = *self.within.last().unwrap_or(&Meaning::Open);
    }
}
