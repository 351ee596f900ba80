//! What a request's body names. Callers are not trusted in it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use domain::ResourceName;

use super::{Addresses, COLLECTIONS, INTERACTIONS, LONGEST, plain_text};
use crate::json::{Kind, Scanner, Visitor, Want};
use crate::members::CUT_NAME;

/// Members of requests whose text is the id of an interaction.
const PREVIOUS: [&str; 3] = [
    "interaction_id",
    "previousInteractionId",
    "previous_interaction_id",
];
/// Members of requests whose content is the caller's own, or a model's: nothing in it names anything.
const FOREIGN: [&str; 9] = [
    "args",
    "arguments",
    "response",
    "parameters",
    "parametersJsonSchema",
    "responseSchema",
    "responseJsonSchema",
    "labels",
    "customMetadata",
];
/// Members whose text is for people and models, or is data; what else they hold is looked at.
const TEXTS: [&str; 12] = [
    "text",
    "input",
    "content",
    "prompt",
    "data",
    "title",
    "description",
    "displayName",
    "display_name",
    "system_instruction",
    "systemInstruction",
    "instructions",
];

/// What a body has somewhere that names a resource, or that may hide that it does.
static HINTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let names = COLLECTIONS.iter().chain(&INTERACTIONS);
    let mut hints: Vec<String> = names.map(|name| format!("{name}/")).collect();
    hints.extend(["nteraction_id", "nteractionId", r"\/", r"\u00"].map(str::to_owned));
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

/// What a request's body names, each once. Addresses count where `is_google` says that their host, with its port, is the
/// provider.
pub fn in_request<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]> + Clone,
    is_google: impl Fn(&str) -> bool,
) -> Result<Vec<ResourceName>, Unreadable> {
    if !hints_at_names(chunks.clone()) {
        return Ok(Vec::new());
    }
    read(RequestReader::new(is_google), chunks)
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
) -> Result<Vec<ResourceName>, Unreadable> {
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

/// What the value that comes next is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It may name something.
    Open,
    /// A text of it names nothing; what else it holds may.
    Text,
    /// The id of an interaction.
    Previous,
    /// Nothing in it names anything.
    Foreign,
}

/// The visitor of a request. It enters everything: what the scanner skips it does not check.
struct RequestReader<F> {
    addresses: Addresses<F>,
    meaning: Meaning,
    /// What the elements or members mean of the containers that are open.
    within: Vec<Meaning>,
    is_unreadable: bool,
    found: Vec<ResourceName>,
}

impl<F: Fn(&str) -> bool> RequestReader<F> {
    fn new(is_google: F) -> Self {
        Self {
            addresses: Addresses(is_google),
            meaning: Meaning::Open,
            within: Vec::new(),
            is_unreadable: false,
            found: Vec::new(),
        }
    }

    fn find(&mut self, text: &str) {
        let name = match self.meaning {
            Meaning::Previous if !text.contains('/') => {
                ResourceName::new(&format!("interactions/{text}"))
            }
            _ => self.addresses.name_in(text),
        };
        if let Some(name) = name
            && !self.found.contains(&name)
        {
            self.found.push(name);
        }
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
        self.meaning = match &*name {
            _ if self.within.last() == Some(&Meaning::Foreign) => Meaning::Foreign,
            name if FOREIGN.contains(&name) => Meaning::Foreign,
            name if TEXTS.contains(&name) => Meaning::Text,
            name if PREVIOUS.contains(&name) => Meaning::Previous,
            _ => Meaning::Open,
        };
    }

    fn begin(&mut self, kind: Kind) -> Want {
        match (kind, self.meaning) {
            (Kind::Object | Kind::Array, meaning) => {
                self.within.push(match meaning {
                    Meaning::Text => Meaning::Open,
                    meaning => meaning,
                });
                self.meaning = *self.within.last().unwrap_or(&Meaning::Open);
                Want::Enter
            }
            (Kind::String, Meaning::Open | Meaning::Previous) => Want::Keep(LONGEST),
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
