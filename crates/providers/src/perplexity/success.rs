//! Judges answers with status 200, as they were translated: in OpenAI's shape, the provider's words in its errors.

use domain::Verdict;
use wire::gemini::Summary;

use super::error;
use crate::success;

/// What an answer that ended means; `summary` is that of the translated bytes, read as `Content::OpenAi`, and final.
///
/// `streamed` tells an answer in events from one document.
pub fn judge_success(summary: &Summary, streamed: bool) -> Verdict {
    success::judge_openai(summary, streamed, error::judge_inner)
}
