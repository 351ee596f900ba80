//! What a path of Google's API asks for. Unknown paths are operations too: Google adds methods monthly.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;
use wire::gemini::models::model_id;
use wire::gemini::{Content, Framing};

/// What a request asks for, read from its method and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// `v1`, `v1beta`, `v1alpha`; empty where the path has none.
    pub version: &'a str,
    /// Which part of the API it is: the same words mean different things in different parts.
    pub place: Place,
    /// The model in the path, without `models/`; tuned and dynamic ones keep their prefix.
    pub model: Option<Cow<'a, str>>,
    /// A name from a bounded set, for records and metrics, for example `generateContent`.
    pub endpoint: &'static str,
    /// What its answer holds.
    pub answer: Content,
    /// The answer comes in pieces whatever the request's body says.
    pub stream: bool,
    /// It makes something, so it must not be repeated unless nothing can have been made.
    pub creates: bool,
    /// Whether it moves files.
    pub transfer: Transfer,
}

/// A part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Models and their methods.
    Model,
    /// Files, caches, batches, operations: what belongs to a project.
    Resource,
    /// Interactions and what belongs to them, with errors of their own shape.
    Interactions,
    /// `/v1beta/openai/`: keys as bearer, errors in arrays.
    OpenAi,
    /// The Live API's WebSocket.
    Live,
}

/// Whether an operation moves files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Neither.
    None,
    /// The request is a file, streamed and not repeated.
    Upload,
    /// The answer is a file, which may come by redirect, and is not to be read as JSON.
    Download,
}

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

/// Collections whose name is their endpoint's.
const RESOURCES: &[&str] = &[
    "files",
    "operations",
    "batches",
    "cachedContents",
    "tunedModels",
    "dynamic",
    "corpora",
    "fileSearchStores",
    "generatedFiles",
    "ragStores",
    "auth_tokens",
];

/// Collections of the interactions family.
const INTERACTIONS: &[&str] = &[
    "interactions",
    "agents",
    "environments",
    "triggers",
    "voices",
    "credentials",
    "webhooks",
    "decisions",
];

/// A path below `/v1beta/openai/`.
struct Compatible {
    path: &'static str,
    endpoint: &'static str,
    /// What the answer to a `POST` to it holds; other methods and what is below it answer with lists and records.
    answer: Content,
    /// A `POST` to it or below it makes something.
    creates: bool,
}

const OPENAI: &[Compatible] = &[
    generating("chat/completions", "openai.chat.completions"),
    generating("completions", "openai.completions"),
    generating("embeddings", "openai.embeddings"),
    generating("images/generations", "openai.images.generations"),
    Compatible {
        // A response is stored, and others refer to it.
        creates: true,
        ..generating("responses", "openai.responses")
    },
    keeping("models", "openai.models", false),
    keeping("batches", "openai.batches", true),
    keeping("files", "openai.files", true),
];

const fn generating(path: &'static str, endpoint: &'static str) -> Compatible {
    Compatible {
        path,
        endpoint,
        answer: Content::OpenAi,
        creates: false,
    }
}

const fn keeping(path: &'static str, endpoint: &'static str, creates: bool) -> Compatible {
    Compatible {
        path,
        endpoint,
        answer: Content::Any,
        creates,
    }
}

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
    if let Some(endpoint) = named(INTERACTIONS, &plain) {
        return interactions(method, endpoint, name, &verb);
    }
    let endpoint = if name.contains("operations/") {
        "operations"
    } else {
        named(RESOURCES, &plain).unwrap_or("other")
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

fn openai<'a>(method: &Method, path: &str) -> Operation<'a> {
    let is_post = method == Method::POST;
    let path = percent_decode_str(path).decode_utf8_lossy();
    let found = OPENAI.iter().find_map(|known| {
        let below = path.strip_prefix(known.path)?;
        (below.is_empty() || below.starts_with('/')).then_some((known, below))
    });
    let Some((known, below)) = found else {
        return Operation {
            creates: is_post,
            ..Operation::new("", Place::OpenAi, "openai.other")
        };
    };
    Operation {
        answer: if is_post && below.is_empty() {
            known.answer
        } else {
            Content::Any
        },
        creates: is_post && known.creates && !below.ends_with("/cancel"),
        ..Operation::new("", Place::OpenAi, known.endpoint)
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

impl<'a> Operation<'a> {
    fn new(version: &'a str, place: Place, endpoint: &'static str) -> Self {
        Self {
            version,
            place,
            model: None,
            endpoint,
            answer: Content::Any,
            stream: false,
            creates: false,
            transfer: Transfer::None,
        }
    }

    /// How the answer is cut into events, by its content type.
    pub fn framing(&self, content_type: Option<&str>) -> Framing {
        let is_sse = content_type.is_some_and(|name| {
            let name = name.split(';').next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("text/event-stream")
        });
        match (is_sse, self.stream) {
            (true, _) => Framing::Sse,
            (false, true) => Framing::JsonArray,
            (false, false) => Framing::Json,
        }
    }

    fn moving(self, transfer: Transfer) -> Self {
        let endpoint = match (self.endpoint, transfer) {
            ("files", Transfer::Upload) => "files.upload",
            ("files", Transfer::Download) => "files.download",
            ("fileSearchStores", Transfer::Upload) => "fileSearchStores.upload",
            (endpoint, _) => endpoint,
        };
        Self {
            endpoint,
            transfer,
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
