//! The walk over one answer: what the JSON scanner finds becomes facts in the [`Summary`].
//! The rows of `fields.rs` say which members are looked at; `counts.rs` what token counts come to.

use domain::Nanodollars;

use crate::decimal::scaled;
use crate::json::{Kind, Visitor, Want};
use crate::openai::{DEFERRED, fields as openai};

use super::counts::{Counts, number};
use super::fields::{Act, Node, Slot};
use super::{Content, Finish, Summary};

/// Containers entered within each other: more than any row of the table leads to.
const DEEPEST: usize = 12;

/// A dollar is a billion nanodollars.
const NANODOLLARS: i32 = 9;

/// A dollar is ten billion of xAI's ticks.
const NANODOLLARS_PER_TICK: i32 = -1;

/// The visitor of an answer.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that are independent of each other"
)]
pub(super) struct Reader {
    pub(super) summary: Summary,
    /// Worth committing to, see [`super::Progress::useful`].
    pub(super) useful: bool,
    /// The stream has said that it is over, with an event of its own.
    pub(super) ended: bool,
    /// The offset behind the last element, or the array itself, in the slice being pushed.
    pub(super) element_end: usize,
    path: [Node; DEEPEST],
    depth: usize,
    act: Act,
    slot: Slot,
    /// No member of the document has begun.
    first_member: bool,
    /// The document is an object, or an array of some.
    is_object: bool,
    /// Members of the document so far, at any depth that is entered.
    members: u32,
    /// It has a member by which such an answer is known.
    is_known: bool,
    /// Videos that were not held back.
    has_samples: bool,
    counts: Counts,
    flat_error: FlatError,
}

/// An event of OpenAI's shape that is itself an error: `{"type":"error","code":…,"message":…}`, or xAI's
/// `{"code":…,"error":"…"}`.
#[derive(Debug, Default)]
struct FlatError {
    is_error: bool,
    code: Vec<u8>,
    message: Vec<u8>,
}

impl Reader {
    pub(super) fn new(content: Content) -> Self {
        Self {
            summary: Summary::new(content),
            useful: false,
            ended: false,
            element_end: 0,
            path: [Node::Top; DEEPEST],
            depth: 0,
            act: Act::Skip,
            slot: Slot::Text,
            first_member: true,
            is_object: false,
            members: 0,
            is_known: false,
            has_samples: false,
            counts: Counts::default(),
            flat_error: FlatError::default(),
        }
    }

    /// Prepares for another document of the same answer.
    pub(super) fn next_document(&mut self) {
        self.depth = 0;
        self.first_member = true;
        self.is_object = false;
        self.members = 0;
        self.is_known = false;
    }

    /// The document is of no shape that is read here: no object, or one of other members.
    pub(super) fn is_strange(&self) -> bool {
        let is_empty = self.is_object && self.members == 0;
        !self.is_known && !is_empty
    }

    /// Inside an element, or inside a document that is no list.
    pub(super) fn is_mid_element(&self) -> bool {
        !self.is_between_events()
    }

    fn is_between_events(&self) -> bool {
        matches!(self.node(), Node::Top | Node::List)
    }

    fn node(&self) -> Node {
        self.depth
            .checked_sub(1)
            .map_or(Node::Top, |at| self.path[at])
    }

    fn found_content(&mut self) {
        self.summary.has_content = true;
        self.useful = true;
    }

    /// A resource may have a field `error`: only where it is the first member it is the whole answer.
    fn resource_member(&mut self) {
        if self.act != Act::Keep(Slot::Error) {
            self.found_content();
        } else if !self.first_member {
            self.act = Act::Skip;
        }
    }

    /// The `type` of a step, an item or a delta. What is no text and no thought has content by itself.
    fn step_type(&mut self, kind: &[u8]) {
        match kind {
            b"text" | b"model_output" | b"user_input" => {}
            b"thought" | b"thought_signature" => self.summary.has_thoughts = true,
            b"thought_summary" => {
                self.summary.has_thoughts = true;
                self.found_content();
            }
            _ => self.found_content(),
        }
    }

