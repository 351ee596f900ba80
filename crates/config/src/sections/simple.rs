//! `simple`: the simple endpoints.

use crate::section::section;

section! {
    /// The simple endpoints.
    pub struct Simple {
        /// The longest prompt, in characters.
        max_prompt_chars: usize = "10000" in "1" ..= "10000000",
    }
}
