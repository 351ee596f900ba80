//! `shedding`: refusing anonymous callers while few keys are usable.

use crate::section::section;

section! {
    /// Refusing anonymous callers while few keys are usable.
    pub struct Shedding {
        /// Whether callers are refused.
        enabled: bool = "false",
        /// Below so many usable keys for the model, all are refused. Of a chain of models the keys of all its providers count, each once.
        low: usize = "30" in "0" ..= "1000000",
        /// From so many on, none is; in between, a share that falls evenly.
        high: usize = "50" in "0" ..= "1000000",
    }
}
