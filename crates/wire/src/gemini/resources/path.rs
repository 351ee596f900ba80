//! What is at a path.

use domain::ResourceName;

use super::{OPENAI, owned};

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
            owned(collection).map_or(Place::Elsewhere, Place::Collection)
        }
        [collection, ..] if owned(collection).is_some() => Place::One,
        _ => Place::Elsewhere,
    }
}

/// Whether a path is one of Google's that are read here: it begins with a version, or with what files and sockets are
/// below. Other ways of calling the same methods name resources in other ways.
pub fn is_readable(path: &str) -> bool {
    let first = path.split('/').find(|segment| !segment.is_empty());
    first.is_some_and(|first| matches!(first, "upload" | "download" | "ws") || is_version(first))
}

/// The segments behind the version, and whether they are of the part of the API that has OpenAI's shape.
pub(super) fn segments(path: &str) -> (bool, Vec<&str>) {
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
pub(super) fn named_by(segments: &[&str]) -> Option<ResourceName> {
    match *segments {
        ["models", model, "operations", id, ..] => {
            ResourceName::new(&format!("models/{model}/operations/{}", plain(id)?))
        }
        [collection, id, ..] if owned(collection).is_some() => {
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
