//! The walk over one answer: what the JSON scanner finds becomes facts in the [`Summary`].
//! The rows of `fields.rs` say which members are looked at; usage follows the rule of Google's own counts.

use domain::Usage;

use crate::json::{Kind, Visitor, Want};

use super::fields::{Act, Node, Slot};
use super::{Content, Finish, Summary};

/// Containers entered within each other: more than any row of the table leads to.
const DEEPEST: usize = 12;

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
    /// The interaction's stream has said that it is over.
    pub(super) ended: bool,
    /// The offset behind the last element, or the array itself, in the slice being pushed.
    pub(super) element_end: usize,
    path: [Node; DEEPEST],
    depth: usize,
    act: Act,
    slot: Slot,
    /// No member of the document has begun.
    first_member: bool,
    /// Videos that were not held back.
    has_samples: bool,
    counts: Counts,
}

/// Token counts of the usage object being read.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    prompt: u32,
    cached: u32,
    output: u32,
    thoughts: u32,
    tool: u32,
    total: Option<u32>,
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
            has_samples: false,
            counts: Counts::default(),
        }
    }

    /// Prepares for another document of the same answer.
    pub(super) fn next_document(&mut self) {
        self.depth = 0;
        self.first_member = true;
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

    fn count(&mut self, slot: Slot, text: &[u8]) {
        let Some(number) = number(text) else { return };
        let counts = &mut self.counts;
        match slot {
            Slot::Prompt => counts.prompt = number,
            Slot::Cached => counts.cached = number,
            Slot::Output => counts.output = number,
            Slot::Thoughts => counts.thoughts = number,
            Slot::Tool => counts.tool = number,
            _ => counts.total = Some(number),
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
        if node == Node::Resource {
            self.resource_member();
        }
        self.first_member = false;
    }

    fn begin(&mut self, kind: Kind) -> Want {
        let node = self.node();
        let act = match node {
            Node::Top | Node::List | Node::Candidates | Node::Parts | Node::Steps | Node::Items => {
                node.element(self.summary.content, kind)
            }
            _ => self.act,
        };
        match act {
            Act::Enter(next) if next.fits(kind) && self.depth < DEEPEST => {
                self.path[self.depth] = next;
                self.depth += 1;
                if matches!(next, Node::Usage | Node::InteractionUsage) {
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

    fn value(&mut self, text: &[u8], _whole: bool) {
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
            Slot::EventType => self.ended |= text == b"interaction.completed",
            Slot::Type => self.step_type(text),
            Slot::Text if !text.is_empty() => self.found_content(),
            Slot::Thought => self.summary.has_thoughts |= text == b"true",
            Slot::Text => {}
            slot => self.count(slot, text),
        }
    }

    fn leave(&mut self, end: usize) {
        let left = self.node();
        self.depth = self.depth.saturating_sub(1);
        match left {
            Node::Usage | Node::InteractionUsage => {
                self.summary.usage = Some(self.counts.usage());
            }
            Node::Answer | Node::Resource | Node::Interaction if self.is_between_events() => {
                self.summary.events = self.summary.events.saturating_add(1);
                self.element_end = end;
                self.first_member = true;
            }
            Node::List => self.element_end = end,
            _ => {}
        }
    }
}

impl Counts {
    /// Output usually excludes thoughts; it includes them where the total adds up without them.
    fn usage(self) -> Usage {
        let visible = self
            .prompt
            .saturating_add(self.output)
            .saturating_add(self.tool);
        let included = self.total == Some(visible) && self.output >= self.thoughts;
        let output = if included {
            self.output
        } else {
            self.output.saturating_add(self.thoughts)
        };
        Usage {
            prompt: self.prompt,
            output,
            reasoning: self.thoughts,
            cached: self.cached,
            tool: self.tool,
            total: self
                .total
                .unwrap_or_else(|| self.prompt.saturating_add(output).saturating_add(self.tool)),
        }
    }
}

/// Sets a text without allocating where it stays the same, as it does over the events of a stream.
fn set(slot: &mut Option<Box<str>>, text: &[u8]) {
    if slot.as_deref().map(str::as_bytes) != Some(text) {
        *slot = Some(String::from_utf8_lossy(text).into());
    }
}

/// A count; what is larger than a `u32` is cut to it, and what is no count is none.
fn number(text: &[u8]) -> Option<u32> {
    let number: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}
