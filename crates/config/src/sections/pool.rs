//! `pool`: how keys are chosen and set aside.

use std::time::Duration;

use crate::section::{choice, section};

section! {
    /// How keys are chosen and set aside.
    pub struct Pool {
        /// How a key is chosen among the usable ones of the lowest priority value.
        strategy: Strategy = "least_loaded",
        /// Answers 401 and 403 in a row after which a key is retired, unless one is decisive by itself.
        max_failures: u16 = "3" in "1" ..= "1000",
        /// When a key that was set aside for failures is checked again at the latest.
        recheck_interval: Duration = "1h" in "1s" ..= "365d",
        /// How long one attempt may take up to its first useful chunk.
        request_timeout: Duration = "120s" in "1s" ..= "1d",
        /// How long a stream may pause after that.
        stream_idle_timeout: Duration = "120s" in "1s" ..= "1d",
        /// The status of the answer when every key is cooling.
        exhausted_status: ExhaustedStatus = "503",
    }
}

choice! {
    /// How a key is chosen.
    pub enum Strategy {
        /// The less loaded of two taken at random, by weight.
        LeastLoaded = "least_loaded",
        /// One after the other.
        RoundRobin = "round_robin",
        /// Any.
        Random = "random",
        /// The first until it cools.
        FillFirst = "fill_first",
        /// The one that its owner selected.
        SelectedFirst = "selected_first",
    }
}

choice! {
    /// The status of the answer when every key is cooling.
    pub enum ExhaustedStatus {
        /// 503 with `Retry-After`.
        Unavailable = "503",
        /// 429 with `RetryInfo`.
        TooManyRequests = "429",
    }
}
