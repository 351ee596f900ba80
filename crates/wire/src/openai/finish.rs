//! What a `finish_reason` of OpenAI's means, or the `status` of a response; in the terms of Google's, which are finer.
//! Google's own endpoint of this shape also sends its own reasons, as they are or behind a word and a colon.

use crate::gemini::Finish;

/// What stands for the reason of an answer that is only the promise of one, to be fetched by its `request_id`.
pub const DEFERRED: &str = "deferred";

/// The meaning of a reason.
///
/// Seen from Google: `content_filter: PROHIBITED_CONTENT`, `function_call_filter: MALFORMED_FUNCTION_CALL`, `SAFETY`.
pub(crate) fn finish(reason: &str) -> Finish {
    let (word, googles) = reason.split_once(": ").unwrap_or((reason, reason));
    match Finish::of(googles) {
        Finish::Unknown => of_word(word),
        finish => finish,
    }
}

fn of_word(word: &str) -> Finish {
    match word {
        // Some send an empty reason with tool calls.
        "stop" | "tool_calls" | "function_call" | "completed" | "" => Finish::Stop,
        "length" | "max_output_tokens" | "incomplete" => Finish::Length,
        "content_filter" => Finish::Blocked,
        "function_call_filter" | "failed" => Finish::Failed,
        "in_progress" | "queued" | DEFERRED => Finish::Pending,
        _ => Finish::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_both_dialects_are_understood() {
        for (reason, expected) in [
            ("stop", Finish::Stop),
            ("tool_calls", Finish::Stop),
            ("", Finish::Stop),
            ("length", Finish::Length),
            ("max_output_tokens", Finish::Length),
            ("content_filter", Finish::Blocked),
            ("content_filter: PROHIBITED_CONTENT", Finish::Blocked),
            ("content_filter: WHO_KNOWS", Finish::Blocked),
            ("content_filter: OTHER", Finish::Failed),
            ("SAFETY", Finish::Blocked),
            (
                "function_call_filter: MALFORMED_FUNCTION_CALL",
                Finish::Failed,
            ),
            ("function_call_filter: NEW", Finish::Failed),
            ("PUP_LIMITED_DISABLED", Finish::AccountLimited),
            ("queued", Finish::Pending),
            ("cancelled", Finish::Unknown),
            ("who: knows", Finish::Unknown),
        ] {
            assert_eq!(finish(reason), expected, "{reason}");
        }
    }
}
