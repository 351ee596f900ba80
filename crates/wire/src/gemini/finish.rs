//! What a candidate's `finishReason` means. Google adds reasons, so the set stays open.

/// Why an answer ended, as far as the next step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It came to its end; function calls end like this too.
    Stop,
    /// For length, or to be continued: an answer even when only thoughts were made.
    Length,
    /// For safety or policy reasons.
    Blocked,
    /// The model failed to make an answer.
    Failed,
    /// The request was such that there can be no answer.
    Refused,
    /// The account behind the key is limited or disabled for its use of the service.
    AccountLimited,
    /// It has not ended: it goes on in the background. Only a response of OpenAI's shape says so.
    Pending,
    /// A reason not known here.
    Unknown,
}

impl Finish {
    /// The meaning of a `finishReason`.
    pub fn of(reason: &str) -> Self {
        match reason {
            "STOP" => Self::Stop,
            "MAX_TOKENS" | "CONTINUATION" => Self::Length,
            "SAFETY"
            | "RECITATION"
            | "LANGUAGE"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION"
            | "ESCALATION"
            | "MODEL_ARMOR" => Self::Blocked,
            "OTHER"
            | "MALFORMED_FUNCTION_CALL"
            | "MALFORMED_RESPONSE"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "NO_IMAGE"
            | "IMAGE_OTHER" => Self::Failed,
            "MISSING_THOUGHT_SIGNATURE" => Self::Refused,
            "PUP_LIMITED_DISABLED" => Self::AccountLimited,
            _ => Self::Unknown,
        }
    }

    /// The answer is worth passing on even without content: another try would end alike.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Length | Self::Blocked | Self::Refused)
    }
}
