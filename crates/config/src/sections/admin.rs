//! `admin`: the first administrator.

use std::time::Duration;

use domain::Secret;

use crate::section::section;

section! {
    /// The first administrator.
    pub struct Admin {
        /// The name to log in with.
        username: String = "admin",
        /// The password; without one, it is generated at the first start and printed once.
        password: Option<Secret> = "null",
        /// How long a login lasts.
        session_ttl: Duration = "30d" in "1m" ..= "365d"; live,
    }
}
