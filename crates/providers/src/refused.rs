//! A request that a provider's API cannot be asked, found before it is sent: the caller's mistake, not a verdict.

/// What is wrong with a request, in words for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What is wrong, with the value, and what to send instead.
    pub message: String,
    /// The parameter at fault, for example `messages[2].content`.
    pub param: Option<String>,
}
