//! What a request's body names. Callers are not trusted in it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use domain::ResourceName;
use percent_encoding::percent_decode_str;

use super::meaning::{Id, Meaning, meaning};
use super::{
    Addresses, COLLECTIONS, INTERACTIONS, LONGEST, Look, Reading, is_of_interactions, plain_text,
    tidy,
};
use crate::json::{Kind, Scanner, Visitor, Want};
use crate::members::CUT_NAME;

/// What a body has somewhere that names a resource. All are of six characters at least and the leftmost is looked for: with
/// that, a search runs at ten times the speed of one byte after the other.
static HINTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let names = COLLECTIONS.iter().chain(&INTERACTIONS);
    let mut hints: Vec<String> = names.map(|name| format!("{name}/")).collect();
    let ids = ["nteraction_id", "nteractionId", r#""voice""#, r#"file_id""#];
    hints.extend(ids.map(str::to_owned));
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(hints)
        .ok()
});
/// No hint is longer.
const LONGEST_HINT: usize = 24;

/// Names that are taken out of one body.
const MOST: usize = 1024;

/// Why it cannot be told what a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no JSON, is nested deeper than 64 levels, or names more than anybody needs.
    Body,
    /// A text that is there to name something is spelt so that nobody knows what.
    Reference,
}

/// Something that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// What it is called.
    pub name: ResourceName,
    /// How it is named.
    pub how: How,
}

/// How a request names something; what counts more comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// By an id that may also be the provider's own word, as `deep-research-…` is for an agent and `remote` for an
    /// environment: it counts where somebody is known to have it.
    IfKnown,
    /// It is to be made under that name.
    Made,
    /// By its name, or by an id that can be nothing else.
    Surely,
}

/// The part of the API that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Interactions and their family, which name agents, environments and credentials by their ids.
    Interactions,
    /// Everything else.
    Other,
}

/// What a request is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looking {
    /// The part of the API that it is for.
    pub part: Part,
    /// The collection that it adds to: there a name may be its maker's choice.
    pub makes: Option<&'static str>,
}

/// What a request's body names, each once. Addresses count where `is_google` says that their host, with its port, is the
/// provider.
pub fn in_request<'a>(
    looking: Looking,
    chunks: impl IntoIterator<Item = &'a [u8]> + Clone,
    is_google: impl Fn(&str) -> bool,
) -> Result<Vec<Mention>, Unreadable> {
    if is_of_wide_characters(chunks.clone()) {
        return Err(Unreadable::Body);
    }
    if looking.part == Part::Other && !hints_at_names(chunks.clone()) {
        return Ok(Vec::new());
    }
    read(RequestReader::new(looking, is_google), chunks)
}

/// What a request's query names, each once: a member of the request may stand there too, by the path to it
/// (`batch.inputConfig.fileName`).
pub fn in_query(
    looking: Looking,
    query: &str,
    is_google: impl Fn(&str) -> bool,
) -> Result<Vec<Mention>, Unreadable> {
    let mut reader = RequestReader::new(looking, is_google);
    for (path, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let path = percent_decode_str(path).decode_utf8_lossy();
        let is_outermost = !path.contains('.');
        let member = path.rsplit('.').next().unwrap_or_default();
        // Tokens are the provider's own, and opaque.
        if matches!(member, "pageToken" | "page_token" | "upload_id") {
            continue;
        }
        reader.meaning = reader.meaning_of(member, is_outermost, path.matches('.').count());
        if matches!(
            reader.meaning,
            Meaning::Text | Meaning::Result | Meaning::Foreign
        ) {
            continue;
        }
        reader.find(&percent_decode_str(value).decode_utf8_lossy());
    }
    match reader.unreadable {
        Some(unreadable) => Err(unreadable),
        None if reader.found.len() > MOST => Err(Unreadable::Body),
        None => Ok(reader.found),
    }
}

/// Whether a body is JSON of characters of two or four bytes, which the search for hints does not see through: it begins
/// with a mark of their order, or with a character of ASCII and zeros.
fn is_of_wide_characters<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut beginning = [b'-'; 4];
    let bytes = chunks.into_iter().flatten();
    for (slot, byte) in beginning.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    let is_json = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'{' | b'[' | b'"');
    let has_zeros = beginning.contains(&0) && beginning.iter().any(is_json);
    has_zeros || matches!(beginning, [0xfe, 0xff, ..] | [0xff, 0xfe, ..])
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
            || has_hiding_escape(chunk)
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

/// Whether a character that names have may be escaped: as `\u0066` or `\/`, or as `\s`, which may pass for `s` with whoever
/// reads it next. Where a chunk ends in an escape, it may be.
fn has_hiding_escape(chunk: &[u8]) -> bool {
    let mut rest = chunk;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        match rest[at + 1..] {
            [b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => {}
            [b'u', high, low, ..] if [high, low] != *b"00" => {}
            _ => return true,
        }
        rest = &rest[at + 2..];
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
                byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'%')
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
        if let Some(unreadable) = reader.unreadable {
            return Err(unreadable);
        }
        if scanner.is_malformed() || reader.found.len() > MOST {
            return Err(Unreadable::Body);
        }
    }
    if scanner.is_started() && !scanner.is_done() {
        return Err(Unreadable::Body);
    }
    Ok(reader.found)
}

