//! The shapes of a chat completion's chunks, and the writer of a stream of them.

use serde::Serialize;

use super::calls::ToolCall;
use super::markers::Annotation;
use super::sources::{Source, Sources};
use crate::perplexity::members::Members;

/// The id of an answer that the provider gave none.
pub(super) const NO_ID: &str = "chatcmpl";

#[derive(Debug, Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Members<'a>>,
    #[serde(flatten)]
    found: Found<'a>,
}

/// What the web search found; nothing where that is no news.
#[derive(Debug, Default, Serialize)]
pub(super) struct Found<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    citations: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_results: Option<Vec<&'a Source>>,
}

impl<'a> Found<'a> {
    pub(super) fn of(sources: &'a Sources) -> Self {
        Self {
            citations: sources.citations(),
            search_results: sources.results(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Choice<'a> {
    index: u8,
    delta: Delta<'a>,
    finish_reason: Option<&'static str>,
}

impl<'a> Choice<'a> {
    fn of(delta: Delta<'a>) -> Self {
        Self {
            index: 0,
            delta,
            finish_reason: None,
        }
    }
}

/// What a chunk adds to the message.
#[derive(Debug, Default, Serialize)]
pub(super) struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'a>>,
}

impl<'a> Delta<'a> {
    /// A call, or a part of one.
    pub(super) fn of_call(call: ToolCall<'a>) -> Self {
        Self {
            tool_calls: Some([call]),
            ..Self::default()
        }
    }
}

/// The writer of one stream's chunks.
#[derive(Debug)]
pub(super) struct Output {
    model: String,
    id: Option<String>,
    created: u64,
    has_begun: bool,
}

impl Output {
    /// A stream that has not begun; `created` stands for the provider's time until that is known.
    pub(super) fn new(model: String, created: u64) -> Self {
        Self {
            model,
            id: None,
            created,
            has_begun: false,
        }
    }

    /// Takes in what all chunks have in common. It cannot change any more once there has been one.
    pub(super) fn head(&mut self, id: Option<String>, created: Option<u64>) {
        if !self.has_begun {
            self.id = id.or(self.id.take());
            self.created = created.unwrap_or(self.created);
        }
    }

    /// A chunk with an addition to the message.
    pub(super) fn tell(&mut self, delta: Delta<'_>, out: &mut Vec<u8>) {
        self.write(delta, None, Found::default(), out);
    }

    /// A chunk with nothing but what the web search found.
    pub(super) fn tell_found(&mut self, found: Found<'_>, out: &mut Vec<u8>) {
        self.write(Delta::default(), None, found, out);
    }

    /// The last chunk of the message.
    pub(super) fn tell_end(
        &mut self,
        finish_reason: &'static str,
        annotations: Vec<Annotation<'_>>,
        found: Found<'_>,
        out: &mut Vec<u8>,
    ) {
        let delta = Delta {
            annotations,
            ..Delta::default()
        };
        self.write(delta, Some(finish_reason), found, out);
    }

    /// The chunk that is only about what it cost.
    pub(super) fn tell_usage(&self, usage: Members<'_>, out: &mut Vec<u8>) {
        let chunk = self.chunk(&[], Found::default());
        let usage = Some(usage);
        write_event(&Chunk { usage, ..chunk }, out);
    }

    /// Writes a chunk; the first is preceded by one with the role.
    fn write(
        &mut self,
        delta: Delta<'_>,
        finish_reason: Option<&'static str>,
        found: Found<'_>,
        out: &mut Vec<u8>,
    ) {
        if !std::mem::replace(&mut self.has_begun, true) {
            let role = Choice::of(Delta {
                role: Some("assistant"),
                content: Some(""),
                ..Delta::default()
            });
            write_event(&self.chunk(&[role], Found::default()), out);
        }
        let choice = Choice {
            finish_reason,
            ..Choice::of(delta)
        };
        write_event(&self.chunk(&[choice], found), out);
    }

    fn chunk<'a>(&'a self, choices: &'a [Choice<'a>], found: Found<'a>) -> Chunk<'a> {
        Chunk {
            id: self.id.as_deref().unwrap_or(NO_ID),
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices,
            usage: None,
            found,
        }
    }
}

/// Appends `data: {…}` as one event.
fn write_event(data: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(b"data: ");
    match serde_json::to_writer(&mut *out, data) {
        Ok(()) => out.extend_from_slice(b"\n\n"),
        Err(_) => out.truncate(start),
    }
}
