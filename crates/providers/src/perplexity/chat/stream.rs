//! A stream of the Agent API as a stream of a chat's chunks, event by event. It keeps what was found and which calls were
//! told, and nothing of what was said. `event.rs` reads the events, `chunk.rs` writes the chunks.

use wire::{json, sse};

use super::calls::{Calls, Extent, ToolCall};
use super::chunk::{Delta, Found, Output};
use super::event::{Event, Fields, Reader, Slot};
use super::markers::Markers;
use super::sources::Sources;
use super::{Asked, finish_reason, is_failure, usage};
use crate::Translate;
use crate::perplexity::fault::Fault;

/// Bytes of sources that are kept for the last chunk, which repeats them.
const SOURCES_ROOM: usize = 32 * 1024;

/// The translator of one stream.
#[derive(Debug)]
pub(super) struct Stream {
    lines: sse::Reader,
    scanner: json::Scanner,
    reader: Reader,
    chat: Chat,
}

/// What was told to the caller, and what the rest needs of it.
#[derive(Debug)]
struct Chat {
    asked: Asked,
    output: Output,
    calls: Calls,
    sources: Sources,
    markers: Markers,
    /// Some of what the message says, or refuses, was told.
    has_said: bool,
    /// The answer has come to its end, or failed: nothing follows.
    is_over: bool,
}

impl Stream {
    pub(super) fn new(asked: Asked) -> Self {
        let chat = Chat {
            output: Output::new(asked.model.clone(), asked.created),
            asked,
            calls: Calls::default(),
            sources: Sources::new(SOURCES_ROOM),
            markers: Markers::default(),
            has_said: false,
            is_over: false,
        };
        Self {
            lines: sse::Reader::default(),
            scanner: json::Scanner::default(),
            reader: Reader::default(),
            chat,
        }
    }
}

impl Translate for Stream {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let (scanner, reader, chat) = (&mut self.scanner, &mut self.reader, &mut self.chat);
        self.lines.push(chunk, |piece| match piece {
            sse::Piece::Data(data) => scanner.push(data, reader),
            sse::Piece::End => chat.end_event(scanner, reader, out),
        });
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        // The last event may lack its blank line, as an error without `data:` does.
        if self.scanner.is_done() {
            self.chat
                .end_event(&mut self.scanner, &mut self.reader, out);
        }
    }
}

impl Chat {
    fn end_event(&mut self, scanner: &mut json::Scanner, reader: &mut Reader, out: &mut Vec<u8>) {
        let (is_whole, is_empty) = (scanner.is_done(), !scanner.is_started());
        *scanner = json::Scanner::default();
        let event = reader.take();
        if self.is_over || is_empty {
            return;
        }
        let told = if is_whole {
            self.event(&event, out)
        } else {
            Err(Fault::found("the provider sent an event that is not JSON"))
        };
        if let Err(fault) = told {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(&fault.to_json());
            out.extend_from_slice(b"\n\n");
            self.is_over = true;
        }
        reader.has_said = self.has_said;
    }

