//! The members of Google's answers that are read, and where they stand: one row each.
//! A name that is not here is skipped. `read.rs` walks by this table; that of OpenAI's shape is in `openai/fields.rs`.

use crate::json::{Kind, Want};
use crate::openai::fields as openai;

use super::Content;

/// The most that is kept of the message of an event that is an error, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// A container that is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Before the document.
    Top,
    /// An array around answers.
    List,
    /// A `GenerateContentResponse`.
    Answer,
    Candidates,
    Candidate,
    Content,
    Parts,
    Part,
    Feedback,
    Usage,
    /// Any other document.
    Resource,
    /// The `response` of an operation or an event, the `interaction` of an event.
    Response,
    /// Its usage, whoever counts.
    ResourceUsage,
    /// Its `generateVideoResponse`.
    Video,
    /// An interaction, or an event of one.
    Interaction,
    InteractionUsage,
    Steps,
    Step,
    Items,
    Item,
    /// Within an answer of OpenAI's shape.
    OpenAi(openai::Node),
}

/// A value that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Error,
    Finish,
    Block,
    Filtered,
    ModelVersion,
    ResponseId,
    EnvironmentId,
    EventType,
    Status,
    /// The `type` of a step or of an item of its content.
    Type,
    Text,
    Thought,
    /// Text that is a thought.
    Reasoning,
    /// The `type` of an event of OpenAI's shape.
    OutputEvent,
    /// The `type` of an item of a response, or of a part of it.
    OutputType,
    /// The `status` of a response.
    ResponseStatus,
    /// The `code` and `message` of an event that is itself an error.
    ErrorCode,
    ErrorMessage,
    /// An `error` that is a text.
    ErrorText,
    /// The `request_id` of an answer that is made later.
    Deferred,
    /// The end of the stream, `[DONE]`.
    Done,
    /// What the answer cost, in ten-billionths of a US dollar, and in US dollars.
    CostTicks,
    Cost,
    Prompt,
    Cached,
    Output,
    Thoughts,
    Tool,
    Total,
}

/// What is done with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Skip,
    Enter(Node),
    Keep(Slot),
    /// Content, if it is an object; looked at no further.
    Data,
    /// Videos, if it is an array; looked at no further.
    Samples,
    /// A scalar, or a container around what it may also be.
    KeepOr(Slot, Node),
}

impl Node {
    /// What the elements of an array are entered as, and the document as a whole.
    pub(super) fn element(self, content: Content, kind: Kind) -> Act {
        match (self, kind) {
            (Self::Top, Kind::Array) => Act::Enter(Self::List),
            (Self::Top | Self::List, Kind::Object) => Act::Enter(match content {
                Content::Generate => Self::Answer,
                Content::Any => Self::Resource,
                Content::Interaction => Self::Interaction,
                Content::OpenAi => Self::OpenAi(openai::Node::Answer),
            }),
            (Self::List, Kind::Word) if content == Content::OpenAi => Act::Keep(Slot::Done),
            (Self::OpenAi(node), _) => node.element(kind),
            (Self::Candidates, _) => Act::Enter(Self::Candidate),
            (Self::Parts, _) => Act::Enter(Self::Part),
            (Self::Steps, _) => Act::Enter(Self::Step),
            (Self::Items, _) => Act::Enter(Self::Item),
            _ => Act::Skip,
        }
    }

    /// What is done with a member of this object.
    pub(super) fn member(self, name: &[u8]) -> Act {
        match self {
            Self::Answer => answer(name),
            Self::Candidate => match name {
                b"content" => Act::Enter(Self::Content),
                b"finishReason" => Act::Keep(Slot::Finish),
                _ => Act::Skip,
            },
            Self::Content if name == b"parts" => Act::Enter(Self::Parts),
            Self::Part => part(name),
            Self::Feedback if name == b"blockReason" => Act::Keep(Slot::Block),
            Self::Usage => usage(name),
            Self::Resource => resource(name),
            Self::Response => match name {
                b"generateVideoResponse" => Act::Enter(Self::Video),
                b"usage" => Act::Enter(Self::ResourceUsage),
                _ => Act::Skip,
            },
            Self::ResourceUsage => match openai::usage(name) {
                Act::Skip => interaction_usage(name),
                act => act,
            },
            Self::Video => match name {
                b"generatedSamples" => Act::Samples,
                b"raiMediaFilteredCount" => Act::Keep(Slot::Filtered),
                _ => Act::Skip,
            },
            Self::Interaction => interaction(name),
            Self::InteractionUsage => interaction_usage(name),
            Self::Step | Self::Item => item(name),
            Self::OpenAi(node) => node.member(name),
            _ => Act::Skip,
        }
    }

    pub(super) fn is_array(self) -> bool {
        match self {
            Self::OpenAi(node) => node.is_array(),
            _ => matches!(
                self,
                Self::List | Self::Candidates | Self::Parts | Self::Steps | Self::Items
            ),
        }
    }

    /// Its counts are those of one usage object.
    pub(super) fn is_usage(self) -> bool {
        matches!(
            self,
            Self::Usage
                | Self::InteractionUsage
                | Self::ResourceUsage
                | Self::OpenAi(openai::Node::Usage)
        )
    }

