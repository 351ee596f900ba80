//! The models on offer: resources, paging, aliases, and which method each supports.
//! The catalogue imitates Google's list of late 2026 in size and mixture, not in every entry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::reply::Reply;

const DEFAULT_PAGE: usize = 50;
const LARGEST_PAGE: usize = 1000;

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Chat,
    Image,
    Embed,
    Video,
    Live,
}

/// One model.
#[derive(Debug, Clone)]
struct Model {
    id: String,
    kind: Kind,
}

/// A model as the API shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    name: String,
    version: String,
    display_name: String,
    description: String,
    input_token_limit: u64,
    output_token_limit: u64,
    supported_generation_methods: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_temperature: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    models: Vec<Resource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl Kind {
    fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Chat => &[
                "generateContent",
                "countTokens",
                "createCachedContent",
                "batchGenerateContent",
            ],
            Self::Image => &["generateContent", "countTokens", "batchGenerateContent"],
            Self::Embed => &[
                "embedContent",
                "countTextTokens",
                "countTokens",
                "asyncBatchEmbedContent",
            ],
            Self::Video => &["predictLongRunning"],
            Self::Live => &["bidiGenerateContent", "countTokens"],
        }
    }
}

impl Model {
    /// A model whose name tells what it is for.
    fn guessed(id: &str) -> Self {
        let is = |word: &str| id.contains(word);
        let kind = if is("embedding") {
            Kind::Embed
        } else if is("veo") {
            Kind::Video
        } else if is("-live") || is("native-audio") {
            Kind::Live
        } else if is("image") || is("banana") {
            Kind::Image
        } else {
            Kind::Chat
        };
        Self {
            id: id.to_owned(),
            kind,
        }
    }

    fn supports(&self, method: &str) -> bool {
        let listed = match method {
            "streamGenerateContent" => "generateContent",
            "batchEmbedContents" => "embedContent",
            other => other,
        };
        self.kind.methods().contains(&listed)
    }

    fn resource(&self) -> Resource {
        let chat = self.kind == Kind::Chat;
        let (input, output) = match self.kind {
            Kind::Chat => (1_048_576, 65_536),
            Kind::Image => (65_536, 32_768),
            Kind::Embed => (2_048, 1),
            Kind::Video => (480, 8_192),
            Kind::Live => (131_072, 8_192),
        };
        Resource {
            name: format!("models/{}", self.id),
            version: self.id.split('-').nth(1).unwrap_or("001").to_owned(),
            display_name: title(&self.id),
            description: format!("Stand-in for {}", title(&self.id)),
            input_token_limit: input,
            output_token_limit: output,
            supported_generation_methods: self.kind.methods(),
            temperature: chat.then_some(1.0),
            top_p: chat.then_some(0.95),
            top_k: chat.then_some(64),
            max_temperature: chat.then_some(2),
            thinking: chat.then_some(true),
        }
    }
}

/// All models of a stand-in.
#[derive(Debug)]
pub(crate) struct Models(Vec<Model>);

impl Models {
    /// Models whose names tell what they are for.
    pub(crate) fn guessed<'a>(ids: impl Iterator<Item = &'a str>) -> Self {
        Self(ids.map(Model::guessed).collect())
    }

    /// Whether a model of this id is offered.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|model| model.id == id)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|model| model.id.as_str())
    }

    /// The model behind a name, or Google's 404. Aliases exist on `v1beta` alone.
    pub(crate) fn resolve(&self, version: &str, id: &str, method: &str) -> Result<&str, Refusal> {
        let resolved = if version == "v1beta" { alias(id) } else { id };
        let found = self.0.iter().find(|m| m.id == resolved || m.id == id);
        match found.filter(|model| model.supports(method)) {
            Some(model) => Ok(&model.id),
            None => Err(unknown(version, id, method)),
        }
    }

    /// `GET models/{id}`.
    pub(crate) fn get(&self, version: &str, id: &str) -> Result<Reply, Refusal> {
        let found = self.0.iter().find(|model| model.id == id);
        found
            .map(|m| Reply::json(&m.resource()))
            .ok_or_else(|| unknown(version, id, "GetModel"))
    }

    /// `GET models?pageSize=&pageToken=`.
    pub(crate) fn list(&self, call: &Call) -> Result<Reply, Refusal> {
        let (page, next_page_token) = page(&self.0, call, DEFAULT_PAGE, LARGEST_PAGE)?;
        let models = page.iter().map(Model::resource).collect();
        Ok(Reply::json(&Page {
            models,
            next_page_token,
        }))
    }
}

