//! What a path of Google's API asks for. Unknown paths are operations too: Google adds methods monthly.
//! What stands below `/v1beta/openai/` is read in `crate::operation`, as for every API of that shape.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;
use wire::gemini::Content;
use wire::gemini::models::model_id;
use wire::gemini::resources::{COLLECTIONS, INTERACTIONS};

use crate::operation::openai;
use crate::{Operation, Place, Transfer};

/// A model's method: its name, what it answers, and whether it makes something.
struct Verb {
    name: &'static str,
    answer: Content,
    creates: bool,
}

const VERBS: &[Verb] = &[
    verb("generateContent", Content::Generate),
    verb("streamGenerateContent", Content::Generate),
    verb("countTokens", Content::Any),
    verb("embedContent", Content::Any),
    verb("batchEmbedContents", Content::Any),
    verb("predict", Content::Any),
    verb("generateAnswer", Content::Any),
    verb("generateText", Content::Any),
    verb("generateMessage", Content::Any),
    verb("embedText", Content::Any),
    verb("batchEmbedText", Content::Any),
    verb("countTextTokens", Content::Any),
    verb("countMessageTokens", Content::Any),
    creating("predictLongRunning"),
    creating("batchGenerateContent"),
    creating("asyncBatchEmbedContent"),
];

const fn verb(name: &'static str, answer: Content) -> Verb {
    Verb {
        name,
        answer,
        creates: false,
    }
}

const fn creating(name: &'static str) -> Verb {
    Verb {
        name,
        answer: Content::Any,
        creates: true,
    }
}

/// Collections that no project owns; their name is their endpoint's, as that of the others is.
const UNOWNED: [&str; 2] = ["dynamic", "auth_tokens"];

/// Reads a normalised path: it begins with the version or with `upload`, `download` or `ws`.
pub fn operation<'a>(method: &Method, path: &'a str) -> Operation<'a> {
    let path = path.split('?').next().unwrap_or_default().trim_matches('/');
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    match head {
        "ws" => Operation::new("", Place::Live, "live"),
        "upload" => versioned(method, rest).moving(Transfer::Upload),
        "download" => versioned(method, rest).moving(Transfer::Download),
        _ => versioned(method, path),
    }
}

fn versioned<'a>(method: &Method, path: &'a str) -> Operation<'a> {
    let (version, rest) = match path.split_once('/') {
        Some((version, rest)) if is_version(version) => (version, rest),
        None if is_version(path) => (path, ""),
        _ => ("", path),
    };
    let (collection, name) = rest.split_once('/').unwrap_or((rest, ""));
    let operation = match collection {
        "openai" => openai(method, name),
        "models" => model(method, "models", name),
        "tunedModels" => model(method, "tunedModels", name),
        "dynamic" => model(method, "dynamic", name),
        _ => resource(method, collection, name),
    };
    Operation {
        version,
        ..operation
    }
}

fn is_version(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes.next() == Some(b'v') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

/// `models/x`, `models/x:method`; `models/x/operations/y` and what tuned models have are resources.
fn model<'a>(method: &Method, collection: &'static str, name: &'a str) -> Operation<'a> {
    let (name, verb) = split_verb(name);
    let known = VERBS.iter().find(|known| known.name == verb);
    let is_plain = collection == "models";
    let name = match name {
        Cow::Borrowed(name) => Cow::Borrowed(model_id(name)),
        Cow::Owned(name) => Cow::Owned(model_id(&name).to_owned()),
    };
    if name.contains('/') || (!is_plain && known.is_none()) {
        let endpoint = if is_plain { "operations" } else { collection };
        return resource_call(method, Place::Resource, endpoint, &verb);
    }
    let model = match (name.is_empty(), is_plain) {
        (true, _) => None,
        (false, true) => Some(name),
        (false, false) => Some(Cow::Owned(format!("{collection}/{name}"))),
    };
    let endpoint = match (known, verb.is_empty(), &model) {
        (Some(known), ..) => known.name,
        (None, true, None) => "models.list",
        (None, true, Some(_)) => "models.get",
        (None, false, _) => "other",
    };
    Operation {
        model,
        answer: known.map_or(Content::Any, |known| known.answer),
        stream: endpoint == "streamGenerateContent",
        creates: method == Method::POST && known.is_none_or(|known| known.creates),
        ..Operation::new("", Place::Model, endpoint)
    }
}

fn resource<'a>(method: &Method, collection: &str, name: &'a str) -> Operation<'a> {
    // `files:register` has its verb on the collection itself.
    let (plain, collection_verb) = split_verb(collection);
    let (_, name_verb) = split_verb(name);
    let verb = if name.is_empty() {
        collection_verb
    } else {
        name_verb
    };
    if let Some(endpoint) = named(&INTERACTIONS, &plain) {
        return interactions(method, endpoint, name, &verb);
    }
    let endpoint = if name.contains("operations/") {
        "operations"
    } else {
        let known = named(&COLLECTIONS, &plain).or_else(|| named(&UNOWNED, &plain));
        known.unwrap_or("other")
    };
    let operation = resource_call(method, Place::Resource, endpoint, &verb);
    if verb == "download" || name.contains("/media/") {
        operation.moving(Transfer::Download)
    } else {
        operation
    }
}

fn interactions<'a>(
    method: &Method,
    endpoint: &'static str,
    name: &str,
    verb: &str,
) -> Operation<'a> {
    let operation = resource_call(method, Place::Interactions, endpoint, verb);
    let is_new = endpoint == "interactions" && method == Method::POST && name.is_empty();
    Operation {
        answer: if is_new {
            Content::Interaction
        } else {
            Content::Any
        },
        creates: operation.creates && !name.ends_with("/cancel"),
        ..operation
    }
}

fn named(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().copied().find(|known| *known == name)
}

fn resource_call<'a>(
    method: &Method,
    place: Place,
    endpoint: &'static str,
    verb: &str,
) -> Operation<'a> {
    Operation {
        creates: method == Method::POST && !matches!(verb, "cancel" | "query" | "download"),
        ..Operation::new("", place, endpoint)
    }
}

/// The name and what is behind its colon, which some clients percent-encode.
fn split_verb(name: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let decoded = percent_decode_str(name).decode_utf8_lossy();
    match decoded {
        Cow::Borrowed(name) => {
            let (name, verb) = name.rsplit_once(':').unwrap_or((name, ""));
            (Cow::Borrowed(name), Cow::Borrowed(verb))
        }
        Cow::Owned(name) => {
            let (name, verb) = name.rsplit_once(':').unwrap_or((&name, ""));
            (Cow::Owned(name.to_owned()), Cow::Owned(verb.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
