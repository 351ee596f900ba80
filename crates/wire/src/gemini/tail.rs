//! How a stream that broke is ended in the dialect, so that the caller's parser sees an error and no torn event.

use super::error::{ErrorBody, Shape};
use super::{AnswerScan, Content, Framing};
use crate::openai;

/// What to send after the whole events of a stream, once it can no longer go on.
///
/// Only bytes up to [`super::Progress::whole_events_end`] may have been sent before it; what came after
/// them is to be dropped. Empty for a body that cannot be ended with an error: one JSON document, or an
/// array that is already closed.
pub fn stream_error_tail(scan: &AnswerScan, error: &ErrorBody<'_>) -> Vec<u8> {
    match (scan.framing(), scan.summary().content) {
        (Framing::Json, _) => Vec::new(),
        (Framing::JsonArray, _) if scan.is_closed() => Vec::new(),
        (Framing::JsonArray, _) if scan.is_open_after_events() => {
            framed(b",\r\n", &error.to_json(Shape::Object), b"]")
        }
        (Framing::JsonArray, _) => error.to_json(Shape::Array),
        (Framing::Sse, Content::Interaction) => framed(
            b"event: error\ndata: ",
            &error.to_json(Shape::InteractionEvent),
            b"\n\n",
        ),
        (Framing::Sse, Content::OpenAi) => {
            let error = openai::error::ErrorBody::new(error.code, error.message);
            framed(b"data: ", &error.to_json(), b"\n\n")
        }
        (Framing::Sse, Content::Generate | Content::Any) => {
            framed(b"data: ", &error.to_json(Shape::Object), b"\r\n\r\n")
        }
    }
}

fn framed(head: &[u8], body: &[u8], end: &[u8]) -> Vec<u8> {
    [head, body, end].concat()
}
