//! The events of an Agent API's stream, read as they come. Of an event only the few values that matter are kept: the
//! last one repeats the whole answer, and is never held. `stream.rs` makes chunks of them.

use serde_json::Value;
use wire::json::{Kind, Visitor, Want};

/// Bytes that are kept of one event, search results apart.
const ROOM: usize = 1024 * 1024;
/// Bytes of search results that are kept of one event.
const RESULTS_ROOM: usize = 256 * 1024;
/// What a value counts beside its bytes, so that many small ones are not free.
const OVERHEAD: usize = 64;

/// A value that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Kind,
    Delta,
    Arguments,
    Results,
    Error,
    Code,
    Message,
    ItemId,
    OutputIndex,
    Id,
    CallId,
    Name,
    Signature,
    CreatedAt,
    Status,
    Usage,
    /// Why a response is incomplete.
    Reason,
    /// What a part of a message says, or refuses.
    Text,
    Refusal,
}

impl Slot {
    /// Bytes that are kept of one value.
    fn most(self) -> usize {
        match self {
            Self::Delta | Self::Arguments | Self::Text | Self::Refusal => ROOM,
            Self::Results => RESULTS_ROOM,
            Self::Error | Self::Message | Self::Usage | Self::Signature => 16 * 1024,
            _ => 1024,
        }
    }
}

/// A container that is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Event,
    Item,
    Response,
    Outputs,
    Incomplete,
    /// The `content` of a message.
    Parts,
    Part,
}

#[derive(Clone, Copy, Debug, Default)]
enum Act {
    #[default]
    Skip,
    Enter(Node),
    Keep(Slot),
}

impl Node {
    fn member(self, name: &[u8]) -> Act {
        match self {
            Self::Event => event(name),
            Self::Item => item(name),
            Self::Response => response(name),
            Self::Incomplete if name == b"reason" => Act::Keep(Slot::Reason),
            Self::Part if name == b"text" => Act::Keep(Slot::Text),
            Self::Part if name == b"refusal" => Act::Keep(Slot::Refusal),
            Self::Incomplete | Self::Outputs | Self::Parts | Self::Part => Act::Skip,
        }
    }

    fn fits(self, kind: Kind) -> bool {
        kind == if matches!(self, Self::Outputs | Self::Parts) {
            Kind::Array
        } else {
            Kind::Object
        }
    }
}

fn event(name: &[u8]) -> Act {
    match name {
        b"type" => Act::Keep(Slot::Kind),
        b"delta" => Act::Keep(Slot::Delta),
        b"arguments" => Act::Keep(Slot::Arguments),
        b"results" => Act::Keep(Slot::Results),
        b"error" => Act::Keep(Slot::Error),
        b"code" => Act::Keep(Slot::Code),
        b"message" => Act::Keep(Slot::Message),
        b"item_id" => Act::Keep(Slot::ItemId),
        b"output_index" => Act::Keep(Slot::OutputIndex),
        b"item" => Act::Enter(Node::Item),
        b"response" => Act::Enter(Node::Response),
        _ => Act::Skip,
    }
}

fn item(name: &[u8]) -> Act {
    match name {
        b"type" => Act::Keep(Slot::Kind),
        b"id" => Act::Keep(Slot::Id),
        b"call_id" => Act::Keep(Slot::CallId),
        b"name" => Act::Keep(Slot::Name),
        b"arguments" => Act::Keep(Slot::Arguments),
        b"thought_signature" => Act::Keep(Slot::Signature),
        b"results" => Act::Keep(Slot::Results),
        b"content" => Act::Enter(Node::Parts),
        _ => Act::Skip,
    }
}

fn response(name: &[u8]) -> Act {
    match name {
        b"id" => Act::Keep(Slot::Id),
        b"created_at" => Act::Keep(Slot::CreatedAt),
        b"status" => Act::Keep(Slot::Status),
        b"error" => Act::Keep(Slot::Error),
        b"usage" => Act::Keep(Slot::Usage),
        b"incomplete_details" => Act::Enter(Node::Incomplete),
        b"output" => Act::Enter(Node::Outputs),
        _ => Act::Skip,
    }
}

/// Values of one object, each as JSON.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(Slot, Vec<u8>)>);

impl Fields {
    /// The last value of that name, as JSON.
    pub(super) fn json(&self, slot: Slot) -> Option<&str> {
        let mut found = self.0.iter().rev().filter(|(own, _)| *own == slot);
        std::str::from_utf8(&found.next()?.1).ok()
    }

