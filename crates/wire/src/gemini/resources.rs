//! The names of resources that belong to a project, as paths, requests and answers of Google's API have them.
//! A request is read to find whose keys it needs. Callers are not trusted in it: every text counts that may be a name, in
//! whatever member and however it is written, but for prompts and what functions are given. An answer is read to learn what
//! was made: of it only its own members count.
//! Sources: providers/gemini.md, sections 2 and 7; google-genai 3.3.0 and @google/genai 2.32.0.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use domain::ResourceName;
use percent_encoding::percent_decode_str;

use crate::json::{Kind, Scanner, Visitor, Want};
use crate::members::{CUT_NAME, unescape};

/// What a project owns. Ephemeral tokens are not among it: their names are secrets.
const COLLECTIONS: [&str; 17] = [
    "files",
    "cachedContents",
    "batches",
    "operations",
    "fileSearchStores",
    "tunedModels",
    "corpora",
    "generatedFiles",
    "ragStores",
    INTERACTIONS,
    "agents",
    "environments",
    "triggers",
    "voices",
    "credentials",
    "webhooks",
    "decisions",
];
const INTERACTIONS: &str = "interactions";
/// The same in the part of the API that has OpenAI's shape.
const OPENAI: [&str; 2] = ["files", "batches"];

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
    let mut hints: Vec<String> = COLLECTIONS.iter().map(|name| format!("{name}/")).collect();
    hints.extend(["nteraction_id", "nteractionId", r"\/", r"\u00"].map(str::to_owned));
    AhoCorasick::new(hints).ok()
});
/// No hint is longer.
const LONGEST_HINT: usize = 24;

/// Names that are taken out of one body.
const MOST: usize = 1024;
/// The longest text that can name something: an address and a name.
const LONGEST: usize = 2048;

/// What an answer tells of what was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The names, each once.
    pub names: Vec<ResourceName>,
    /// When the first of them expires, as it is written.
    pub expires: Option<String>,
}

/// A body that may name something, and cannot be read: it is no JSON, is nested deeper than 64 levels, or names more than
/// anybody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// What a request path names: `/v1beta/files/x:download` is `files/x`, and what lies in a store is the store's. The path
/// is decoded.
pub fn in_path(path: &str) -> Option<ResourceName> {
    let (is_openai, segments) = segments(path);
    if !is_openai {
        return named_by(&segments);
    }
    // Ids of that part of the API are its own, slashes included.
    let (collection, id) = segments.split_first()?;
    let is_verb = |last: &&str| *last == "cancel" || *last == "content";
    let id = match id.split_last() {
        Some((last, rest)) if !rest.is_empty() && is_verb(last) => rest,
        _ => id,
    };
    let is_known = OPENAI.contains(collection) && !id.is_empty();
    is_known.then(|| ResourceName::new(&format!("openai/{collection}/{}", id.join("/"))))?
}

/// What is at a path, as far as it belongs to projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is no resource: a model, for instance.
    Elsewhere,
    /// All of one kind, such as `files`: to list them, or to add one.
    Collection(&'static str),
    /// All of a kind, in a form that nothing here can tell apart by who made them.
    Mixed,
    /// One of them, or what lies in it.
    One,
}

/// What is at a path, which is decoded.
pub fn place_of(path: &str) -> Place {
    let (is_openai, segments) = segments(path);
    match segments[..] {
        [collection] if is_openai && OPENAI.contains(&collection) => Place::Mixed,
        [collection, _, ..] if is_openai && OPENAI.contains(&collection) => Place::One,
        _ if is_openai => Place::Elsewhere,
        ["models", _, "operations"] => Place::Mixed,
        ["models", _, "operations", _, ..] => Place::One,
        [collection] => {
            let collection = collection.split(':').next().unwrap_or_default();
            let mut known = COLLECTIONS.into_iter();
            let known = known.find(|known| *known == collection);
            known.map_or(Place::Elsewhere, Place::Collection)
        }
        [collection, ..] if COLLECTIONS.contains(&collection) => Place::One,
        _ => Place::Elsewhere,
    }
}

/// Whether a path is one of Google's that are read here: it begins with a version, or with what files and sockets are
/// below. Other ways of calling the same methods name resources in other ways.
pub fn is_readable(path: &str) -> bool {
    let first = path.split('/').find(|segment| !segment.is_empty());
    first.is_some_and(|first| matches!(first, "upload" | "download" | "ws") || is_version(first))
}

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

/// What an answer says was made, as far as it is here. `of_id` is the collection of what has an `id` and no name.
/// Only the answer's own members count: much of an answer may be what the caller has sent, or what a model says.
pub fn in_answer<'a>(
    of_id: Option<&'static str>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    is_google: impl Fn(&str) -> bool,
) -> Told {
    let mut scanner = Scanner::default();
    let mut reader = AnswerReader {
        of_id,
        addresses: Addresses(is_google),
        path: Vec::new(),
        next: Step::Top,
        member: Made::Nothing,
        told: Told::default(),
    };
    for chunk in chunks {
        scanner.push(chunk, &mut reader);
    }
    reader.told
}

/// The segments behind the version, and whether they are of the part of the API that has OpenAI's shape.
fn segments(path: &str) -> (bool, Vec<&str>) {
    let path = path.split('?').next().unwrap_or_default();
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut segments = segments.peekable();
    segments.next_if(|first| matches!(*first, "upload" | "download"));
    segments.next_if(|first| is_version(first));
    let is_openai = segments.next_if(|first| *first == "openai").is_some();
    (is_openai, segments.collect())
}

