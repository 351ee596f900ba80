//! What is known of an answer after reading it: the facts that verdicts, records and the relay need.

use domain::{Nanodollars, Usage};

use super::Finish;
use crate::openai;

/// How the body is cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One JSON document; an array of one is read like its element.
    Json,
    /// A JSON array whose elements are sent one by one (`streamGenerateContent` without `alt=sse`).
    JsonArray,
    /// Server-sent events.
    Sse,
}

/// What the body is expected to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Candidates, as `generateContent` answers.
    Generate,
    /// Any other JSON: of interest are its usage, and whether it is an error.
    Any,
    /// An interaction, or the events of one.
    Interaction,
    /// What a model makes, in OpenAI's shape: chat, completions, embeddings, images, responses.
    OpenAi,
}

/// What has been seen of an answer so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Enough to commit to this answer: content, a block, or an end that another try would not change.
    pub useful: bool,
    /// An error object.
    pub error: bool,
    /// The offset in the chunk just pushed behind its last whole event (SSE) or element (arrays).
    /// 0 when none ended in it.
    pub whole_events_end: usize,
}

/// An answer in short.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that are independent of each other"
)]
pub struct Summary {
    /// What it was read as.
    pub content: Content,
    /// Tokens by the last count in the answer. Streams carry running totals: they replace each other.
    pub usage: Option<Usage>,
    /// The last `finishReason` of a candidate or choice, or the last `status` of an interaction or a response.
    pub finish_reason: Option<Box<str>>,
    /// What the provider says that the answer cost; only answers of OpenAI's shape may say it.
    pub cost: Option<Nanodollars>,
    /// Why the prompt was blocked, or `RAI_MEDIA_FILTERED` for a video that was held back.
    pub block_reason: Option<Box<str>>,
    /// The error object, `{"code":…}` without its wrapper, at most [`Summary::MAX_ERROR`] bytes of it.
    pub error: Option<Box<[u8]>>,
    /// The model that answered, an alias resolved.
    pub model_version: Option<Box<str>>,
    /// The provider's id of the answer.
    pub response_id: Option<Box<str>>,
    /// The environment that an interaction ran in.
    pub environment_id: Option<Box<str>>,
    /// A part that is more than empty text, thoughts included; in other JSON any member but an error.
    pub has_content: bool,
    /// Thoughts.
    pub has_thoughts: bool,
    /// The answer came to its own end: the document is closed, and a stream has said why it ended.
    pub complete: bool,
    /// It is not JSON.
    pub malformed: bool,
    /// What has been read ends inside an event, element or document.
    pub mid_event: bool,
    /// Whole events, elements or documents.
    pub events: u32,
}

impl Summary {
    /// The most that is kept of an error object, in bytes.
    pub const MAX_ERROR: usize = 16 * 1024;

    pub(super) fn new(content: Content) -> Self {
        Self {
            content,
            usage: None,
            cost: None,
            finish_reason: None,
            block_reason: None,
            error: None,
            model_version: None,
            response_id: None,
            environment_id: None,
            has_content: false,
            has_thoughts: false,
            complete: false,
            malformed: false,
            mid_event: false,
            events: 0,
        }
    }

    /// What the finish reason of a generated answer means.
    pub fn finish(&self) -> Option<Finish> {
        match self.content {
            Content::Interaction => None,
            Content::Generate | Content::Any => self.finish_reason.as_deref().map(Finish::of),
            Content::OpenAi => self.finish_reason.as_deref().map(openai::finish),
        }
    }

    /// A status that is neither an end nor a failure: it goes on in the background, or waits.
    pub(super) fn is_pending(&self) -> bool {
        match (self.content, self.finish_reason.as_deref()) {
            (Content::Interaction, Some(status)) => !matches!(status, "completed" | "failed"),
            _ => self.finish() == Some(Finish::Pending),
        }
    }
}
