//! The response object of the Agent API. Streams of the same are `events.rs`.

use serde_json::{Value, json};

use super::request::Ask;
use super::{events, request, usage};
use crate::call::Call;
use crate::dialect::CREATED;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::{Reply, SSE};
use crate::responses::parts;
use crate::rule::{Deed, EmptyKind};
use crate::said::{self, Said};
use crate::sample;
use crate::stand::Stand;
use crate::stream::{self, Framing};

/// Search results are about this many tokens of input.
const SEARCH_TOKENS: u64 = 2_000;

/// One response before it is JSON.
#[derive(Debug)]
pub(crate) struct Response<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) id: String,
    pub(crate) said: Said,
    pub(crate) failed: bool,
    empty: Option<EmptyKind>,
    /// An id for each call, or for the message.
    ids: Vec<String>,
}

/// Answers a request, bent as a rule's deed says.
pub(crate) fn create(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    deed: &Deed,
) -> Result<Reply, Refusal> {
    let ask = request::read(stand, call)?;
    stand
        .ledger
        .charge(caller, &ask.model, ask.common.prompt.tokens)?;
    let response = Response::of(stand, &ask, deed);
    let body = response.body();
    if ask.common.body["store"] != false {
        stand.responses.keep(caller, &body);
    }
    if !ask.common.streams {
        return Ok(Reply::compact(&body));
    }
    let midway = deed.midway();
    let events = events::of(stand, &response, midway.map_or(1, |m| m.after + 1));
    let reply = stream::reply(Framing::Responses, &events, stand.voice.pause, midway);
    Ok(reply.content_type(SSE))
}

impl<'a> Response<'a> {
    fn of(stand: &Stand, ask: &'a Ask, deed: &Deed) -> Self {
        let empty = match deed {
            Deed::Empty(kind) => Some(*kind),
            _ => None,
        };
        let said = match deed {
            Deed::Empty(_) | Deed::Failed => Said::text(""),
            Deed::BlockedPrompt => Said::BlockedPrompt,
            Deed::BlockedSafety => Said::Unsafe,
            _ => cited(
                said::say(&stand.voice, &ask.common.prompt, &ask.common.wishes),
                ask,
            ),
        };
        let ids = match &said {
            Said::Calls(calls) => calls.len(),
            _ => 1,
        };
        Self {
            id: format!("resp_{}", stand.fresh_id(24)),
            ids: (0..ids).map(|_| stand.fresh_id(16)).collect(),
            failed: matches!(deed, Deed::Failed),
            empty,
            said,
            ask,
        }
    }

    fn status(&self) -> &'static str {
        parts::status(&self.said, self.failed)
    }

    /// The whole response.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.frame(self.status(), &self.ask.model);
        if self.failed {
            body["error"] = error();
            return body;
        }
        body["completed_at"] = json!(CREATED + 1);
        if self.status() == "incomplete" {
            let is_text = matches!(self.said, Said::Text { .. });
            let reason = if is_text {
                "max_output_tokens"
            } else {
                "content_filter"
            };
            body["incomplete_details"] = json!({"reason": reason});
        }
        body["output"] = json!(self.items());
        let searches = u64::from(self.ask.searches);
        let input = self.ask.common.prompt.tokens + searches * SEARCH_TOKENS;
        body["usage"] = usage::of(&self.ask.model, input, self.said.tokens(), searches);
        body
    }

    /// The response with neither output nor usage.
    pub(crate) fn frame(&self, status: &str, model: &str) -> Value {
        let asked = &self.ask.common.body;
        let extra = json!({
            "completed_at": null,
            "instructions": null,
            "background": false,
            "parallel_tool_calls": true,
            "service_tier": "default",
            "store": parts::given(asked, "store", json!(false)),
            "text": {"format": {"type": "text"}},
            "truncation": "",
        });
        parts::frame(&self.id, status, model, asked, extra)
    }

    /// The search results, when the web was searched.
    pub(crate) fn search(&self) -> Option<Value> {
        let topic = sample::subject(&self.ask.common.prompt.text);
        let result = |id: u64, host: &str, title: &str| {
            json!({
                "id": id,
                "title": format!("{topic} - {title}"),
                "url": format!("https://{host}/{}", topic.to_lowercase()),
                "snippet": format!("All about {topic}."),
                "date": "2026-01-01",
                "last_updated": "2026-09-25",
                "source": "web",
            })
        };
        let results = json!([
            result(1, "example.org", "Example Encyclopedia"),
            result(2, "example.com", "Facts"),
        ]);
        let item = json!({"type": "search_results", "queries": [topic], "results": results});
        self.ask.searches.then_some(item)
    }

    /// What is said: a message, or function calls.
    pub(crate) fn said_items(&self) -> Vec<Value> {
        let content = match (&self.said, self.empty) {
            (_, Some(EmptyKind::NoCandidates)) | (Said::BlockedPrompt, _) => return Vec::new(),
            (_, Some(EmptyKind::StopNoParts)) | (Said::Unsafe, _) => json!([]),
            (Said::Text { text, .. }, _) => json!([parts::text(text)]),
            (Said::Calls(calls), _) => {
                let calls = calls.iter().zip(&self.ids);
                return calls
                    .map(|(call, id)| parts::call(id, &format!("call_{id}"), call))
                    .collect();
            }
        };
        vec![parts::message(&self.ids[0], "completed", &content)]
    }

    fn items(&self) -> Vec<Value> {
        self.search().into_iter().chain(self.said_items()).collect()
    }
}

/// What a failed response says.
pub(crate) fn error() -> Value {
    json!({
        "code": "internal_error",
        "message": "Upstream provider error",
        "type": "server_error",
    })
}

/// Markers of the results behind a text that is not JSON.
fn cited(said: Said, ask: &Ask) -> Said {
    match said {
        Said::Text { text, finish } if ask.searches && ask.common.prompt.schema.is_none() => {
            Said::Text {
                text: format!("{text}[1][2]"),
                finish,
            }
        }
        other => other,
    }
}
