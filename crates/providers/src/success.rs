//! Judges answers with status 200, whoever sends them: an error, a block, an empty or a broken answer may be inside.
//! What an error inside means says the provider's own judge; so does Google of answers in shapes of its own.

use domain::{Class, Verdict};
use wire::gemini::{Content, Finish, Summary};

/// What an answer that ended means; `summary` is final.
///
/// `inner` judges an error object, `silent` an answer without content that is whole JSON. Content that was passed on
/// cannot be taken back: what goes wrong after it is [`Class::Truncated`]. `streamed` tells an answer in events or elements
/// from one document, of which there has to be one where a model was asked.
pub(crate) fn judge(
    summary: &Summary,
    streamed: bool,
    inner: impl FnOnce(&[u8]) -> Verdict,
    silent: impl FnOnce(&Summary) -> Verdict,
) -> Verdict {
    if let Some(object) = &summary.error {
        return if summary.has_content {
            Verdict::new(Class::Truncated, "error_after_content")
        } else {
            inner(object)
        };
    }
    if let Some(verdict) = blocked(summary) {
        return verdict;
    }
    match (summary.has_content, summary.complete) {
        (true, true) => Verdict::ok(),
        (true, false) => Verdict::new(Class::Truncated, "cut_after_content"),
        (false, _) if summary.malformed => Verdict::new(Class::ServerError, "not_json"),
        (false, _) if summary.mid_event => Verdict::new(Class::ServerError, "cut_before_content"),
        (false, _) if !streamed && summary.events == 0 && summary.content != Content::Any => {
            Verdict::new(Class::ServerError, "no_document")
        }
        (false, _) => silent(summary),
    }
}

fn blocked(summary: &Summary) -> Option<Verdict> {
    let reason = if summary.block_reason.is_some() {
        "prompt_blocked"
    } else if summary.finish() == Some(Finish::Blocked) {
        "candidate_blocked"
    } else {
        return None;
    };
    Some(Verdict::new(Class::Blocked, reason))
}

/// The same for an answer that is of OpenAI's shape, or of none in particular.
///
/// `streamed` tells an answer in events from one document.
pub(crate) fn judge_openai(
    summary: &Summary,
    streamed: bool,
    inner: impl FnOnce(&[u8]) -> Verdict,
) -> Verdict {
    judge(summary, streamed, inner, |summary| match summary.content {
        // A list may be empty, a deletion says nothing.
        Content::Any => Verdict::ok(),
        _ => without_message(summary, streamed),
    })
}

/// An answer of OpenAI's shape without message, vectors or images: still one where it ends for length or goes on in the
/// background. `streamed` tells an answer in events from one document.
pub(crate) fn without_message(summary: &Summary, streamed: bool) -> Verdict {
    match summary.finish() {
        Some(Finish::Length) => Verdict::ok(),
        Some(Finish::Pending) if summary.complete => Verdict::ok(),
        Some(Finish::Pending) => Verdict::new(Class::ServerError, "cut_before_content"),
        Some(Finish::Refused) => Verdict::new(Class::BadRequest, "missing_thought_signature"),
        Some(Finish::Failed) => Verdict::new(Class::EmptyAnswer, "malformed_output"),
        Some(_) => Verdict::new(Class::EmptyAnswer, "no_message"),
        None if streamed => Verdict::new(Class::EmptyAnswer, "empty_stream"),
        None => Verdict::new(Class::EmptyAnswer, "no_choices"),
    }
}
