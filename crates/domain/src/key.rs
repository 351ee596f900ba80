//! A provider's API key as the pool knows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{KeyId, Secret, UnixMs, UserId};

/// The largest weight a key can have.
pub const MAX_WEIGHT: u16 = 100;

/// A provider key that has its row in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its row.
    pub id: KeyId,
    /// The provider's name in the configuration, for example `google`.
    pub provider: Arc<str>,
    /// The key itself.
    pub secret: Secret,
    /// The operator's name for it.
    pub label: Option<String>,
    /// The provider-side account that its quota belongs to; none: a project of its own.
    pub project: Option<String>,
    /// Its share relative to its peers, 1 to [`MAX_WEIGHT`].
    pub weight: u16,
    /// Lower values are used first.
    pub priority: i16,
    /// A proxy URL that this key must leave by, instead of the pool of proxies.
    pub egress: Option<Secret>,
    /// False: switched off by an operator.
    pub enabled: bool,
    /// The user whose key it is; none: the shared pool's.
    pub owner: Option<UserId>,
    /// Of its owner's keys for the provider it is the one that is used first.
    pub selected: bool,
    /// Where it came from.
    pub source: KeySource,
    /// The name of the key file that states it; none where it comes from elsewhere, or no file states it any more.
    pub file: Option<Arc<str>>,
    /// When it was first seen.
    pub created_at: UnixMs,
}

/// What the names of projects begin with that consist of one key.
const OWN_PROJECT: &str = "key:";

impl Key {
    /// A key of the shared pool, just added, with nothing but its secret said about it.
    pub fn plain(id: KeyId, provider: &str, secret: &str, now: UnixMs) -> Self {
        Self {
            id,
            provider: provider.into(),
            secret: Secret::new(secret),
            label: None,
            project: None,
            weight: 1,
            priority: 0,
            egress: None,
            enabled: true,
            owner: None,
            selected: false,
            source: KeySource::Admin,
            file: None,
            created_at: now,
        }
    }

    /// What its project is known by, also over restarts: its name, or for a project of its own `key:` and its id.
    pub fn project_name(&self) -> String {
        let own = || Self::own_project_name(self.id);
        self.project.clone().unwrap_or_else(own)
    }

    /// The name of a project that consists of this key.
    pub fn own_project_name(id: KeyId) -> String {
        format!("{OWN_PROJECT}{id}")
    }

    /// The key that is a project of its own by that name.
    pub fn of_own_project(name: &str) -> Option<KeyId> {
        name.strip_prefix(OWN_PROJECT)?.parse().ok().map(KeyId)
    }
}

/// A key before it has a row: from the configuration, an import or the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDraft {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The key itself.
    pub secret: Secret,
    /// The operator's name for it.
    pub label: Option<String>,
    /// The provider-side account that its quota belongs to.
    pub project: Option<String>,
    /// Its share relative to its peers, 1 to [`MAX_WEIGHT`].
    pub weight: u16,
    /// Lower values are used first.
    pub priority: i16,
    /// A proxy URL of its own.
    pub egress: Option<Secret>,
    /// The user whose key it is; none: the shared pool's.
    pub owner: Option<UserId>,
    /// Where it came from.
    pub source: KeySource,
}

impl KeyDraft {
    /// A key with nothing but its secret said about it.
    pub fn plain(provider: &str, secret: &str, source: KeySource) -> Self {
        Self {
            provider: provider.into(),
            secret: Secret::new(secret),
            label: None,
            project: None,
            weight: 1,
            priority: 0,
            egress: None,
            owner: None,
            source,
        }
    }
}

/// Where a key came from. What is set in a file or the environment is changed there only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// `keymux.yaml`.
    Config,
    /// A variable such as `GEMINI_API_KEYS`.
    Env,
    /// A file in `keys_dir`.
    File,
    /// The admin API, the dashboard or the command line.
    Admin,
}
