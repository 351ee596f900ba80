//! The script of a stand-in: what it answers, for which keys and models, which faults it shows.
//! Built by tests and by the program's flags; `server.rs` starts it.

use std::time::Duration;

use crate::gemini::models::{self, Model};
use crate::keys::FakeKey;
use crate::rule::Rule;

/// A stand-in that is not running yet. Every method returns it changed.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) text: Option<String>,
    pub(crate) chunks: usize,
    pub(crate) pause: Duration,
    pub(crate) chunk_bytes: Option<usize>,
    pub(crate) answer_bytes: Option<usize>,
    pub(crate) keys: Vec<FakeKey>,
    pub(crate) models: Vec<Model>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tls: bool,
    pub(crate) recorded: bool,
    pub(crate) fast: bool,
}

impl Script {
    pub(crate) fn gemini() -> Self {
        Self {
            text: None,
            chunks: 3,
            pause: Duration::ZERO,
            chunk_bytes: None,
            answer_bytes: None,
            keys: Vec::new(),
            models: models::catalogue(),
            rules: Vec::new(),
            tls: false,
            recorded: true,
            fast: false,
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

    /// Lists a key. Once any is listed, others get 400 `API_KEY_INVALID`.
    #[must_use]
    pub fn key(mut self, key: FakeKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The models offered, instead of a believable list of about 60. A name with `embedding` in it
    /// embeds, any other generates.
    #[must_use]
    pub fn models(mut self, ids: &[&str]) -> Self {
        self.models = ids.iter().map(|id| Model::guessed(id)).collect();
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

    /// Does not record requests, for measurements.
    #[must_use]
    pub fn unrecorded(mut self) -> Self {
        self.recorded = false;
        self
    }

    /// Answers plain generating calls from prebuilt bytes without looking at their bodies or models,
    /// and records those without their bodies. Faulty or limited keys and scripted faults still work.
    #[must_use]
    pub fn fast(mut self) -> Self {
        self.fast = true;
        self
    }
}
