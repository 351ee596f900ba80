//! The response object of OpenAI and xAI. Streams of the same are `events.rs`.

use serde_json::{Value, json};

use super::{Ask, events, parts};
use crate::dialect::{Flavour, completion};
use crate::keys::Caller;
use crate::reply::{Reply, SSE};
use crate::rule::{Deed, EmptyKind};
use crate::said::{self, Said, THOUGHT_TOKENS};
use crate::stand::Stand;
use crate::stream::{self, Framing};

/// One response before it is JSON.
#[derive(Debug)]
pub(crate) struct Response<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) flavour: Flavour,
    pub(crate) id: String,
    pub(crate) said: Said,
    /// What its items are called, in their order.
    item_ids: Vec<String>,
    call_ids: Vec<String>,
    reasons: bool,
    fate: Fate,
}

/// What becomes of a response beside what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Said,
    /// A message without parts.
    NoParts,
    /// No output at all.
    Nothing,
    Failed,
}

/// Answers a request, bent as a rule's deed says, and keeps the response unless told not to.
pub(crate) fn answer(
    stand: &Stand,
    caller: &Caller,
    ask: &Ask,
    flavour: Flavour,
    deed: &Deed,
) -> Reply {
    let response = Response::of(stand, ask, flavour, deed);
    let body = response.body();
    if ask.body["store"] != false {
        stand.responses.keep(caller, &body);
    }
    if !ask.streams {
        return Reply::compact(&body);
    }
    let midway = deed.midway();
    let events = events::of(stand, &response, midway.map_or(1, |m| m.after + 1));
    stream::reply(Framing::Responses, &events, stand.voice.pause, midway)
        .content_type(&format!("{SSE}; charset=utf-8"))
}

impl<'a> Response<'a> {
    fn of(stand: &Stand, ask: &'a Ask, flavour: Flavour, deed: &Deed) -> Self {
        let (said, fate) = match deed {
            Deed::Empty(EmptyKind::NoCandidates) => (Said::text(""), Fate::Nothing),
            Deed::Empty(EmptyKind::StopNoParts) => (Said::text(""), Fate::NoParts),
            Deed::Empty(EmptyKind::EmptyText) => (Said::text(""), Fate::Said),
            Deed::Failed => (Said::text(""), Fate::Failed),
            Deed::BlockedPrompt => (Said::BlockedPrompt, Fate::Said),
            Deed::BlockedSafety => (Said::Unsafe, Fate::Said),
            _ => (
                said::say(&stand.voice, &ask.prompt, &ask.wishes),
                Fate::Said,
            ),
        };
        let items = match &said {
            Said::Calls(calls) => calls.len(),
            _ => 1,
        };
        Self {
            id: format!("resp_{}", stand.fresh_id(32)),
            item_ids: (0..=items).map(|_| stand.fresh_id(32)).collect(),
            call_ids: completion::call_ids(stand, flavour, &said),
            reasons: flavour.reasons(ask.model())
                && fate == Fate::Said
                && ask.body["reasoning"]["effort"] != "none",
            ask,
            flavour,
            said,
            fate,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.fate == Fate::Failed
    }

    /// `completed`, `incomplete` or `failed`.
    pub(crate) fn status(&self) -> &'static str {
        parts::status(&self.said, self.failed())
    }

    /// The whole response.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.frame(self.status());
        let reason = match self.said {
            Said::BlockedPrompt | Said::Unsafe => "content_filter",
            _ => "max_output_tokens",
        };
        if self.status() == "incomplete" {
            body["incomplete_details"] = json!({"reason": reason});
        }
        if self.failed() {
            let message = "The server had an error while processing your request.";
            body["error"] = json!({"code": "server_error", "message": message});
            return body;
        }
        body["output"] = json!(self.items());
        body["usage"] = self.usage();
        body
    }

    /// The response with neither output nor usage.
    pub(crate) fn frame(&self, status: &str) -> Value {
        let asked = &self.ask.body;
        let given = |name: &str, default| parts::given(asked, name, default);
        let extra = json!({
            "instructions": asked["instructions"],
            "parallel_tool_calls": given("parallel_tool_calls", json!(true)),
            "reasoning": given("reasoning", json!({"effort": null, "summary": null})),
            "store": given("store", json!(true)),
            "text": given("text", json!({"format": {"type": "text"}})),
            "truncation": "disabled",
        });
        parts::frame(&self.id, status, self.ask.model(), asked, extra)
    }

    /// Every item of the output.
    pub(crate) fn items(&self) -> Vec<Value> {
        if self.fate == Fate::Nothing || matches!(self.said, Said::BlockedPrompt) {
            return Vec::new();
        }
        let reasoning = self.reasons.then(|| {
            let id = format!("rs_{}", self.item_ids[0]);
            json!({"type": "reasoning", "id": id, "summary": []})
        });
        reasoning.into_iter().chain(self.said_items()).collect()
    }

    fn said_items(&self) -> Vec<Value> {
        let Said::Calls(calls) = &self.said else {
            let content = match &self.said {
                Said::Text { text, .. } if self.fate == Fate::Said => json!([parts::text(text)]),
                _ => json!([]),
            };
            return vec![parts::message(&self.item_ids[1], self.status(), &content)];
        };
        let ids = self.item_ids[1..].iter().zip(&self.call_ids);
        let calls = calls.iter().zip(ids);
        calls
            .map(|(call, (id, call_id))| parts::call(id, call_id, call))
            .collect()
    }

    fn usage(&self) -> Value {
        let reasoning = if self.reasons { THOUGHT_TOKENS } else { 0 };
        let (input, output) = (self.ask.prompt.tokens, self.said.tokens() + reasoning);
        let mut usage = json!({
            "input_tokens": input,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": input + output,
        });
        if self.flavour == Flavour::Xai {
            usage["num_sources_used"] = json!(0);
            usage["num_server_side_tools_used"] = json!(0);
            usage["cost_in_usd_ticks"] = json!(crate::xai::cost(self.ask.model(), input, output));
        }
        usage
    }
}
