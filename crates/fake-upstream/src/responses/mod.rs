//! The Responses dialect as OpenAI, xAI and Perplexity speak it. Reading a request is common
//! (`input.rs`, `tools.rs`), and so is what responses are made of (`parts.rs`); OpenAI and xAI are
//! answered by `answer.rs` and `events.rs`, Perplexity in its own folder.

pub(crate) mod answer;
pub(crate) mod events;
pub(crate) mod input;
pub(crate) mod parts;
pub(crate) mod store;
pub(crate) mod tools;

use serde_json::Value;

use crate::call::Call;
use crate::dialect::Flavour;
use crate::dialect::members::{self, Kind, Member};
use crate::dialect::wrong::Wrong;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::said::Wishes;

/// Members that OpenAI and xAI check.
const MEMBERS: &[Member] = &[
    ("model", Kind::Text),
    ("input", Kind::Any),
    ("instructions", Kind::Text),
    ("stream", Kind::Flag),
    ("store", Kind::Flag),
    ("max_output_tokens", Kind::Count(16, u64::MAX)),
    ("temperature", Kind::Number(0.0, 2.0)),
    ("top_p", Kind::Number(0.0, 1.0)),
    ("tools", Kind::List),
    ("tool_choice", Kind::Any),
    ("parallel_tool_calls", Kind::Flag),
    ("text", Kind::Object),
    ("reasoning", Kind::Object),
    ("previous_response_id", Kind::Text),
];

/// A request that was understood.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) body: Value,
    pub(crate) prompt: Prompt,
    pub(crate) wishes: Wishes,
    pub(crate) streams: bool,
}

impl Ask {
    /// The model as named; empty when none is.
    pub(crate) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }
}

/// Reads and checks a request to OpenAI or xAI.
pub(crate) fn read(call: &Call, flavour: Flavour) -> Result<Ask, Refusal> {
    let body = members::read(call, MEMBERS, flavour)?;
    let refused = |wrong: Wrong| wrong.refusal(flavour);
    if !body["model"].is_string() {
        return Err(refused(Wrong::missing("model")));
    }
    let format = body["text"]["format"].clone();
    let schema = &format["schema"];
    ask(body, input::Items::Loose, schema).map_err(refused)
}

/// Reads what all three have in common; `schema` is what the answer must satisfy.
pub(crate) fn ask(body: Value, items: input::Items, schema: &Value) -> Result<Ask, Wrong> {
    let heard = input::read(&body, items)?;
    let prompt = Prompt {
        functions: tools::callable(&body)?,
        schema: schema.is_object().then(|| schema.clone()),
        max_output_tokens: body["max_output_tokens"].as_u64(),
        ..heard.prompt
    };
    Ok(Ask {
        wishes: Wishes {
            notes: heard.notes,
            stops: Vec::new(),
            single_call: body["parallel_tool_calls"] == false,
        },
        streams: body["stream"] == true,
        prompt,
        body,
    })
}
