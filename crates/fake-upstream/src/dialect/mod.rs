//! OpenAI's dialect as several stand-ins speak it: chat completions, embeddings, images, models. What
//! differs between OpenAI, xAI and Google's compatible paths is a [`Flavour`]; routes, credentials
//! and the wrapping of errors stay with each provider.

pub(crate) mod chat;
pub(crate) mod completion;
pub(crate) mod embeddings;
pub(crate) mod events;
pub(crate) mod images;
pub(crate) mod media;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod tools;
pub(crate) mod wrong;

/// 20 Nov 2026; answers of a stand-in need no clock.
pub(crate) const CREATED: u64 = 1_795_132_800;

/// Whose variety of the dialect is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    OpenAi,
    Xai,
    /// Google's `/v1beta/openai/`.
    Google,
}

impl Flavour {
    /// Whether a model of this name reasons before it answers.
    pub(crate) fn reasons(self, model: &str) -> bool {
        let starts = |words: &[&str]| words.iter().any(|word| model.starts_with(word));
        match self {
            Self::Xai => {
                !model.contains("non-reasoning") && starts(&["grok-4", "grok-code", "grok-build"])
            }
            Self::OpenAi | Self::Google => {
                let named = ["reason", "think"].iter().any(|word| model.contains(word));
                (named && !model.contains("non-reason")) || starts(&["o1", "o3", "o4", "o5"])
            }
        }
    }
}
