//! The names of resources that belong to a project, as paths, requests and answers of Google's API have them.
//! A request is read to find whose keys it needs. Callers are not trusted in it: every text counts that may be a name, in
//! whatever member and however it is written, but for free text (`meaning.rs`). An answer is read to learn what
//! was made: of it only its own members count.
//! Sources: providers/gemini.md, sections 2 and 7; google-genai 3.3.0 and @google/genai 2.32.0.

mod answer;
mod meaning;
mod path;
mod request;
mod spelling;

use std::borrow::Cow;

use crate::members::unescape;

pub use answer::{Told, in_answer};
pub use path::{Place, in_path, is_readable, place_of};
pub use request::{How, Looking, Mention, Part, Unreadable, in_query, in_request};

use spelling::{Addresses, Look, Reading, tidy};

/// What a project owns, beside [`INTERACTIONS`]. Ephemeral tokens are not among it: their names are secrets.
pub const COLLECTIONS: [&str; 9] = [
    "files",
    "cachedContents",
    "batches",
    "operations",
    "fileSearchStores",
    "tunedModels",
    "corpora",
    "generatedFiles",
    "ragStores",
];
/// Collections of the interactions family, which a project owns too.
pub const INTERACTIONS: [&str; 8] = [
    "interactions",
    "agents",
    "environments",
    "triggers",
    "voices",
    "credentials",
    "webhooks",
    "decisions",
];

/// Whether a collection is of the interactions family, whose resources have ids and no names.
fn is_of_interactions(collection: &str) -> bool {
    INTERACTIONS.contains(&collection)
}

/// The same in the part of the API that has OpenAI's shape.
const OPENAI: [&str; 2] = ["files", "batches"];

/// The longest text that can name something: an address and a name.
const LONGEST: usize = 2048;

/// The collection of that name, where it is one of a project's.
fn owned(name: &str) -> Option<&'static str> {
    let mut known = COLLECTIONS.into_iter().chain(INTERACTIONS);
    known.find(|known| *known == name)
}

/// The text of a string of JSON, read as it is meant.
fn plain_text(text: &[u8]) -> Option<Cow<'_, str>> {
    if text.contains(&b'\\') {
        return unescape(text).map(Cow::Owned);
    }
    std::str::from_utf8(text).ok().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests;
