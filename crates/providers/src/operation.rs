//! What a request to a provider asks for, read from its method and path. Google's paths are read in `google/operation.rs`,
//! those of OpenAI's shape here: what stands below `/v1beta/openai/` at Google, and the paths of everybody else.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;
use wire::gemini::{Content, Framing};

use crate::{Api, Place, google};

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
    // What they make opens the provider to whoever holds it, as Google's ephemeral tokens do.
    keeping("realtime/client_secrets", "openai.auth_tokens", true),
    keeping("realtime/sessions", "openai.auth_tokens", true),
    keeping(
        "realtime/transcription_sessions",
        "openai.auth_tokens",
        true,
    ),
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

/// Reads a normalised path of any provider's API, with the slash that it begins with.
pub fn operation<'a>(api: Api, method: &Method, path: &'a str) -> Operation<'a> {
    if api == Api::Google {
        return google::operation(method, path);
    }
    let path = path.split('?').next().unwrap_or_default().trim_matches('/');
    let below = path.strip_prefix("v1/").unwrap_or(path);
    let operation = openai(method, below);
    Operation {
        place: if operation.answer == Content::OpenAi {
            Place::OpenAi
        } else {
            Place::Resource
        },
        // Google has this shape at a place of its own, which the names there say.
        endpoint: operation
            .endpoint
            .strip_prefix("openai.")
            .unwrap_or(operation.endpoint),
        ..operation
    }
}

/// What a path of OpenAI's shape asks for, without the version before it.
pub(crate) fn openai<'a>(method: &Method, path: &str) -> Operation<'a> {
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

impl<'a> Operation<'a> {
    pub(crate) fn new(version: &'a str, place: Place, endpoint: &'static str) -> Self {
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

    pub(crate) fn moving(self, transfer: Transfer) -> Self {
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
mod tests {
    use super::*;

    fn check(method: &Method, path: &str, expected: (&str, Content, bool)) {
        let operation = operation(Api::OpenAi, method, path);
        let found = (operation.endpoint, operation.answer, operation.creates);
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn paths_of_openais_shape_are_named_alike_with_and_without_a_version() {
        let chat = ("chat.completions", Content::OpenAi, false);
        check(&Method::POST, "/chat/completions", chat);
        check(&Method::POST, "/v1/chat/completions?x=1", chat);
        check(&Method::POST, "/files", ("files", Content::Any, true));
        check(
            &Method::GET,
            "/v1/models/grok-4",
            ("models", Content::Any, false),
        );
        check(
            &Method::POST,
            "/v1/responses",
            ("responses", Content::OpenAi, true),
        );
        check(
            &Method::POST,
            "/tokens/count",
            ("other", Content::Any, true),
        );
        let token = ("auth_tokens", Content::Any, true);
        check(&Method::POST, "/realtime/client_secrets", token);
    }
}
