//! The script of a stand-in: what it answers, for which keys and models, which faults it shows.
//! Built by tests and by the program's flags; `server.rs` starts it.

use std::sync::Arc;
use std::time::Duration;

use crate::gigachat::accounts::Tokens;
use crate::keys::FakeKey;
use crate::provider::Provider;
use crate::proxy::{Door, FakeProxy};
use crate::rule::Rule;

/// The form of xAI's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum XaiErrors {
    /// `{"code", "error": "…"}` everywhere.
    Native,
    /// `{"error": {"message", "type", "code"}}` on chat paths.
    OpenAiOnChat,
}

impl XaiErrors {
    pub(crate) fn apply_to(self, path: &str) -> bool {
        self == Self::OpenAiOnChat && path.starts_with("/v1/chat/")
    }
}

/// A stand-in that is not running yet. Every method returns it changed.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) provider: Provider,
    pub(crate) text: Option<String>,
    pub(crate) chunks: usize,
    pub(crate) pause: Duration,
    pub(crate) chunk_bytes: Option<usize>,
    pub(crate) answer_bytes: Option<usize>,
    pub(crate) keys: Vec<FakeKey>,
    /// The ids on offer; the provider's catalogue when none were named.
    pub(crate) models: Option<Vec<String>>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tls: bool,
    pub(crate) recorded: bool,
    pub(crate) fast: bool,
    pub(crate) xai_errors: XaiErrors,
    pub(crate) tokens: Tokens,
    pub(crate) proxies: Vec<Arc<Door>>,
}

impl Script {
    /// A stand-in for this provider that takes any key and quotes every prompt, until told otherwise.
    pub fn of(provider: Provider) -> Self {
        Self {
            provider,
            text: None,
            chunks: 3,
            pause: Duration::ZERO,
            chunk_bytes: None,
            answer_bytes: None,
            keys: Vec::new(),
            models: None,
            rules: Vec::new(),
            tls: false,
            recorded: true,
            fast: false,
            xai_errors: XaiErrors::Native,
            tokens: Tokens::default(),
            proxies: Vec::new(),
        }
    }

    /// The text of every ordinary answer; without it the prompt is quoted.
    #[must_use]
    pub fn says(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// Streams answer in `n` chunks (at least 1; 3 unless told) with `pause` between two of them.
    #[must_use]
    pub fn chunks(mut self, n: usize, pause: Duration) -> Self {
        self.chunks = n.max(1);
        self.pause = pause;
        self
    }

    /// Pads the text of each chunk to about `n` bytes.
    #[must_use]
    pub fn chunk_bytes(mut self, n: usize) -> Self {
        self.chunk_bytes = Some(n);
        self
    }

    /// Pads unary answers to about `n` bytes of JSON.
    #[must_use]
    pub fn answer_bytes(mut self, n: usize) -> Self {
        self.answer_bytes = Some(n);
        self
    }

    /// Lists a key. Once any is listed, all others are wrong.
    #[must_use]
    pub fn key(mut self, key: FakeKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The models offered, instead of a believable list. On Google's side a name with `embedding` in
    /// it embeds, any other generates.
    #[must_use]
    pub fn models(mut self, ids: &[&str]) -> Self {
        self.models = Some(ids.iter().map(|id| (*id).to_owned()).collect());
        self
    }

    /// Adds a scripted fault behind those already there.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Serves HTTPS (HTTP/1.1 and HTTP/2) with a certificate of its own authority.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Lists a proxy under `/_fake/proxies`, where it can be steered from outside.
    #[must_use]
    pub fn steers(mut self, proxy: &FakeProxy) -> Self {
        self.proxies.push(proxy.door());
        self
    }

    /// Does not record requests, for measurements.
    #[must_use]
    pub fn unrecorded(mut self) -> Self {
        self.recorded = false;
        self
    }

    /// xAI alone: errors on chat paths have OpenAI's form, `{"error": {"message", "type", "code"}}`.
    #[must_use]
    pub fn openai_errors(mut self) -> Self {
        self.xai_errors = XaiErrors::OpenAiOnChat;
        self
    }

    /// GigaChat alone: how long a token is good, 30 minutes unless told. With zero every token has
    /// expired when it arrives, while `expires_at` still promises half an hour.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.tokens.lifetime = lifetime;
        self
    }

    /// GigaChat alone: `expires_at` in seconds instead of milliseconds.
    #[must_use]
    pub fn token_expiry_in_seconds(mut self) -> Self {
        self.tokens.in_seconds = true;
        self
    }

    /// Answers plain generating calls from prebuilt bytes without looking at their bodies or models,
    /// and records those without their bodies; measures the files of resumable uploads as they come, and keeps none of
    /// their bytes. Google's stand-in alone. Faulty or limited keys and scripted faults still work.
    #[must_use]
    pub fn fast(mut self) -> Self {
        self.fast = true;
        self
    }
}
