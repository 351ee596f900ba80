//! `health_checks`: regular checks of all keys. Which call checks what is in `providers`, when in `keypool`.

use std::time::Duration;

use crate::section::section;

section! {
    /// Regular checks of all keys.
    pub struct HealthChecks {
        /// Whether keys are checked.
        enabled: bool = "true",
        /// What is due is spread evenly over this time; new keys are checked within it.
        interval: Duration = "5m" in "1s" ..= "365d",
        /// Checks at the same time, those made by hand included.
        concurrency: usize = "10" in "1" ..= "1000",
        /// The next check after a success.
        after_ok: Duration = "12h" in "1s" ..= "365d",
        /// The next check after a 403, and of keys that are retired.
        after_403: Duration = "10d" in "1s" ..= "365d",
        /// The next check after another 4xx.
        after_4xx: Duration = "1d" in "1s" ..= "365d",
        /// The next check after a 5xx, or no answer.
        after_5xx: Duration = "10m" in "1s" ..= "365d",
        /// Checks of one project in a day of UTC; what goes beyond it waits for the next day. They cost no generation quota, but providers count calls.
        max_per_project_per_day: u32 = "1000" in "1" ..= "60000",
    }
}
