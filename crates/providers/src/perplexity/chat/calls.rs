//! Calls of the caller's own functions, in a chat's shape, and those that a stream has told of so far.

use serde::Serialize;
use serde_json::{Value, json};

use super::event::{Fields, Slot};
use crate::perplexity::fault::Fault;

/// A call, whole or a part of one. Parts are told apart by `index`, which whole calls do not have.
#[derive(Debug, Default, Serialize)]
pub(super) struct ToolCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    pub(super) function: Function<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Value>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
}

/// The signature of a call of a model of Google's, where chats carry it: in Google's own place.
pub(super) fn extra_content(signature: Option<&str>) -> Option<Value> {
    signature.map(|signature| json!({"google": {"thought_signature": signature}}))
}

/// What a call without arguments has.
pub(super) fn or_empty_object(arguments: &str) -> &str {
    if arguments.is_empty() {
        "{}"
    } else {
        arguments
    }
}

/// How much of a call its item has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// It has begun: its arguments may still come in pieces.
    Begun,
    /// It is over, and has all of its arguments.
    Whole,
}

/// A call that a stream has told of.
#[derive(Debug)]
struct Told {
    call_id: String,
    item_id: Option<String>,
    output_index: Option<u64>,
    /// Some of its arguments were told.
    has_arguments: bool,
}

/// The calls of one stream, in order; their places are their indexes.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Told>);

impl Calls {
    /// More calls than any model makes at once.
    const MOST: usize = 128;

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells what the item of a call has that was not told before.
    pub(super) fn item(
        &mut self,
        item: &Fields,
        output_index: Option<u64>,
        extent: Extent,
        mut tell: impl FnMut(ToolCall<'_>),
    ) -> Result<(), Fault> {
        let item_id = item.text(Slot::Id);
        let call_id = item.text(Slot::CallId).or_else(|| item_id.clone());
        let call_id = call_id.unwrap_or_else(|| format!("call_{}", self.0.len()));
        let known = self.0.iter().position(|told| told.call_id == call_id);
        let index = match known {
            Some(index) => index,
            None if self.0.len() == Self::MOST => {
                let message = format!("the provider made more than {} calls", Self::MOST);
                return Err(Fault::found(message));
            }
            None => {
                let name = item.text(Slot::Name).unwrap_or_default();
                let signature = item.text(Slot::Signature);
                tell(begun(self.0.len(), &call_id, &name, signature.as_deref()));
                self.0.push(Told {
                    call_id,
                    item_id,
                    output_index,
                    has_arguments: false,
                });
                self.0.len() - 1
            }
        };
        let told = &mut self.0[index];
        if extent == Extent::Whole && !std::mem::replace(&mut told.has_arguments, true) {
            let arguments = item.text(Slot::Arguments).unwrap_or_default();
            tell(piece(index, or_empty_object(&arguments)));
        }
        Ok(())
    }

    /// Tells a piece of a call's arguments, or all of them behind the last piece, which only counts where there was none.
    pub(super) fn arguments(
        &mut self,
        event: &Fields,
        slot: Slot,
        tell: impl FnOnce(ToolCall<'_>),
    ) {
        let Some(index) = self.of_piece(event) else {
            return;
        };
        let told = &mut self.0[index];
        let arguments = event.text(slot).unwrap_or_default();
        let is_repetition = slot == Slot::Arguments && told.has_arguments;
        if !is_repetition && !arguments.is_empty() {
            told.has_arguments = true;
            tell(piece(index, &arguments));
        }
    }

    /// The call that a piece of arguments belongs to: by its item, or else by the last that had this place in the
    /// output, since places are used twice. None where it is not the caller's.
    fn of_piece(&self, event: &Fields) -> Option<usize> {
        if let Some(item_id) = event.text(Slot::ItemId) {
            let is_its = |told: &Told| told.item_id.as_ref() == Some(&item_id);
            return self.0.iter().rposition(is_its);
        }
        let place = event.number(Slot::OutputIndex)?;
        let is_its = |told: &Told| told.output_index == Some(place);
        self.0.iter().rposition(is_its)
    }
}

fn begun<'a>(index: usize, id: &'a str, name: &'a str, signature: Option<&str>) -> ToolCall<'a> {
    ToolCall {
        index: Some(index),
        id: Some(id),
        kind: Some("function"),
        function: Function {
            name: Some(name),
            arguments: "",
        },
        extra_content: extra_content(signature),
    }
}

fn piece(index: usize, arguments: &str) -> ToolCall<'_> {
    ToolCall {
        index: Some(index),
        function: Function {
            name: None,
            arguments,
        },
        ..ToolCall::default()
    }
}
