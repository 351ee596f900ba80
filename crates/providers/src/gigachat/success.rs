//! Judges GigaChat's answers with status 200, as callers get them: `answer/` has put them into OpenAI's shape.
//! What is an error there is judged by its status (`error.rs`).

use domain::Verdict;
use wire::gemini::Summary;

use super::error;
use crate::success;

/// What an answer that ended means; `summary` is final, and of the translated bytes, read as `Content::OpenAi`.
///
/// `streamed` tells an answer in events from one document, as for Google's.
pub fn judge_success(summary: &Summary, streamed: bool) -> Verdict {
    success::judge_openai(summary, streamed, error::judge_inner)
}