fn is_version(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes.next() == Some(b'v') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

/// The resource that these segments begin with: operations of models are named whole.
fn named_by(segments: &[&str]) -> Option<ResourceName> {
    match *segments {
        ["models", model, "operations", id, ..] => {
            ResourceName::new(&format!("models/{model}/operations/{}", plain(id)?))
        }
        [collection, id, ..] if COLLECTIONS.contains(&collection) => {
            ResourceName::new(&format!("{collection}/{}", plain(id)?))
        }
        _ => None,
    }
}

/// An id without the verb behind it.
fn plain(id: &str) -> Option<&str> {
    let id = id.split(':').next().unwrap_or_default();
    (!id.is_empty()).then_some(id)
}

/// Whether a body may name something at all. Bodies are large and most name nothing, so this is a search for few words,
/// at the speed of memory; whatever is written so that a search does not find it counts as well.
fn hints_at_names<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let Some(hints) = &*HINTS else { return true };
    // What a hint may have been cut from by a chunk's end.
    let mut seam: Vec<u8> = Vec::new();
    chunks.into_iter().any(|chunk| {
        seam.extend_from_slice(&chunk[..chunk.len().min(LONGEST_HINT)]);
        let is_hint = hints.is_match(&seam) || hints.is_match(chunk) || has_odd_escape(chunk);
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

/// Which hosts are the provider's.
struct Addresses<F>(F);

impl<F: Fn(&str) -> bool> Addresses<F> {
    /// The name in a text that is a name, or the address of one.
    fn name_in(&self, text: &str) -> Option<ResourceName> {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        let path = match decoded.split_once("://") {
            None => &*decoded,
            Some((_, address)) => {
                let (host, path) = address.split_once('/')?;
                let host = host.rsplit('@').next().unwrap_or_default();
                self.is_google(&host.to_ascii_lowercase()).then_some(path)?
            }
        };
        let (is_openai, segments) = segments(path);
        (!is_openai).then(|| named_by(&segments)).flatten()
    }

    fn is_google(&self, host: &str) -> bool {
        let bare = host.split(':').next().unwrap_or_default();
        (self.0)(host) || (self.0)(bare)
    }
}

/// The text of a string of JSON, read as it is meant.
fn plain_text(text: &[u8]) -> Option<Cow<'_, str>> {
    if text.contains(&b'\\') {
        return unescape(text).map(Cow::Owned);
    }
    std::str::from_utf8(text).ok().map(Cow::Borrowed)
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
                ResourceName::new(&format!("{INTERACTIONS}/{text}"))
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

/// What the text of a member of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Nothing,
    Name,
    /// The id of one of this collection.
    Id(&'static str),
    /// When it expires.
    Expiry,
}

/// The visitor of an answer.
struct AnswerReader<F> {
    of_id: Option<&'static str>,
    addresses: Addresses<F>,
    /// The containers that are open.
    path: Vec<Step>,
    /// Where the value that comes next leads, if it is a container.
    next: Step,
    member: Made,
    told: Told,
}

/// A member that leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Top,
    File,
    Response,
    Video,
    Output,
    Metadata,
    Other,
}

impl<F: Fn(&str) -> bool> AnswerReader<F> {
    fn step(&self, member: &str) -> Step {
        match (self.path.as_slice(), member) {
            ([Step::Top], "file") => Step::File,
            ([Step::Top], "response") => Step::Response,
            ([Step::Top], "metadata") => Step::Metadata,
            ([Step::Top, Step::Metadata], "output") => Step::Output,
            ([Step::Top, Step::Response, ..], "video" | "generatedVideo") => Step::Video,
            _ => Step::Other,
        }
    }

    fn made(&self, member: &str) -> Made {
        match (self.path.as_slice(), member) {
            ([Step::Top], "id") => self.of_id.map_or(Made::Nothing, Made::Id),
            ([Step::Top] | [Step::Top, Step::File], "name")
            | ([Step::Top], "output_file_id" | "error_file_id")
            | (
                [Step::Top, Step::Response] | [Step::Top, Step::Metadata, Step::Output],
                "responsesFile",
            )
            | ([.., Step::Video], "uri") => Made::Name,
            ([Step::Top] | [Step::Top, Step::File], "expirationTime" | "expireTime") => {
                Made::Expiry
            }
            _ => Made::Nothing,
        }
    }

    fn tell(&mut self, text: &str) {
        let name = match self.member {
            Made::Nothing => None,
            Made::Expiry => {
                self.told.expires.get_or_insert_with(|| text.to_owned());
                None
            }
            Made::Id(collection) => {
                let known = text.strip_prefix(collection);
                let id = known
                    .and_then(|rest| rest.strip_prefix('/'))
                    .unwrap_or(text);
                ResourceName::new(&format!("{collection}/{id}"))
            }
            Made::Name => self.addresses.name_in(text),
        };
        if let Some(name) = name
            && !self.told.names.contains(&name)
        {
            self.told.names.push(name);
        }
    }
}

impl<F: Fn(&str) -> bool> Visitor for AnswerReader<F> {
    fn name(&mut self, name: &[u8]) {
        let name = plain_text(name).unwrap_or_default();
        self.member = self.made(&name);
        self.next = self.step(&name);
    }

    fn begin(&mut self, kind: Kind) -> Want {
        match kind {
            Kind::Object | Kind::Array => {
                self.path.push(self.next);
                self.next = Step::Other;
                Want::Enter
            }
            Kind::String if self.member != Made::Nothing => Want::Keep(LONGEST),
            Kind::String | Kind::Word => Want::Skip,
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        if let Some(text) = plain_text(text).filter(|_| whole) {
            self.tell(&text);
        }
    }

    fn leave(&mut self, _: usize) {
        self.path.pop();
        (self.next, self.member) = (Step::Other, Made::Nothing);
    }
}

#[cfg(test)]
mod tests;
