//! Judges answers with status 200: an error, a block, an empty or a broken answer may be inside.

use domain::{Certainty, Class, Verdict};
use wire::gemini::{Content, Finish, Summary};

use super::{Place, error};

/// What an answer that ended means; `summary` is final.
///
/// `streamed` tells an answer in events or elements from one document. Content that was passed on cannot
/// be taken back: what goes wrong after it is [`Class::Truncated`].
pub fn judge_success(summary: &Summary, streamed: bool) -> Verdict {
    if let Some(object) = &summary.error {
        return if summary.has_content {
            Verdict::new(Class::Truncated, "error_after_content")
        } else {
            error::judge_inner(object, place(summary.content))
        };
    }
    if summary.finish() == Some(Finish::AccountLimited) {
        return Verdict::new(Class::AcctSuspended, "pup_limited_disabled")
            .certainty(Certainty::Decisive)
            .project_wide();
    }
    if let Some(verdict) = blocked(summary) {
        return verdict;
    }
    match (summary.has_content, summary.complete) {
        (true, true) => Verdict::ok(),
        (true, false) => Verdict::new(Class::Truncated, "cut_after_content"),
        (false, _) if summary.malformed => Verdict::new(Class::ServerError, "not_json"),
        (false, _) if summary.mid_event => Verdict::new(Class::ServerError, "cut_before_content"),
        (false, _) => without_content(summary, streamed),
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

fn without_content(summary: &Summary, streamed: bool) -> Verdict {
    match summary.content {
        // An upload session begins with an empty body.
        Content::Any => Verdict::ok(),
        Content::Interaction => interaction_without_content(summary),
        Content::OpenAi => openai_without_content(summary, streamed),
        Content::Generate => match summary.finish() {
            Some(Finish::Length) => Verdict::ok(),
            Some(Finish::Refused) => Verdict::new(Class::BadRequest, "missing_thought_signature"),
            Some(Finish::Failed) => Verdict::new(Class::EmptyAnswer, "malformed_output"),
            Some(_) => Verdict::new(Class::EmptyAnswer, "no_parts"),
            None if streamed => Verdict::new(Class::EmptyAnswer, "empty_stream"),
            None => Verdict::new(Class::EmptyAnswer, "no_candidates"),
        },
    }
}

/// An interaction may go on in the background, or wait for the caller: that is no empty answer.
fn interaction_without_content(summary: &Summary) -> Verdict {
    match summary.finish_reason.as_deref() {
        Some("failed") => Verdict::new(Class::ServerError, "interaction_failed"),
        Some("completed") | None => Verdict::new(Class::EmptyAnswer, "no_steps"),
        Some(_) if !summary.complete => Verdict::new(Class::ServerError, "cut_before_content"),
        Some(_) => Verdict::ok(),
    }
}

/// Neither a message nor vectors nor images: still an answer where it ends for length or goes on in the background.
fn openai_without_content(summary: &Summary, streamed: bool) -> Verdict {
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

fn place(content: Content) -> Place {
    match content {
        Content::Generate => Place::Model,
        Content::Any => Place::Resource,
        Content::Interaction => Place::Interactions,
        Content::OpenAi => Place::OpenAi,
    }
}