    /// The same, if it is a text.
    pub(super) fn text(&self, slot: Slot) -> Option<String> {
        serde_json::from_str(self.json(slot)?).ok()
    }

    /// All texts of that name, one behind the other.
    pub(super) fn texts(&self, slot: Slot) -> String {
        let own = self.0.iter().filter(|(own, _)| *own == slot);
        let texts = own.filter_map(|(_, json)| serde_json::from_slice::<String>(json).ok());
        texts.collect()
    }

    /// The same as one, if it is a whole number.
    pub(super) fn number(&self, slot: Slot) -> Option<u64> {
        serde_json::from_str(self.json(slot)?).ok()
    }

    /// The same as a tree; null where there is none.
    pub(super) fn tree(&self, slot: Slot) -> Value {
        let json = self.json(slot).unwrap_or_default();
        serde_json::from_str(json).unwrap_or_default()
    }
}

/// What is kept of one event.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) own: Fields,
    pub(super) response: Fields,
    /// Its item, or the items of its response.
    pub(super) items: Vec<Fields>,
    /// Some text or arguments did not fit.
    pub(super) is_cut: bool,
}

/// The visitor of one event.
#[derive(Debug)]
pub(super) struct Reader {
    event: Event,
    path: Vec<Node>,
    act: Act,
    slot: Slot,
    is_text: bool,
    room: usize,
    results_room: usize,
    /// What messages say has been told in pieces, and is not kept once more.
    pub(super) has_said: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            event: Event::default(),
            path: Vec::new(),
            act: Act::default(),
            slot: Slot::Kind,
            is_text: false,
            room: ROOM,
            results_room: RESULTS_ROOM,
            has_said: false,
        }
    }
}

impl Reader {
    /// The event that has been read; the next one begins.
    pub(super) fn take(&mut self) -> Event {
        let next = Self {
            has_said: self.has_said,
            ..Self::default()
        };
        std::mem::replace(self, next).event
    }

    fn room(&mut self) -> &mut usize {
        if self.slot == Slot::Results {
            &mut self.results_room
        } else {
            &mut self.room
        }
    }

    fn enter(&mut self, node: Node) -> Want {
        if node == Node::Item {
            let Some(room) = self.room.checked_sub(OVERHEAD) else {
                return Want::Skip;
            };
            self.room = room;
            self.event.items.push(Fields::default());
        }
        self.path.push(node);
        Want::Enter
    }

    fn fields(&mut self) -> &mut Fields {
        match self.path.last() {
            Some(Node::Response | Node::Incomplete) => &mut self.event.response,
            Some(Node::Item | Node::Part) if !self.event.items.is_empty() => {
                let last = self.event.items.len() - 1;
                &mut self.event.items[last]
            }
            _ => &mut self.event.own,
        }
    }
}

impl Visitor for Reader {
    fn name(&mut self, name: &[u8]) {
        self.act = self.path.last().map_or(Act::Skip, |node| node.member(name));
    }

    fn begin(&mut self, kind: Kind) -> Want {
        let act = match self.path.last() {
            None => Act::Enter(Node::Event),
            Some(Node::Outputs) => Act::Enter(Node::Item),
            Some(Node::Parts) => Act::Enter(Node::Part),
            Some(_) => self.act,
        };
        match act {
            Act::Enter(Node::Parts) if self.has_said => Want::Skip,
            Act::Enter(node) if node.fits(kind) => self.enter(node),
            Act::Keep(slot) => {
                self.slot = slot;
                self.is_text = kind == Kind::String;
                Want::Keep(slot.most().min(*self.room()))
            }
            Act::Skip | Act::Enter(_) => Want::Skip,
        }
    }

    fn value(&mut self, text: &[u8], whole: bool) {
        let slot = self.slot;
        if !whole {
            self.event.is_cut |= matches!(
                slot,
                Slot::Delta | Slot::Arguments | Slot::Text | Slot::Refusal
            );
            return;
        }
        let room = self.room();
        *room = room.saturating_sub(text.len() + OVERHEAD);
        let quote: &[u8] = if self.is_text { b"\"" } else { b"" };
        let json = [quote, text, quote].concat();
        self.fields().0.push((slot, json));
    }

    fn leave(&mut self, _end: usize) {
        self.path.pop();
    }
}