    fn found_samples(&mut self) {
        self.has_samples = true;
        self.summary.block_reason = None;
    }

    fn set_filtered(&mut self, count: &[u8]) {
        if number(count) > Some(0) && !self.has_samples {
            set(&mut self.summary.block_reason, b"RAI_MEDIA_FILTERED");
        }
    }

    fn set_finish(&mut self, reason: &[u8]) {
        set(&mut self.summary.finish_reason, reason);
        if self.summary.finish().is_some_and(Finish::is_final) {
            self.useful = true;
        }
    }

    /// The `type` of an item of a response or of its part. What is no text and no thought has content by itself.
    fn output_type(&mut self, kind: &[u8]) {
        match kind {
            b"message" | b"text" | b"output_text" | b"refusal" => {}
            b"reasoning" | b"reasoning_text" | b"summary_text" => self.summary.has_thoughts = true,
            _ => self.found_content(),
        }
    }

    fn output_event(&mut self, kind: &[u8]) {
        self.flat_error.is_error |= kind == b"error";
        self.summary.has_thoughts |= kind.starts_with(b"response.reasoning");
        self.ended |= matches!(
            kind,
            b"response.completed"
                | b"response.incomplete"
                | b"response.failed"
                | b"image_generation.completed"
                | b"image_edit.completed"
        );
    }

    /// `incomplete` says less than its reason, which may stand before it.
    fn set_status(&mut self, status: &[u8]) {
        let is_known = self.summary.finish().is_some_and(Finish::is_final);
        if status != b"incomplete" || !is_known {
            self.set_finish(status);
        }
    }

    /// What the provider says that it cost, in powers of ten of a nanodollar; what is no amount says nothing.
    fn set_cost(&mut self, text: &[u8], places: i32) {
        let cost = scaled(text, places).map(Nanodollars);
        self.summary.cost = cost.or(self.summary.cost);
    }

    /// A document, or an element of the array around several, is over.
    fn end_answer(&mut self, end: usize) {
        self.summary.events = self.summary.events.saturating_add(1);
        self.element_end = end;
        self.first_member = true;
        if let Some(object) = self.flat_error.take() {
            self.set_error(&object);
        }
    }

    fn set_error(&mut self, object: &[u8]) {
        if self.summary.error.is_none() {
            self.summary.error = Some(object.into());
        }
    }
}

impl Visitor for Reader {
    fn name(&mut self, name: &[u8]) {
        let node = self.node();
        self.act = node.member(name);
        self.members = self.members.saturating_add(1);
        self.is_known |= tells_shape(self.act) || node == Node::Resource;
        if node == Node::Resource {
            self.resource_member();
        }
        // Further on it is but one more id of an answer that is there.
        if self.act == Act::Keep(Slot::Deferred) && !self.first_member {
            self.act = Act::Skip;
        }
        self.first_member = false;
    }

