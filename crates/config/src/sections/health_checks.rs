//! `health_checks`: regular checks of all keys.

use std::time::Duration;

use crate::section::section;

section! {
    /// Regular checks of all keys.
    pub struct HealthChecks {
        /// Whether keys are checked.
        enabled: bool = "true",
        /// How often it is looked for keys to check.
        interval: Duration = "5m" in "1s" ..= "365d",
        /// Checks at the same time.
        concurrency: usize = "10" in "1" ..= "1000",
        /// The next check after a success.
        after_ok: Duration = "12h" in "1s" ..= "365d",
        /// The next check after a 403.
        after_403: Duration = "10d" in "1s" ..= "365d",
        /// The next check after another 4xx.
        after_4xx: Duration = "1d" in "1s" ..= "365d",
        /// The next check after a 5xx.
        after_5xx: Duration = "10m" in "1s" ..= "365d",
    }
}
