//! What is written down of a request: one record, its attempts beneath it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Class, ClientId, KeyId, Nanodollars, RequestId, Usage};

/// The shape of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Google's API.
    Gemini,
    /// OpenAI's API.
    OpenAi,
    /// Anthropic's API.
    Anthropic,
    /// keymux's own short forms.
    Simple,
}

impl Dialect {
    /// Its name in config, records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Simple => "simple",
        }
    }
}

/// One request, as the log keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// Its id, which carries the time it began.
    pub id: RequestId,
    /// Who asked; none: an anonymous caller.
    pub client: Option<ClientId>,
    /// The shape of the request.
    pub dialect: Dialect,
    /// What was asked, for example `generateContent`: a name from a bounded set.
    pub endpoint: &'static str,
    /// The provider it went to.
    pub provider: Option<Arc<str>>,
    /// The model asked for, without the provider's prefix.
    pub model: Option<Arc<str>>,
    /// The key of the last attempt.
    pub key: Option<KeyId>,
    /// The status that the caller got; 499 when it went away before an answer.
    pub status: u16,
    /// Whether the answer was a stream.
    pub stream: bool,
    /// From the first byte of the request to the last of the answer, in microseconds.
    pub latency_us: u64,
    /// To the first useful byte of the answer, in microseconds.
    pub first_byte_us: Option<u64>,
    /// Tokens, where the provider counted them.
    pub usage: Option<Usage>,
    /// What they cost, where the model has a price.
    pub cost: Option<Nanodollars>,
    /// What went wrong; none: nothing.
    pub error: Option<Class>,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

impl RequestRecord {
    /// A request that was answered with that status: nobody's, asked of no provider, with nothing counted.
    pub fn plain(id: RequestId, dialect: Dialect, endpoint: &'static str, status: u16) -> Self {
        Self {
            id,
            client: None,
            dialect,
            endpoint,
            provider: None,
            model: None,
            key: None,
            status,
            stream: false,
            latency_us: 0,
            first_byte_us: None,
            usage: None,
            cost: None,
            error: None,
            attempts: Vec::new(),
        }
    }
}

/// One try of one request with one key through one egress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What was asked, where a chain of models led the request elsewhere in the end; none: what its record says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// The key; none where the caller brought its own.
    pub key: Option<KeyId>,
    /// How it left the machine: `direct`, or the proxy without its credentials.
    pub egress: Arc<str>,
    /// The status that the provider answered with; none: no answer.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Until the answer was judged, in microseconds.
    pub latency_us: u64,
    /// Why this key.
    pub chosen: std::borrow::Cow<'static, str>,
}

/// A model at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The provider.
    pub provider: Arc<str>,
    /// The model, as the provider names it.
    pub model: Arc<str>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptOutcome {
    /// The class of the verdict.
    pub class: Class,
    /// Its short stable code, for example `api_key_invalid`.
    pub reason: std::borrow::Cow<'static, str>,
}
