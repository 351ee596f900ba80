//! Streams on the wire: events framed as server-sent events, as Google's JSON array, or as the
//! OpenAI-compatible and Interactions paths do; and where a scripted fault breaks them off.
//! What the events say is decided in the providers' folders.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::body::Ending;
use crate::reply::{Content, JSON, Reply, SSE, pretty};
use crate::rule::{Midway, Then};

/// The framing of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `alt=sse`: `data: {…}` with CRLF.
    Sse,
    /// `[{…}\r\n,\r\n{…}]`.
    Array,
    /// `data: {…}` with LF and a final `data: [DONE]`.
    OpenAi,
    /// `event: …`, `data: {…}` with LF and a final `data: [DONE]`.
    Interactions,
    /// `event: …`, `data: {…}` with LF and no terminator: the Responses dialect.
    Responses,
}

impl Framing {
    /// The JSON of one event as this framing writes it.
    pub(crate) fn json(self, value: &impl Serialize) -> String {
        let bytes = match self {
            Self::Sse => spaced(value),
            Self::Array => pretty(value).to_vec(),
            Self::OpenAi | Self::Interactions | Self::Responses => {
                serde_json::to_vec(value).unwrap_or_default()
            }
        };
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// Frames one event; `name` is used by the framings that name their events.
    pub(crate) fn frame(self, index: usize, name: &str, json: &str) -> Bytes {
        let text = match self {
            Self::Sse => format!("data: {json}\r\n\r\n"),
            Self::Array if index == 0 => format!("[{json}"),
            Self::Array => format!("\r\n,\r\n{json}"),
            Self::OpenAi => format!("data: {json}\n\n"),
            Self::Interactions | Self::Responses => format!("event: {name}\ndata: {json}\n\n"),
        };
        text.into()
    }

    /// What a finished stream ends with.
    pub(crate) fn closing(self) -> Option<Bytes> {
        match self {
            Self::Sse | Self::Responses => None,
            Self::Array => Some(Bytes::from_static(b"\r\n]\r\n")),
            Self::OpenAi | Self::Interactions => Some(Bytes::from_static(b"data: [DONE]\n\n")),
        }
    }

    fn content_type(self) -> &'static str {
        if self == Self::Array { JSON } else { SSE }
    }
}

/// One event of a stream.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) json: String,
}

impl Event {
    /// An event of a framing that does not name its events.
    pub(crate) fn plain(json: String) -> Self {
        Self { name: "", json }
    }
}

/// Builds the reply that sends these events, broken off where `midway` says.
pub(crate) fn reply(
    framing: Framing,
    events: &[Event],
    pause: Duration,
    midway: Option<&Midway>,
) -> Reply {
    let good = midway.map_or(events.len(), |m| m.after.min(events.len()));
    let frame = |(index, event): (usize, &Event)| framing.frame(index, event.name, &event.json);
    let mut framed: Vec<Bytes> = events[..good].iter().enumerate().map(frame).collect();
    let mut failed = false;
    let ending = match midway.map(|m| &m.then) {
        None | Some(Then::End) => Ending::Proper,
        Some(Then::Stall) => Ending::Stall,
        Some(Then::Reset) => Ending::Reset,
        Some(Then::Cut) => Ending::Cut,
        Some(Then::Error(refusal)) => {
            framed.push(framing.frame(good, "error", &refusal.one_line()));
            failed = true;
            Ending::Proper
        }
    };
    if ending == Ending::Proper
        && !(failed && framing == Framing::OpenAi)
        && let Some(closing) = framing.closing()
    {
        // The bracket belongs to the last chunk: a pause before it would be an event of its own.
        match framed.pop() {
            Some(last) => framed.push([last, closing].concat().into()),
            None => framed.push(opened(framing, &closing)),
        }
    }
    let mut reply = Reply::stream(framing.content_type(), framed, pause);
    if let Content::Pieces(pieces) = &mut reply.content {
        pieces.ending = ending;
    }
    reply
}

fn opened(framing: Framing, closing: &Bytes) -> Bytes {
    if framing == Framing::Array {
        Bytes::from_static(b"[]\r\n")
    } else {
        closing.clone()
    }
}

/// JSON on one line with a space after `:` and `,`, as Google's streams write it.
fn spaced(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    // Plain data always serializes into memory.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut out, Spaced));
    out
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;

    fn check(framing: Framing, midway: Option<&Midway>, expected: &str, ending: Ending) {
        let events = [1, 2].map(|n| Event {
            name: "step",
            json: format!("{{\"n\":{n}}}"),
        });
        let Content::Pieces(pieces) = reply(framing, &events, Duration::ZERO, midway).content
        else {
            panic!("a stream is made of pieces");
        };
        assert_eq!(String::from_utf8(pieces.list.concat()).unwrap(), expected);
        assert_eq!(pieces.ending, ending);
    }

    #[test]
    fn each_framing_is_written_as_on_the_wire() {
        let cases = [
            (
                Framing::Sse,
                "data: {\"n\":1}\r\n\r\ndata: {\"n\":2}\r\n\r\n",
            ),
            (Framing::Array, "[{\"n\":1}\r\n,\r\n{\"n\":2}\r\n]\r\n"),
            (
                Framing::OpenAi,
                "data: {\"n\":1}\n\ndata: {\"n\":2}\n\ndata: [DONE]\n\n",
            ),
            (
                Framing::Interactions,
                "event: step\ndata: {\"n\":1}\n\nevent: step\ndata: {\"n\":2}\n\ndata: [DONE]\n\n",
            ),
        ];
        for (framing, expected) in cases {
            check(framing, None, expected, Ending::Proper);
        }
    }

    #[test]
    fn a_fault_leaves_the_chunks_before_it() {
        let midway = |after, then| Midway { after, then };
        let one = "data: {\"n\":1}\r\n\r\n";
        check(Framing::Sse, Some(&midway(1, Then::Cut)), one, Ending::Cut);
        check(
            Framing::Sse,
            Some(&midway(0, Then::Stall)),
            "",
            Ending::Stall,
        );
        check(
            Framing::Array,
            Some(&midway(1, Then::End)),
            "[{\"n\":1}\r\n]\r\n",
            Ending::Proper,
        );
        check(
            Framing::Array,
            Some(&midway(0, Then::End)),
            "[]\r\n",
            Ending::Proper,
        );
        check(
            Framing::Array,
            Some(&midway(1, Then::Reset)),
            "[{\"n\":1}",
            Ending::Reset,
        );
    }

    #[test]
    fn an_error_inside_a_stream_is_one_event() {
        let midway = Midway {
            after: 0,
            then: Then::Error(Refusal::named("503_overloaded")),
        };
        let expected = concat!(
            "data: {\"error\":{\"code\":503,\"message\":\"The model is overloaded. ",
            "Please try again later.\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n"
        );
        check(Framing::Sse, Some(&midway), expected, Ending::Proper);
    }

    #[test]
    fn streamed_json_has_googles_spaces() {
        let value = serde_json::json!({"a": [1, 2], "b": {}});
        assert_eq!(Framing::Sse.json(&value), r#"{"a": [1, 2], "b": {}}"#);
    }
}
