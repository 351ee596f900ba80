//! A stream, event by event. Each choice begins with a chunk of its role and ends with one of its finish; the counts
//! come behind the last, and then `[DONE]`, if the stream has come to its own end.

use serde::Serialize;
use serde_json::{Value, json};
use wire::sse;

use super::choice::{Finish, translate_call};
use super::document::Collected;
use super::failure::Failure;
use super::{Object, head, usage};
use crate::Translate;
use crate::gigachat::Asked;

/// The largest event that is taken, in bytes: a call comes whole, with all its arguments.
const LARGEST_EVENT: usize = 4 * 1024 * 1024;
/// The most choices that are followed; who asks for more gets an error.
const MOST_CHOICES: u64 = 128;

/// The translator of a chat in events.
#[derive(Debug)]
pub(super) struct Stream {
    lines: sse::Reader,
    event: Collected,
    chunks: Chunks,
}

/// How far a choice has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    has_begun: bool,
    has_call: bool,
    is_over: bool,
}

/// What has been said so far.
#[derive(Debug)]
struct Chunks {
    asked: Asked,
    /// `id`, `object`, `created` and `model` of the first event: they stay the same.
    head: Option<Object>,
    choices: Vec<Progress>,
    calls: u32,
    usage: Option<Value>,
    /// Nothing is said any more: after `[DONE]`, or an error.
    is_closed: bool,
}

/// A chunk as it is written. What it begins with was taken out of the rest, so that no name comes twice.
#[derive(Serialize)]
struct Chunk<'a> {
    #[serde(flatten)]
    head: Option<&'a Object>,
    choices: &'a [Object],
    #[serde(flatten)]
    rest: &'a Object,
}

impl Stream {
    pub(super) fn new(asked: Asked) -> Self {
        Self {
            lines: sse::Reader::default(),
            event: Collected::new(LARGEST_EVENT),
            chunks: Chunks {
                asked,
                head: None,
                choices: Vec::new(),
                calls: 0,
                usage: None,
                is_closed: false,
            },
        }
    }
}

impl Translate for Stream {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let (event, chunks) = (&mut self.event, &mut self.chunks);
        self.lines.push(chunk, |piece| match piece {
            _ if chunks.is_closed => {}
            sse::Piece::Data(data) => event.push(data),
            sse::Piece::End => chunks.event(event, out),
        });
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.chunks.is_closed {
            return;
        }
        // The last event may lack its blank line, as a bare error does.
        if !self.event.is_empty() {
            self.chunks.event(&mut self.event, out);
        }
        self.chunks.end(out);
    }
}

impl Chunks {
    fn event(&mut self, event: &mut Collected, out: &mut Vec<u8>) {
        if event.is(b"[DONE]") {
            event.clear();
            self.end(out);
        } else if let Err(failure) = event.take().and_then(|event| self.translate(event, out)) {
            write(out, &failure.to_json());
            self.is_closed = true;
        }
    }

    fn translate(&mut self, mut event: Object, out: &mut Vec<u8>) -> Result<(), Failure> {
        let choices = match event.shift_remove("choices") {
            Some(Value::Array(choices)) => choices,
            _ => match Failure::told(&event) {
                Some(failure) => return Err(failure),
                None => Vec::new(),
            },
        };
        if let Some(usage) = event
            .shift_remove("usage")
            .and_then(|usage| usage::translate(&usage))
        {
            self.usage = Some(usage);
        }
        let first = head(&self.asked, "chat.completion.chunk", &mut event);
        self.head.get_or_insert(first);
        for choice in choices {
            if let Value::Object(choice) = choice {
                self.choice(choice, &event, out)?;
            }
        }
        self.write_usage(out);
        Ok(())
    }

