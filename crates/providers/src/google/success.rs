//! Judges answers with status 200 by what Google alone says: finish reasons, interactions, accounts that are limited.
//! What holds for every provider is in `../success.rs`.

use domain::{Certainty, Class, Verdict};
use wire::gemini::{Content, Finish, Summary};

use super::error;
use crate::{Place, success};

/// What an answer that ended means; `summary` is final.
///
/// `streamed` tells an answer in events or elements from one document.
pub fn judge_success(summary: &Summary, streamed: bool) -> Verdict {
    if summary.error.is_none() && summary.finish() == Some(Finish::AccountLimited) {
        return Verdict::new(Class::AcctSuspended, "pup_limited_disabled")
            .certainty(Certainty::Decisive)
            .project_wide();
    }
    success::judge(
        summary,
        streamed,
        |object| error::judge_inner(object, place(summary.content)),
        |summary| without_content(summary, streamed),
    )
}

fn without_content(summary: &Summary, streamed: bool) -> Verdict {
    match summary.content {
        // An upload session begins with an empty body.
        Content::Any => Verdict::ok(),
        Content::Interaction => interaction_without_content(summary),
        Content::OpenAi => success::without_message(summary, streamed),
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

fn place(content: Content) -> Place {
    match content {
        Content::Generate => Place::Model,
        Content::Any => Place::Resource,
        Content::Interaction => Place::Interactions,
        Content::OpenAi => Place::OpenAi,
    }
}
