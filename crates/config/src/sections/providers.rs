//! `providers`: upstream APIs and their keys. What the built-in ones are set to is in `layers.rs`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use domain::Secret;

use crate::section::{choice, section};
use crate::value::Placed;
use crate::{HttpUrl, ProxyUrl};

section! {
    /// An upstream API.
    pub struct Provider {
        /// What the API speaks.
        kind: Kind,
        /// Where it is; paths are appended to it.
        base_url: HttpUrl,
        /// API keys of the pool.
        keys: Vec<Placed<ProviderKey>> = "[]",
        /// A folder of which every file holds keys of this provider, and of no other. It is followed while keymux runs, and may come into being later.
        keys_dir: Option<PathBuf> = "null",
        /// The model of requests that name none.
        default_model: Option<String> = "null",
        /// Its models; empty: whatever the provider lists.
        models: Vec<String> = "[]",
        /// How long its own list of models is believed before it is asked again; `0s`: it is never asked.
        models_refresh: Duration = "10m",
        /// What its keys are checked with.
        health_check: ProviderHealthCheck = "{}",
        /// Where keys are exchanged for tokens (`gigachat`).
        token_url: Option<HttpUrl> = "null",
        /// The scope of such tokens (`gigachat`).
        scope: Option<String> = "null",
        /// Requests that one key may have under way at a time; not set: 1 for `GIGACHAT_API_PERS`, 10 for other scopes of `gigachat`, no limit elsewhere.
        max_concurrent: Option<u32> = "null" in "1" ..= "1000000",
        /// A PEM file with certificates that are trusted for this provider besides the public ones.
        ca_file: Option<PathBuf> = "null",
        /// Headers that are added to every request to it, unless the request has them.
        default_headers: BTreeMap<String, Secret> = "{}",
        /// Whether HTTP/2 may be used.
        http2: bool = "true",
    }
}

/// The scope of individuals, who may have one request under way.
const INDIVIDUALS: &str = "GIGACHAT_API_PERS";
/// What GigaChat lets companies have under way by default.
const COMPANIES_AT_ONCE: u32 = 10;

impl Provider {
    /// How many requests one key may have under way at a time; none: as many as there are.
    ///
    /// GigaChat counts streams by key and answers 429 beyond its limit. A provider of that kind without a scope is
    /// taken for one of individuals.
    pub fn concurrent_per_key(&self) -> Option<NonZeroU32> {
        let by_kind = match (self.kind, self.scope.as_deref()) {
            (Kind::GigaChat, None | Some(INDIVIDUALS)) => Some(1),
            (Kind::GigaChat, Some(_)) => Some(COMPANIES_AT_ONCE),
            _ => None,
        };
        self.max_concurrent.or(by_kind).and_then(NonZeroU32::new)
    }
}

section! {
    /// What the keys of a provider are checked with.
    pub struct ProviderHealthCheck {
        /// A model that every key can use; keys are tested with it by hand, too.
        model: Option<String> = "null",
        /// Models that are checked besides those in use.
        models: Vec<String> = "[]",
    }
}

section! {
    /// An API key of a provider.
    pub struct ProviderKey or key {
        /// The key itself.
        key: Secret,
        /// The provider-side account that its quota belongs to; not set: one of its own.
        project: Option<String> = "null",
        /// What it is called in logs and metrics.
        label: Option<String> = "null",
        /// Its share relative to the others.
        weight: u16 = "1" in "1" ..= "100",
        /// Lower ones are used first.
        priority: i16 = "0" in "-1000" ..= "1000",
        /// A proxy that this key leaves by, instead of those of `egress`.
        egress: Option<ProxyUrl> = "null",
    }
}

choice! {
    /// What an upstream API speaks.
    pub enum Kind {
        /// Google's Gemini API.
        Gemini = "gemini",
        /// OpenAI's API.
        OpenAi = "openai",
        /// Perplexity's API.
        Perplexity = "perplexity",
        /// Sber's GigaChat API.
        GigaChat = "gigachat",
    }
}
