//! Answers for measurements: prebuilt once, sent without reading the request's body.
//! Only generating calls have one; anything else, any key with a fault or limit and any scripted
//! fault goes the ordinary way through `stand.rs`. Pieces of uploads are measured by `gemini/upload.rs`.

use http::Method;
use http::request::Parts;

use crate::gemini::answer::{Frame, spoken_events};
use crate::gemini::generate::{fitted, whole};
use crate::gemini::models::Models;
use crate::reply::Reply;
use crate::stream::{self, Event, Framing};
use crate::voice::Voice;

/// The prebuilt answers; cloning one shares its bytes.
#[derive(Debug)]
pub(crate) struct Fast {
    unary: Reply,
    sse: Reply,
    array: Reply,
}

impl Fast {
    pub(crate) fn prebuilt(voice: &Voice, models: &Models) -> Self {
        let frame = Frame {
            model: models.ids().next().unwrap_or("gemini-3.8-flash").to_owned(),
            response_id: "kJ0eadGhM7uIvdIP1qOc2A".to_owned(),
            prompt_tokens: 9,
            cached_tokens: 0,
            thought_tokens: 0,
        };
        let text = voice.plain();
        let unary = fitted(voice.answer_bytes, &text, |text| {
            whole(&frame, text, "STOP")
        });
        let answers = spoken_events(&frame, None, &voice.chunks(&text, 1), "STOP");
        let streamed = |framing: Framing| {
            let events: Vec<Event> = answers
                .iter()
                .map(|answer| Event::plain(framing.json(answer)))
                .collect();
            stream::reply(framing, &events, voice.pause, None)
        };
        Self {
            unary: Reply::json(&unary),
            sse: streamed(Framing::Sse),
            array: streamed(Framing::Array),
        }
    }

    /// The prebuilt answer to a generating call.
    pub(crate) fn reply(&self, parts: &Parts) -> Option<Reply> {
        if parts.method != Method::POST {
            return None;
        }
        let (_, method) = parts.uri.path().rsplit_once(':')?;
        let sse = || {
            parts
                .uri
                .query()
                .is_some_and(|q| q.split('&').any(|pair| pair == "alt=sse"))
        };
        match method {
            "generateContent" => Some(self.unary.clone()),
            "streamGenerateContent" if sse() => Some(self.sse.clone()),
            "streamGenerateContent" => Some(self.array.clone()),
            _ => None,
        }
    }
}
