//! The response object of the Agent API. Streams of the same are `events.rs`.

use serde_json::{Value, json};

use super::request::Ask;
use super::{events, request, usage};
use crate::call::Call;
use crate::dialect::CREATED;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::{Reply, SSE};
use crate::responses::answer::text_part;
use crate::rule::{Deed, EmptyKind};
use crate::said::{self, Finish, FunctionCall, Said};
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

    /// `completed`, `incomplete` or `failed`; the finish of the text and its blocks decide.
    fn status(&self) -> &'static str {
        match &self.said {
            _ if self.failed => "failed",
            Said::Text { finish, .. } if *finish == Finish::Length => "incomplete",
            Said::BlockedPrompt | Said::Unsafe => "incomplete",
            _ => "completed",
        }
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
        let ask = &self.ask.common.body;
        let or = |name: &str, default: Value| {
            let given = &ask[name];
            if given.is_null() {
                default
            } else {
                given.clone()
            }
        };
        json!({
            "id": self.id,
            "object": "response",
            "created_at": CREATED,
            "completed_at": null,
            "status": status,
            "model": model,
            "error": null,
            "incomplete_details": null,
            "instructions": null,
            "background": false,
            "max_output_tokens": ask["max_output_tokens"],
            "metadata": {},
            "output": [],
            "parallel_tool_calls": true,
            "previous_response_id": ask["previous_response_id"],
            "service_tier": "default",
            "store": or("store", json!(false)),
            "temperature": or("temperature", json!(1)),
            "text": {"format": {"type": "text"}},
            "tool_choice": or("tool_choice", json!("auto")),
            "tools": or("tools", json!([])),
            "top_p": or("top_p", json!(1)),
            "truncation": "",
            "usage": null,
            "user": null,
        })
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
            (Said::Text { text, .. }, _) => json!([text_part(text)]),
            (Said::Calls(calls), _) => {
                return calls
                    .iter()
                    .zip(&self.ids)
                    .map(|(c, id)| call_item(c, id))
                    .collect();
            }
        };
        vec![json!({
            "type": "message",
            "id": format!("msg_{}", self.ids[0]),
            "role": "assistant",
            "status": "completed",
            "content": content,
        })]
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

fn call_item(call: &FunctionCall, id: &str) -> Value {
    json!({
        "type": "function_call",
        "id": format!("fc_{id}"),
        "call_id": format!("call_{id}"),
        "name": call.name,
        "arguments": call.args.to_string(),
        "status": "completed",
    })
}
