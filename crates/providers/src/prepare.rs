//! A request of OpenAI's dialect, put as the provider that it goes to wants it: forwarded with what must change, or
//! translated where the provider speaks another dialect. What answers need on their way back is said along with it.
//! The translations are in the providers' own folders; sending is the server's.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use bytes::Bytes;
use domain::UnixMs;
use wire::gemini::Framing;
use wire::openai::request::Request;

use crate::gigachat::File;
use crate::{Api, Place, Refused, Translate, gigachat, perplexity, quirks};

/// An endpoint of OpenAI's dialect that takes a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/embeddings`.
    Embeddings,
    /// `/v1/images/generations`.
    Images,
}

impl Endpoint {
    /// Its name in records, metrics and limits.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat.completions",
            Self::Embeddings => "embeddings",
            Self::Images => "images.generations",
        }
    }

    /// Its path without a version, as every API of this shape has it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Embeddings => "/embeddings",
            Self::Images => "/images/generations",
        }
    }
}

/// What is asked of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The endpoint that was called.
    pub endpoint: Endpoint,
    /// The caller's request.
    pub request: &'a Request,
    /// The model, as the provider names it.
    pub model: &'a str,
    /// An id for answers that have none of their own.
    pub id: &'a str,
    /// The time, in seconds since 1970, for answers that do not tell it.
    pub now_s: u64,
}

/// A request as a provider wants it.
#[derive(Debug)]
pub struct Prepared {
    /// Below the provider's address, beginning with a slash.
    pub path: String,
    /// The part of its API that is asked.
    pub place: Place,
    /// The body.
    pub body: Body,
    /// How its answer is translated; none: it speaks OpenAI's dialect.
    pub translation: Option<Translation>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// Ready to be sent, and to be sent again.
    Ready(Arc<[Bytes]>),
    /// To be finished once the provider has its files.
    WithFiles(Arc<dyn WithFiles>),
}

/// A request that names files, which the provider must be given before it: they belong to the account of one key.
pub trait WithFiles: Debug + Send + Sync {
    /// The files, in order.
    fn files(&self) -> &[File];

    /// Where they are posted as forms, with the fields `file` and `purpose`; the answer tells the `id`.
    fn path(&self) -> &'static str;

    /// The body, with the ids that the provider gave to the files, in their order.
    fn finish(&self, ids: &[String]) -> Vec<u8>;
}

type Make = dyn Fn(Framing) -> Box<dyn Translate> + Send + Sync;

/// How the answers to a request are translated.
#[derive(Clone)]
pub struct Translation(Arc<Make>);

impl Translation {
    /// A translation whose translators are made like this.
    pub fn new(make: impl Fn(Framing) -> Box<dyn Translate> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// The translator of one answer.
    pub fn begin(&self, framing: Framing) -> Box<dyn Translate> {
        (self.0)(framing)
    }
}

impl Debug for Translation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Translation")
    }
}

impl Api {
    /// Puts a request as this provider wants it, or says what the caller has to change.
    pub fn prepare(self, asked: &Asked<'_>) -> Result<Prepared, Refused> {
        match (self, asked.endpoint) {
            (Self::Perplexity, Endpoint::Chat) => perplexity_chat(asked),
            (Self::Perplexity, Endpoint::Embeddings) => perplexity_embeddings(asked),
            (Self::GigaChat, Endpoint::Chat) => gigachat_chat(asked),
            (Self::GigaChat, Endpoint::Embeddings) => gigachat_embeddings(asked),
            (Self::Perplexity | Self::GigaChat, Endpoint::Images) => Err(Refused {
                message: format!("{} makes no images at this endpoint", asked.model),
                param: Some("model".to_owned()),
            }),
            (Self::Google | Self::OpenAi | Self::Xai, _) => Ok(self.forwarded(asked)),
        }
    }

    /// The caller's own body, with the model as the provider names it and without what it rejects.
    ///
    /// Streams are asked for their usage, whether the caller wants to see it or not.
    fn forwarded(self, asked: &Asked<'_>) -> Prepared {
        let request = asked.request;
        let model = serde_json::Value::from(asked.model).to_string();
        let mut edit = request.edit().set("model", model);
        for member in quirks::rejected(self, asked.model, |member| request.has(member)) {
            edit = edit.remove(member);
        }
        if asked.endpoint == Endpoint::Chat {
            for member in quirks::rejected_in_messages(self) {
                edit = edit.remove_outside_users_messages(member);
            }
        }
        if asked.endpoint == Endpoint::Chat && request.is_stream() {
            edit = edit.ask_for_usage();
        }
        // Google has this shape at a place of its own.
        let before = if self == Self::Google {
            "/v1beta/openai"
        } else {
            ""
        };
        Prepared {
            path: format!("{before}{}", asked.endpoint.path()),
            place: Place::OpenAi,
            body: Body::Ready(edit.finish()),
            translation: None,
        }
    }
}

fn perplexity_chat(asked: &Asked<'_>) -> Result<Prepared, Refused> {
    let body = asked.request.whole();
    let request = perplexity::chat_request(&body, asked.model)?;
    let answer = perplexity::Asked::new(asked.model, &body, asked.now_s);
    let translation = Translation::new(move |framing| perplexity::chat_answer(framing, &answer));
    Ok(translated(
        perplexity::CHAT_PATH,
        ready(request),
        translation,
    ))
}

fn perplexity_embeddings(asked: &Asked<'_>) -> Result<Prepared, Refused> {
    let body = asked.request.whole();
    let request = perplexity::embeddings_request(&body, asked.model)?;
    let encoding = perplexity::Encoding::asked(&body);
    let translation = Translation::new(move |_| perplexity::embeddings_answer(encoding));
    Ok(translated(
        perplexity::EMBEDDINGS_PATH,
        ready(request),
        translation,
    ))
}

fn gigachat_chat(asked: &Asked<'_>) -> Result<Prepared, Refused> {
    let request = gigachat::chat_request(&asked.request.whole(), asked.model)?;
    let created = UnixMs(i64::try_from(asked.now_s).unwrap_or_default() * 1000);
    let answer = request.asked(&format!("chatcmpl-{}", asked.id), created);
    let translation =
        Translation::new(move |framing| gigachat::chat_answer(framing, answer.clone()));
    let body = if request.files().is_empty() {
        ready(request.finish(&[]))
    } else {
        Body::WithFiles(Arc::new(request))
    };
    Ok(translated(gigachat::CHAT_PATH, body, translation))
}

fn gigachat_embeddings(asked: &Asked<'_>) -> Result<Prepared, Refused> {
    let request = gigachat::embeddings_request(&asked.request.whole(), asked.model)?;
    let encoding = request.encoding;
    let translation = Translation::new(move |_| gigachat::embeddings_answer(encoding));
    Ok(translated(
        gigachat::EMBEDDINGS_PATH,
        ready(request.body),
        translation,
    ))
}

fn translated(path: &str, body: Body, translation: Translation) -> Prepared {
    Prepared {
        path: path.to_owned(),
        place: Place::OpenAi,
        body,
        translation: Some(translation),
    }
}

fn ready(body: Vec<u8>) -> Body {
    Body::Ready(Arc::from([Bytes::from(body)]))
}

impl WithFiles for gigachat::ChatRequest {
    fn files(&self) -> &[File] {
        self.files()
    }

    fn path(&self) -> &'static str {
        gigachat::FILES_PATH
    }

    fn finish(&self, ids: &[String]) -> Vec<u8> {
        self.finish(ids)
    }
}