/// Cuts one page out of a list, as `pageSize` and `pageToken` of the call ask. A token holds the
/// position of the next page; one that was not given out here is refused.
pub(crate) fn page<'a, T>(
    list: &'a [T],
    call: &Call,
    default: usize,
    largest: usize,
) -> Result<(&'a [T], Option<String>), Refusal> {
    let bad = || Refusal::named("400_generic");
    let param = |camel: &str, snake: &str| {
        call.param(camel)
            .or_else(|| call.param(snake))
            .filter(|value| !value.is_empty())
    };
    let size = match param("pageSize", "page_size") {
        None | Some("0") => default,
        Some(text) => text.parse::<usize>().map_err(|_| bad())?.min(largest),
    };
    let start = match param("pageToken", "page_token") {
        None => 0,
        Some(token) => position(token)
            .filter(|at| *at <= list.len())
            .ok_or_else(bad)?,
    };
    let end = (start + size).min(list.len());
    let next = (end < list.len()).then(|| STANDARD.encode(format!("page:{end}")));
    Ok((&list[start..end], next))
}

fn position(token: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix("page:")?.parse().ok()
}

fn unknown(version: &str, id: &str, method: &str) -> Refusal {
    let message = format!(
        "models/{id} is not found for API version {version}, or is not supported for {method}. \
         Call ListModels to see the list of available models and their supported methods."
    );
    Refusal::new(404, "NOT_FOUND", &message, &[])
}

fn alias(id: &str) -> &str {
    match id {
        "gemini-flash-latest" => "gemini-3.8-flash",
        "gemini-flash-lite-latest" => "gemini-3.5-flash-lite",
        "gemini-pro-latest" => "gemini-3.1-pro-preview",
        other => other,
    }
}

fn title(id: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    id.split('-').map(capital).collect::<Vec<_>>().join(" ")
}

/// The models that the stand-in for Google offers unless told otherwise.
pub(crate) const CATALOGUE: &[&str] = &[
    "gemini-3.8-flash",
    "gemini-4-argon",
    "gemini-3.7-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-flash-lite",
    "gemini-3.1-pro-preview",
    "gemini-3.1-pro-preview-customtools",
    "gemini-3-flash-preview",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-computer-use-preview",
    "gemini-robotics-er-1.6-preview",
    "gemini-deep-research-preview",
    "gemini-omni-1.1-flash",
    "gemini-embedding-001",
    "gemini-embedding-2",
    "gemini-2.5-flash-image",
    "gemini-3.1-flash-image",
    "gemini-3-pro-image",
    "gemini-nano-banana-2.1",
    "gemini-2.5-flash-preview-tts",
    "gemini-2.5-pro-preview-tts",
    "gemini-3.1-flash-tts-preview",
    "gemini-2.5-flash-native-audio-latest",
    "gemini-2.5-flash-native-audio-preview",
    "gemini-3.1-flash-live-preview",
    "gemini-3.5-flash-live",
    "gemini-4-argon-preview",
    "gemini-3.8-flash-preview",
    "gemini-3.7-flash-preview",
    "gemini-3.6-flash-preview",
    "gemini-3.5-flash-preview",
    "gemini-3.8-flash-001",
    "gemini-3.7-flash-001",
    "gemini-3.6-flash-001",
    "gemini-3.5-flash-001",
    "gemini-3.5-flash-lite-001",
    "gemini-3.1-flash-lite-001",
    "gemini-3.1-flash-lite-preview",
    "gemma-4-31b-it",
    "gemma-4-26b-a4b-it",
    "gemma-4-e4b-it",
    "gemma-4-e2b-it",
    "gemma-3n-e4b-it",
    "gemma-3n-e2b-it",
    "lyria-3-pro-preview",
    "lyria-3-clip-preview",
    "veo-3.1-generate-001",
    "veo-3.1-fast-generate-001",
    "veo-3.1-lite-generate-001",
    "veo-3.1-generate-preview",
    "veo-3.1-fast-generate-preview",
    "veo-3.1-lite-generate-preview",
    "learnlm-3-preview",
    "medgemma-2-preview",
    "gemini-flash-latest",
    "gemini-flash-lite-latest",
    "gemini-pro-latest",
];