    fn begin(&mut self, kind: Kind) -> Want {
        let node = self.node();
        let act = if node == Node::Top || node.is_array() {
            node.element(self.summary.content, kind)
        } else {
            self.act
        };
        let act = match (act, kind) {
            (Act::KeepOr(slot, _), Kind::String | Kind::Word) => Act::Keep(slot),
            (Act::KeepOr(_, node), _) => Act::Enter(node),
            (Act::Keep(Slot::Error), Kind::String) if self.summary.content == Content::OpenAi => {
                Act::Keep(Slot::ErrorText)
            }
            _ => act,
        };
        match act {
            Act::Enter(next) if next.fits(kind) && self.depth < DEEPEST => {
                self.is_object |= kind == Kind::Object;
                self.path[self.depth] = next;
                self.depth += 1;
                if next.is_usage() {
                    self.counts = Counts::default();
                }
                Want::Enter
            }
            Act::Keep(slot) => {
                self.slot = slot;
                slot.want(kind)
            }
            Act::Data if kind == Kind::Object => {
                self.found_content();
                Want::Skip
            }
            Act::Samples if kind == Kind::Array => {
                self.found_samples();
                Want::Skip
            }
            _ => Want::Skip,
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        match self.slot {
            Slot::Error => self.set_error(text),
            Slot::Finish | Slot::Status => self.set_finish(text),
            Slot::Block => {
                set(&mut self.summary.block_reason, text);
                self.useful = true;
            }
            Slot::Filtered => self.set_filtered(text),
            Slot::ModelVersion => set(&mut self.summary.model_version, text),
            Slot::ResponseId => set(&mut self.summary.response_id, text),
            Slot::EnvironmentId => set(&mut self.summary.environment_id, text),
            Slot::EventType => self.ended |= text == b"interaction.completed",
            Slot::Type => self.step_type(text),
            Slot::OutputEvent => self.output_event(text),
            Slot::OutputType => self.output_type(text),
            Slot::ResponseStatus => self.set_status(text),
            Slot::ErrorCode => self.flat_error.code = text.to_vec(),
            Slot::ErrorMessage => self.flat_error.message = text.to_vec(),
            Slot::ErrorText => self.flat_error.set_text(text),
            Slot::Deferred => self.set_finish(DEFERRED.as_bytes()),
            Slot::CostTicks if whole => self.set_cost(text, NANODOLLARS_PER_TICK),
            Slot::Cost if whole => self.set_cost(text, NANODOLLARS),
            Slot::Done => {
                let is_end = text == b"DONE";
                self.ended |= is_end;
                self.is_known |= is_end;
            }
            Slot::Text if !text.is_empty() => self.found_content(),
            Slot::Reasoning if !text.is_empty() => {
                self.summary.has_thoughts = true;
                self.found_content();
            }
            Slot::Thought => self.summary.has_thoughts |= text == b"true",
            Slot::Text | Slot::Reasoning | Slot::CostTicks | Slot::Cost => {}
            slot => self.counts.set(slot, text),
        }
    }

    fn leave(&mut self, end: usize) {
        let left = self.node();
        self.depth = self.depth.saturating_sub(1);
        match left {
            Node::Usage | Node::InteractionUsage => {
                self.summary.usage = Some(self.counts.googles());
            }
            Node::ResourceUsage | Node::OpenAi(openai::Node::Usage) => {
                self.summary.usage = self.counts.by_total().or(self.summary.usage);
            }
            Node::Answer
            | Node::Resource
            | Node::Interaction
            | Node::OpenAi(openai::Node::Answer)
                if self.is_between_events() =>
            {
                self.end_answer(end);
            }
            Node::List => self.element_end = end,
            _ => {}
        }
    }
}

impl FlatError {
    fn set_text(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.is_error = true;
            self.message = text.to_vec();
        }
    }

    /// The error as an object, if it was one; cleared for the next event.
    fn take(&mut self) -> Option<Vec<u8>> {
        let Self {
            is_error,
            code,
            message,
        } = std::mem::take(self);
        let quoted = |name: &[u8], text: &[u8]| [name, b":\"", text, b"\""].concat();
        is_error.then(|| {
            let code = quoted(b"{\"code\"", &code);
            let message = quoted(b",\"message\"", &message);
            [code, message, b"}".to_vec()].concat()
        })
    }
}

/// Whether a member that is read so is one that only such answers have.
fn tells_shape(act: Act) -> bool {
    matches!(
        act,
        Act::Enter(_)
            | Act::Data
            | Act::Samples
            | Act::Keep(
                Slot::Error | Slot::Finish | Slot::OutputEvent | Slot::ResponseStatus | Slot::Text
            )
    )
}

/// Sets a text without allocating where it stays the same, as it does over the events of a stream.
fn set(slot: &mut Option<Box<str>>, text: &[u8]) {
    if slot.as_deref().map(str::as_bytes) != Some(text) {
        *slot = Some(String::from_utf8_lossy(text).into());
    }
}