    pub(super) fn fits(self, kind: Kind) -> bool {
        kind == if self.is_array() {
            Kind::Array
        } else {
            Kind::Object
        }
    }
}

impl Slot {
    /// How much of a value of this kind is kept; a value of an unexpected kind is skipped.
    pub(super) fn want(self, kind: Kind) -> Want {
        match (self, kind) {
            (Self::Error, Kind::Object) => Want::Keep(super::Summary::MAX_ERROR),
            (Self::Text | Self::Reasoning, Kind::String) => Want::Keep(1),
            (Self::Thought | Self::Done, Kind::Word) => Want::Keep(5),
            (Self::ErrorMessage | Self::ErrorText, Kind::String) => Want::Keep(LONGEST_MESSAGE),
            (Self::Cost | Self::CostTicks, Kind::Word | Kind::String) => Want::Keep(40),
            (
                Self::Filtered
                | Self::Prompt
                | Self::Cached
                | Self::Output
                | Self::Thoughts
                | Self::Tool
                | Self::Total,
                Kind::Word | Kind::String,
            ) => Want::Keep(20),
            (
                Self::Finish
                | Self::Block
                | Self::ModelVersion
                | Self::ResponseId
                | Self::EnvironmentId
                | Self::EventType
                | Self::Status
                | Self::Type
                | Self::OutputEvent
                | Self::OutputType
                | Self::ResponseStatus
                | Self::ErrorCode
                | Self::Deferred,
                Kind::String,
            ) => Want::Keep(256),
            _ => Want::Skip,
        }
    }
}

fn answer(name: &[u8]) -> Act {
    match name {
        b"candidates" => Act::Enter(Node::Candidates),
        b"promptFeedback" => Act::Enter(Node::Feedback),
        b"usageMetadata" => Act::Enter(Node::Usage),
        b"modelVersion" => Act::Keep(Slot::ModelVersion),
        b"responseId" => Act::Keep(Slot::ResponseId),
        b"error" => Act::Keep(Slot::Error),
        _ => Act::Skip,
    }
}

/// A part is one data field and modifiers. Only the modifiers are listed, so that a new kind of data counts.
fn part(name: &[u8]) -> Act {
    match name {
        b"text" => Act::Keep(Slot::Text),
        b"thought" => Act::Keep(Slot::Thought),
        b"videoMetadata"
        | b"mediaResolution"
        | b"mediaProcessing"
        | b"partMetadata"
        | b"audioTranscription"
        | b"speechMetadata" => Act::Skip,
        _ => Act::Data,
    }
}

/// `responseTokenCount` is the Live API's name for the output.
pub(super) fn usage(name: &[u8]) -> Act {
    Act::Keep(match name {
        b"promptTokenCount" => Slot::Prompt,
        b"cachedContentTokenCount" => Slot::Cached,
        b"candidatesTokenCount" | b"responseTokenCount" => Slot::Output,
        b"thoughtsTokenCount" => Slot::Thoughts,
        b"toolUsePromptTokenCount" => Slot::Tool,
        b"totalTokenCount" => Slot::Total,
        _ => return Act::Skip,
    })
}

fn resource(name: &[u8]) -> Act {
    match name {
        b"usageMetadata" => Act::Enter(Node::Usage),
        b"usage" => Act::Enter(Node::ResourceUsage),
        b"response" | b"interaction" => Act::Enter(Node::Response),
        b"error" => Act::Keep(Slot::Error),
        _ => Act::Skip,
    }
}

fn interaction(name: &[u8]) -> Act {
    match name {
        b"interaction" => Act::Enter(Node::Interaction),
        b"steps" => Act::Enter(Node::Steps),
        b"step" => Act::Enter(Node::Step),
        b"delta" => Act::Enter(Node::Item),
        b"usage" => Act::Enter(Node::InteractionUsage),
        b"event_type" => Act::Keep(Slot::EventType),
        b"status" => Act::Keep(Slot::Status),
        b"model" => Act::Keep(Slot::ModelVersion),
        b"id" => Act::Keep(Slot::ResponseId),
        b"environment_id" => Act::Keep(Slot::EnvironmentId),
        b"error" => Act::Keep(Slot::Error),
        _ => Act::Skip,
    }
}

fn interaction_usage(name: &[u8]) -> Act {
    Act::Keep(match name {
        b"total_input_tokens" => Slot::Prompt,
        b"total_cached_tokens" => Slot::Cached,
        b"total_output_tokens" => Slot::Output,
        b"total_thought_tokens" => Slot::Thoughts,
        b"total_tool_use_tokens" => Slot::Tool,
        b"total_tokens" => Slot::Total,
        _ => return Act::Skip,
    })
}

fn item(name: &[u8]) -> Act {
    match name {
        b"type" => Act::Keep(Slot::Type),
        b"text" => Act::Keep(Slot::Text),
        b"content" | b"summary" => Act::Enter(Node::Items),
        _ => Act::Skip,
    }
}
