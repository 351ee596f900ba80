//! `retry`: how often and how long a request is tried.

use std::time::Duration;

use crate::section::section;

section! {
    /// How often and how long a request is tried.
    pub struct Retry {
        /// Attempts for one request, those that only left a dead or exhausted key aside.
        max_attempts: u16 = "5" in "1" ..= "100",
        /// How long a request may take up to its first useful chunk, all attempts together.
        deadline: Duration = "120s" in "1s" ..= "1d",
        /// The pause before another attempt.
        delay: Duration = "0s" in "0s" ..= "10m",
        /// Whether an answer without content is tried again.
        empty_response: bool = "true",
        /// How long a request may wait for a key when every one is cooling.
        wait_for_key: Duration = "0s" in "0s" ..= "1d",
        /// How often a comment is sent to callers of streams that wait; 0: never.
        heartbeat: Duration = "0s" in "0s" ..= "1h",
    }
}