/// The visitor of a request. It enters everything: what the scanner skips it does not check.
struct RequestReader<F> {
    looking: Looking,
    addresses: Addresses<F>,
    meaning: Meaning,
    /// What the elements or members mean of the containers that are open.
    within: Vec<Meaning>,
    unreadable: Option<Unreadable>,
    found: Vec<Mention>,
}

impl<F: Fn(&str) -> bool> RequestReader<F> {
    fn new(looking: Looking, is_google: F) -> Self {
        Self {
            looking,
            addresses: Addresses(is_google),
            meaning: Meaning::Open,
            within: Vec::new(),
            unreadable: None,
            found: Vec::new(),
        }
    }

    /// Takes down a name, as what counts most of what is said of it.
    fn note(&mut self, name: ResourceName, how: How) {
        match self.found.iter_mut().find(|known| known.name == name) {
            Some(known) => known.how = known.how.max(how),
            None => self.found.push(Mention { name, how }),
        }
    }

    /// What a member means that stands so many members deep.
    fn meaning_of(&self, member: &str, is_outermost: bool, depth: usize) -> Meaning {
        let Some(made) = self.looking.makes else {
            return meaning(member, is_outermost);
        };
        // `{"name": …}`, `{"file": {"name": …}}`
        let is_name = member == "name" && depth < 2;
        let is_id =
            member == "id" && is_outermost && made != "interactions" && is_of_interactions(made);
        if is_name || is_id {
            return Meaning::Made;
        }
        meaning(member, is_outermost)
    }

    fn find(&mut self, text: &str) {
        match self.meaning {
            Meaning::Id(id) if id.counts_in(self.looking.part) => self.find_id(id, text),
            Meaning::Reference => self.find_name(text, Look::Reference),
            Meaning::Made if !text.contains('/') => self.find_made(text),
            _ => self.find_name(text, Look::Anything),
        }
    }

    fn find_name(&mut self, text: &str, look: Look) {
        match self.addresses.read(text, look) {
            Reading::Name(name) => {
                let is_made =
                    self.meaning == Meaning::Made && self.looking.makes == Some(name.collection());
                self.note(name, if is_made { How::Made } else { How::Surely });
            }
            Reading::Hidden => self.unreadable = Some(Unreadable::Reference),
            Reading::Nothing => {}
        }
    }

    fn find_id(&mut self, id: Id, text: &str) {
        let plain = tidy(text).unwrap_or_default();
        let plain = plain.trim_matches('/');
        if plain.contains('/') {
            return self.find_name(text, Look::Reference);
        }
        if id.is_prebuilt(plain) {
            return;
        }
        let name = ResourceName::new(&format!("{}/{plain}", id.collection));
        match (name, id.is_sure) {
            (Some(name), true) => self.note(name, How::Surely),
            (Some(name), false) => self.note(name, How::IfKnown),
            (None, true) if !text.is_empty() => self.unreadable = Some(Unreadable::Reference),
            (None, _) => {}
        }
    }

    fn find_made(&mut self, id: &str) {
        let collection = self.looking.makes.filter(|it| is_of_interactions(it));
        let name = collection.and_then(|it| ResourceName::new(&format!("{it}/{id}")));
        if let Some(name) = name {
            self.note(name, How::Made);
        }
    }
}

impl Id {
    /// Whether that part of the API has such ids.
    fn counts_in(self, part: Part) -> bool {
        part == Part::Interactions || matches!(self.collection, "interactions" | "voices" | "files")
    }

    /// Prebuilt voices have names of letters alone.
    fn is_prebuilt(self, id: &str) -> bool {
        self.collection == "voices" && id.bytes().all(|byte| byte.is_ascii_alphabetic())
    }
}

impl<F: Fn(&str) -> bool> Visitor for RequestReader<F> {
    fn name(&mut self, name: &[u8]) {
        // The scanner cuts names: a longer one that is escaped may be any.
        let is_cut = name.len() >= CUT_NAME && name.contains(&b'\\');
        let Some(name) = plain_text(name).filter(|_| !is_cut) else {
            self.unreadable = Some(Unreadable::Body);
            return;
        };
        self.meaning = if self.within.last() == Some(&Meaning::Foreign) {
            Meaning::Foreign
        } else {
            let depth = self.within.len().saturating_sub(1);
            self.meaning_of(&name, depth == 0, depth)
        };
    }

    fn begin(&mut self, kind: Kind) -> Want {
        match (kind, self.meaning) {
            (Kind::Object | Kind::Array, meaning) => {
                self.meaning = meaning.inside(kind);
                self.within.push(self.meaning);
                Want::Enter
            }
            (Kind::String, Meaning::Text | Meaning::Result | Meaning::Foreign)
            | (Kind::Word, _) => Want::Skip,
            (Kind::String, _) => Want::Keep(LONGEST),
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        if !whole {
            let look = match self.meaning {
                Meaning::Reference => Look::Reference,
                _ => Look::Anything,
            };
            if self.addresses.may_hide(text, look) {
                self.unreadable = Some(Unreadable::Reference);
            }
            return;
        }
        match plain_text(text) {
            Some(text) => self.find(&text),
            None => self.unreadable = Some(Unreadable::Body),
        }
    }

    fn leave(&mut self, _: usize) {
        self.within.pop();
        self.meaning = *self.within.last().unwrap_or(&Meaning::Open);
    }
}
