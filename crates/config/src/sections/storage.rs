//! `database` and `redis`: where state is kept.

use domain::Secret;

use crate::section::section;

section! {
    /// Where keys, settings and records are kept.
    pub struct Database {
        /// `sqlite:path` or `postgres://…`. When it is not set, the SQLite file is `keymux.db` in `server.data_dir`.
        url: Secret = "sqlite:./data/keymux.db",
    }
}

section! {
    /// What several instances share.
    pub struct Redis {
        /// `redis://…` or `rediss://…` of Redis or Valkey.
        url: Option<Secret> = "null",
    }
}
