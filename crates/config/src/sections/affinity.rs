//! `affinity`: what belongs to a project, and what projects remember.

use crate::section::{choice, section};

section! {
    /// What is done with the project that made or remembers something: files, caches, batches and the like.
    pub struct Affinity {
        /// Who may use what somebody has made.
        isolation: Isolation = "owner",
        /// Requests of a model that begin alike go to the project that saw the last of them, while it is free, so that the provider's implicit caching pays.
        prefix_cache: bool = "true",
    }
}

choice! {
    /// Who may use what somebody has made.
    pub enum Isolation {
        /// The client key that made it, and all client keys of the same user.
        Owner = "owner",
        /// Whoever may call at all; also names that keymux does not know are passed on.
        Nobody = "none",
    }
}
