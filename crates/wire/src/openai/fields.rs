//! The members of OpenAI's answers that are read, and where they stand: chat, completions, embeddings, images, responses.
//! A name that is not here is skipped. `gemini/read.rs` walks by this table as it does by Google's own.

use crate::gemini::fields::{Act, Node as AnyNode, Slot};
use crate::json::Kind;

/// A container that is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// The document, or an event.
    Answer,
    /// The `response` of an event.
    Response,
    Choices,
    Choice,
    /// A `message`, or the `delta` of one.
    Message,
    /// The `output` of a response.
    Outputs,
    Output,
    Parts,
    Part,
    /// What is content by being there: embeddings, images, calls.
    Things,
    /// Why a response is incomplete.
    Incomplete,
    Usage,
    InputDetails,
    OutputDetails,
    Cost,
}

impl Node {
    /// What the elements of this array are entered as.
    pub(crate) fn element(self, kind: Kind) -> Act {
        match (self, kind) {
            (Self::Choices, _) => enter(Self::Choice),
            (Self::Outputs, _) => enter(Self::Output),
            (Self::Parts, _) => enter(Self::Part),
            (Self::Things, Kind::Object) => Act::Data,
            _ => Act::Skip,
        }
    }

    /// What is done with a member of this object.
    pub(crate) fn member(self, name: &[u8]) -> Act {
        match (self, name) {
            (Self::Answer, name) => answer(name),
            (Self::Response, name) => response(name),
            (Self::Choice, name) => choice(name),
            (Self::Message, name) => message(name),
            (Self::Output | Self::Part, name) => output(name),
            (Self::Incomplete, b"reason") => Act::Keep(Slot::Finish),
            (Self::Usage, b"cost_in_usd_ticks") => Act::Keep(Slot::CostTicks),
            (Self::Usage, b"cost") => Act::KeepOr(Slot::Cost, AnyNode::OpenAi(Self::Cost)),
            (Self::Usage, name) => usage(name),
            (Self::Cost, b"total_cost") => Act::Keep(Slot::Cost),
            (Self::InputDetails, b"cached_tokens") => Act::Keep(Slot::Cached),
            (Self::OutputDetails, b"reasoning_tokens") => Act::Keep(Slot::Thoughts),
            _ => Act::Skip,
        }
    }

    pub(crate) fn is_array(self) -> bool {
        matches!(
            self,
            Self::Choices | Self::Outputs | Self::Parts | Self::Things
        )
    }
}

const fn enter(node: Node) -> Act {
    Act::Enter(AnyNode::OpenAi(node))
}

/// Documents of all endpoints, and events: their members do not clash.
fn answer(name: &[u8]) -> Act {
    match name {
        b"choices" => enter(Node::Choices),
        b"data" => enter(Node::Things),
        b"type" => Act::Keep(Slot::OutputEvent),
        b"response" => enter(Node::Response),
        b"item" => enter(Node::Output),
        b"part" => enter(Node::Part),
        b"delta" | b"text" | b"b64_json" | b"partial_image_b64" => Act::Keep(Slot::Text),
        b"code" => Act::Keep(Slot::ErrorCode),
        b"message" => Act::Keep(Slot::ErrorMessage),
        b"request_id" => Act::Keep(Slot::Deferred),
        _ => response(name),
    }
}

fn response(name: &[u8]) -> Act {
    match name {
        b"output" => enter(Node::Outputs),
        b"status" => Act::Keep(Slot::ResponseStatus),
        b"incomplete_details" => enter(Node::Incomplete),
        b"usage" => enter(Node::Usage),
        b"error" => Act::Keep(Slot::Error),
        b"model" => Act::Keep(Slot::ModelVersion),
        b"id" => Act::Keep(Slot::ResponseId),
        _ => Act::Skip,
    }
}

fn choice(name: &[u8]) -> Act {
    match name {
        b"delta" | b"message" => enter(Node::Message),
        b"text" => Act::Keep(Slot::Text),
        b"finish_reason" => Act::Keep(Slot::Finish),
        _ => Act::Skip,
    }
}

fn message(name: &[u8]) -> Act {
    match name {
        b"content" => Act::KeepOr(Slot::Text, AnyNode::OpenAi(Node::Parts)),
        b"refusal" => Act::Keep(Slot::Text),
        b"reasoning_content" | b"reasoning" => Act::Keep(Slot::Reasoning),
        b"tool_calls" | b"images" => enter(Node::Things),
        b"function_call" | b"audio" => Act::Data,
        _ => Act::Skip,
    }
}

fn output(name: &[u8]) -> Act {
    match name {
        b"type" => Act::Keep(Slot::OutputType),
        b"text" | b"refusal" | b"transcript" => Act::Keep(Slot::Text),
        b"content" | b"summary" => enter(Node::Parts),
        _ => Act::Skip,
    }
}

/// Chat and embeddings count `prompt_tokens`, responses and images `input_tokens`.
pub(crate) fn usage(name: &[u8]) -> Act {
    match name {
        b"prompt_tokens" | b"input_tokens" => Act::Keep(Slot::Prompt),
        b"completion_tokens" | b"output_tokens" => Act::Keep(Slot::Output),
        b"total_tokens" => Act::Keep(Slot::Total),
        b"prompt_tokens_details" | b"input_tokens_details" => enter(Node::InputDetails),
        b"completion_tokens_details" | b"output_tokens_details" => enter(Node::OutputDetails),
        _ => Act::Skip,
    }
}
