//! A chat of OpenAI's shape as a request of the Agent API. What is not looked at goes on as the bytes it came as.
//! `fields.rs` says what becomes of each field; `messages.rs`, `tools.rs` and `search.rs` translate the large ones.

mod fields;
mod messages;
mod model;
mod options;
mod parts;
mod raw;
mod search;
mod tools;

use serde::Serialize;
use serde_json::Value;

use super::members::Members;
use crate::Refused;
use fields::Fields;
use messages::Item;
use model::Target;
pub use model::offered;
pub(super) use raw::{elements, read_members, refuse, shown, text};
use tools::{Choice, Tool};

/// The body for [`super::CHAT_PATH`] that asks for what a chat's body asks for.
///
/// `model` is the model's id without the provider's prefix: one of Perplexity's old names (`sonar-pro`), or an id of
/// the Agent API (`perplexity/sonar`, `openai/gpt-6-luna`). Whatever a failure names is the caller's to change.
pub fn chat_request(body: &[u8], model: &str) -> Result<Vec<u8>, Refused> {
    let mut fields = Fields::read(body)?;
    options::check(&mut fields)?;
    let target = Target::of(model);
    let search = search::read(&mut fields, &target)?;
    let has_own_preset = fields.has("preset") || fields.has("effort");
    let preset = (search.is_some() && !has_own_preset)
        .then_some(target.preset)
        .flatten();
    let request = Request {
        model: &target.model,
        preset,
        input: messages::read(&mut fields)?,
        tool_choice: tools::choice(&mut fields)?,
        tools: tools::read(&mut fields, search)?,
        max_output_tokens: options::max_output_tokens(&mut fields, &target)?,
        reasoning: options::reasoning(&mut fields)?,
        response_format: options::response_format(&mut fields)?,
        rest: fields.rest(),
    };
    serde_json::to_vec(&request).map_err(|error| refuse("", format!("not JSON: {error}")))
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<&'static str>,
    input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(flatten)]
    rest: Members<'a>,
}