    /// Tells what an event says; events that are not known here say nothing.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Fault> {
        let head = &event.response;
        self.output
            .head(head.text(Slot::Id), head.number(Slot::CreatedAt));
        let kind = event.own.text(Slot::Kind).unwrap_or_default();
        match kind.as_str() {
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.reasoning_text.delta"
            | "response.reasoning_summary_text.delta" => self.piece(&kind, event, out)?,
            "response.reasoning.search_results" => self.found(&event.own, out),
            "response.output_item.added" => self.items(event, Extent::Begun, out)?,
            "response.output_item.done" => self.items(event, Extent::Whole, out)?,
            "response.function_call_arguments.delta" => self.arguments(event, Slot::Delta, out)?,
            "response.function_call_arguments.done" => {
                self.arguments(event, Slot::Arguments, out)?;
            }
            "response.completed" | "response.incomplete" => self.end(event, out)?,
            "response.cancelled" => return Err(failure(event, "cancelled")),
            "response.failed" | "error" => return Err(failure(event, "failed")),
            // No event of theirs, but an error document in place of a stream.
            "" if event.own.tree(Slot::Error).is_object() => return Err(failure(event, "failed")),
            _ => {}
        }
        Ok(())
    }

    /// Tells a piece of what is said, refused or thought.
    fn piece(&mut self, kind: &str, event: &Event, out: &mut Vec<u8>) -> Result<(), Fault> {
        check_whole(event)?;
        let text = event.own.text(Slot::Delta).unwrap_or_default();
        if text.is_empty() {
            return Ok(());
        }
        let mut delta = Delta::default();
        match kind {
            "response.output_text.delta" => {
                self.has_said = true;
                self.markers.push(&text);
                delta.content = Some(&text);
            }
            "response.refusal.delta" => {
                self.has_said = true;
                delta.refusal = Some(&text);
            }
            _ => delta.reasoning_content = Some(&text),
        }
        self.output.tell(delta, out);
        Ok(())
    }

    /// Tells all sources when there are new ones among these.
    fn found(&mut self, fields: &Fields, out: &mut Vec<u8>) {
        if self.sources.add(&fields.tree(Slot::Results)) {
            self.output.tell_found(Found::of(&self.sources), out);
        }
    }

    /// Tells what the messages of the whole response say: no event before has told any of it.
    fn said_at_last(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Fault> {
        check_whole(event)?;
        let is_message = |item: &&Fields| item.text(Slot::Kind).as_deref() == Some("message");
        for item in event.items.iter().filter(is_message) {
            let (text, refusal) = (item.texts(Slot::Text), item.texts(Slot::Refusal));
            if text.is_empty() && refusal.is_empty() {
                continue;
            }
            self.markers.push(&text);
            let mut delta = Delta::default();
            delta.content = (!text.is_empty()).then_some(&*text);
            delta.refusal = (!refusal.is_empty()).then_some(&*refusal);
            self.output.tell(delta, out);
        }
        Ok(())
    }

    fn items(&mut self, event: &Event, extent: Extent, out: &mut Vec<u8>) -> Result<(), Fault> {
        let place = event.own.number(Slot::OutputIndex);
        for item in &event.items {
            match item.text(Slot::Kind).unwrap_or_default().as_str() {
                "search_results" => self.found(item, out),
                "function_call" if self.is_callers(item) => {
                    check_whole(event)?;
                    let output = &mut self.output;
                    let tell = |call: ToolCall<'_>| output.tell(Delta::of_call(call), out);
                    self.calls.item(item, place, extent, tell)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The call is of the caller's own function; others are the provider's searches and the like.
    fn is_callers(&self, item: &Fields) -> bool {
        let name = item.text(Slot::Name);
        name.is_some_and(|name| self.asked.has_function(&name))
    }

    fn arguments(&mut self, event: &Event, slot: Slot, out: &mut Vec<u8>) -> Result<(), Fault> {
        check_whole(event)?;
        let output = &mut self.output;
        let tell = |call: ToolCall<'_>| output.tell(Delta::of_call(call), out);
        self.calls.arguments(&event.own, slot, tell);
        Ok(())
    }

    /// The answer is over. What its last event has and no other had is told before.
    fn end(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Fault> {
        let status = event.response.text(Slot::Status).unwrap_or_default();
        if is_failure(&status) || event.response.tree(Slot::Error).is_object() {
            return Err(failure(event, &status));
        }
        if !self.has_said {
            self.said_at_last(event, out)?;
        }
        self.items(event, Extent::Whole, out)?;
        let reason = event.response.text(Slot::Reason);
        let finish = finish_reason(&status, reason.as_deref(), !self.calls.is_empty());
        let annotations = self.markers.annotations(&self.sources);
        self.output
            .tell_end(finish, annotations, Found::of(&self.sources), out);
        let counted = event.response.json(Slot::Usage);
        if let Some(usage) = counted.and_then(usage::of_chat) {
            self.output.tell_usage(usage, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.is_over = true;
        Ok(())
    }
}

/// What cannot be passed on whole is not left out silently.
fn check_whole(event: &Event) -> Result<(), Fault> {
    if event.is_cut {
        Err(Fault::found("the provider sent an event that is too large"))
    } else {
        Ok(())
    }
}

/// The error of the response, else that of the event, which may have the error's members itself.
fn failure(event: &Event, status: &str) -> Fault {
    let error = match event.response.tree(Slot::Error) {
        serde_json::Value::Null => event.own.tree(Slot::Error),
        error => error,
    };
    let mut fault = Fault::of_answer(&error, status);
    if error.is_null()
        && let Some(message) = event.own.text(Slot::Message)
    {
        fault.message = message;
        fault.code = event.own.text(Slot::Code).unwrap_or_default();
    }
    fault
}
