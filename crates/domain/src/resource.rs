//! What belongs to a project of a provider's: files, caches, batches and the like. Only keys of that project reach it.

use std::fmt;
use std::sync::Arc;

use crate::{ClientId, UnixMs, UserId};

/// A resource's name within its provider: its collection and its id, such as `files/abc-123`. What lies within another
/// resource has the name of that one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceName(Arc<str>);

impl ResourceName {
    /// The longest name that there is, in bytes: nobody's index has to hold more.
    pub const LONGEST: usize = 512;

    /// The name as it is written; none where it is longer than any, has no collection and id, or is made of other
    /// characters than names are.
    pub fn new(name: &str) -> Option<Self> {
        let is_plain = |segment: &str| {
            let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
            !segment.is_empty() && segment.bytes().all(is_of_names)
        };
        let is_name =
            name.contains('/') && name.len() <= Self::LONGEST && name.split('/').all(is_plain);
        is_name.then(|| Self(name.into()))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is one of, such as `files`; of an operation of a model's that is `operations`.
    pub fn collection(&self) -> &str {
        let (before, _) = self.0.rsplit_once('/').unwrap_or((&self.0, ""));
        before.rsplit_once('/').map_or(before, |(_, last)| last)
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who has a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// Its name there.
    pub name: ResourceName,
    /// The project that it belongs to, as [`crate::Key::project_name`] names it.
    pub project: Arc<str>,
    /// The client key that it was made with; none: by a caller without one.
    pub client: Option<ClientId>,
    /// The user whose client key that was.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When the provider deletes it, as far as that is known; it is forgotten then.
    pub expires_at: Option<UnixMs>,
}