    fn choice(
        &mut self,
        mut choice: Object,
        rest: &Object,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let index = index_of(&choice)?;
        let mut delta = match choice.shift_remove("delta") {
            Some(Value::Object(delta)) => delta,
            _ => Object::new(),
        };
        let finish = choice.shift_remove("finish_reason");
        let finish = finish.as_ref().and_then(Value::as_str).map(Finish::of);
        let mut progress = self.progress(index as usize);
        if progress.is_over {
            return Ok(());
        }
        self.delta(&mut delta, finish, &mut progress);
        if !progress.has_begun && (finish.is_some() || !delta.is_empty()) {
            progress.has_begun = true;
            let role = json!({"role": "assistant", "content": ""});
            let role = chunk_of(index, role, Value::Null);
            self.write_chunk(&[role], &Object::new(), out);
        }
        if !delta.is_empty() {
            choice.insert("index".to_owned(), json!(index));
            choice.insert("delta".to_owned(), Value::Object(delta));
            choice.insert("finish_reason".to_owned(), Value::Null);
            self.write_chunk(&[choice], rest, out);
        }
        if let Some(finish) = finish {
            progress.is_over = true;
            let reason = finish.reason(self.asked.calls, progress.has_call);
            let last = chunk_of(index, json!({}), json!(reason));
            self.write_chunk(&[last], &Object::new(), out);
        }
        self.choices[index as usize] = progress;
        Ok(())
    }

    /// Leaves of a delta what is to be said. GigaChat tells of what it does itself in roles of their own: not that.
    fn delta(&mut self, delta: &mut Object, finish: Option<Finish>, progress: &mut Progress) {
        let role = delta.shift_remove("role");
        if role.is_some_and(|role| role != "assistant" && role != "") {
            delta.clear();
        }
        if finish == Some(Finish::Error) {
            delta.shift_remove("function_call");
        }
        if translate_call(delta, &self.asked, self.calls) {
            self.calls += 1;
            progress.has_call = true;
            if let Some(call) = delta
                .get_mut("tool_calls")
                .and_then(|calls| calls.get_mut(0))
            {
                call["index"] = json!(0);
            }
        }
        delta.retain(|_, value| !value.is_null() && *value != "");
    }

    fn progress(&mut self, index: usize) -> Progress {
        if self.choices.len() <= index {
            self.choices.resize(index + 1, Progress::default());
        }
        self.choices[index]
    }

    /// The counts, once nothing else is to come as far as it is known.
    fn write_usage(&mut self, out: &mut Vec<u8>) {
        let is_over = |choice: &Progress| choice.is_over || !choice.has_begun;
        if !self.has_finished() || !self.choices.iter().all(is_over) {
            return;
        }
        if let Some(usage) = self.usage.take() {
            let usage = Object::from_iter([("usage".to_owned(), usage)]);
            self.write_chunk(&[], &usage, out);
        }
    }

    fn write_chunk(&self, choices: &[Object], rest: &Object, out: &mut Vec<u8>) {
        let chunk = Chunk {
            head: self.head.as_ref(),
            choices,
            rest,
        };
        // Maps of strings and values cannot fail to be written.
        write(out, &serde_json::to_vec(&chunk).unwrap_or_default());
    }

    fn has_finished(&self) -> bool {
        self.choices.iter().any(|choice| choice.is_over)
    }

    /// The stream has ended. One that has not said why has broken off: the caller gets no `[DONE]`.
    fn end(&mut self, out: &mut Vec<u8>) {
        let is_open = |choice: &Progress| choice.has_begun && !choice.is_over;
        if self.has_finished() && !self.choices.iter().any(is_open) {
            write(out, b"[DONE]");
        }
        self.is_closed = true;
    }
}

fn index_of(choice: &Object) -> Result<u64, Failure> {
    let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
    if index >= MOST_CHOICES {
        let text = format!("the provider's answer has more than {MOST_CHOICES} choices");
        return Err(Failure::not_understood(&text));
    }
    Ok(index)
}

fn chunk_of(index: u64, delta: Value, finish: Value) -> Object {
    Object::from_iter([
        ("index".to_owned(), json!(index)),
        ("delta".to_owned(), delta),
        ("finish_reason".to_owned(), finish),
    ])
}

fn write(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}
