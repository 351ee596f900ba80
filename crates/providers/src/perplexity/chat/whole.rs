//! A whole response as a chat completion.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::calls::{Function, ToolCall, extra_content, or_empty_object};
use super::chunk::{Found, NO_ID};
use super::markers::{Annotation, Markers};
use super::sources::Sources;
use super::{Asked, finish_reason, is_failure, usage};
use crate::perplexity::fault::Fault;
use crate::perplexity::members::Members;

/// A response. Nothing in it has to be as it should be: what is not, is absent.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    id: Value,
    created_at: Value,
    status: Value,
    error: Value,
    incomplete_details: Value,
    output: Value,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

/// What the items of a response come to.
struct Said<'a> {
    text: String,
    refusal: String,
    reasoning: String,
    calls: Vec<ToolCall<'a>>,
    sources: Sources,
}

impl Default for Said<'_> {
    fn default() -> Self {
        Self {
            text: String::new(),
            refusal: String::new(),
            reasoning: String::new(),
            calls: Vec::new(),
            sources: Sources::new(usize::MAX),
        }
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Members<'a>>,
    #[serde(flatten)]
    found: Found<'a>,
    /// What keymux does not know.
    #[serde(flatten)]
    rest: Members<'a>,
}

/// Members of a response: they have their place in a chat, or none.
const KNOWN: &[&str] = &[
    "background",
    "choices",
    "citations",
    "completed_at",
    "created",
    "created_at",
    "error",
    "frequency_penalty",
    "id",
    "incomplete_details",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "object",
    "output",
    "output_text",
    "parallel_tool_calls",
    "presence_penalty",
    "preset",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "search_results",
    "service_tier",
    "status",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "usage",
    "user",
];

#[derive(Serialize)]
struct Choice<'a> {
    index: u8,
    message: Message<'a>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    annotations: Vec<Annotation<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

/// Writes the chat completion that a response amounts to.
pub(super) fn translate(body: &[u8], asked: &Asked, out: &mut Vec<u8>) -> Result<(), Fault> {
    let unreadable = |_| Fault::found("the provider's answer is no response in JSON");
    let response: Response<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    let status = response.status.as_str().unwrap_or_default();
    if !response.error.is_null() || is_failure(status) {
        return Err(Fault::of_answer(&response.error, status));
    }
    if !response.output.is_array() {
        return Err(Fault::found("the provider's answer has no output"));
    }
    let mut said = Said::default();
    for item in response.output.as_array().into_iter().flatten() {
        said.add(item, asked);
    }
    let mut completion = completion(&response, asked, &mut said);
    completion.rest = serde_json::from_slice(body).map_err(unreadable)?;
    completion
        .rest
        .0
        .retain(|(name, _)| !KNOWN.contains(&name.as_str()));
    serde_json::to_writer(out, &completion).map_err(unreadable)
}

fn completion<'a>(
    response: &'a Response<'a>,
    asked: &'a Asked,
    said: &'a mut Said<'a>,
) -> Completion<'a> {
    let status = response.status.as_str().unwrap_or_default();
    let incomplete = response.incomplete_details.get("reason");
    let calls = std::mem::take(&mut said.calls);
    let said = &*said;
    let finish = finish_reason(
        status,
        incomplete.and_then(Value::as_str),
        !calls.is_empty(),
    );
    Completion {
        id: response.id.as_str().unwrap_or(NO_ID),
        object: "chat.completion",
        created: response.created_at.as_u64().unwrap_or(asked.created),
        model: &asked.model,
        choices: [Choice {
            index: 0,
            message: said.message(calls),
            finish_reason: finish,
        }],
        usage: response
            .usage
            .and_then(|counted| usage::of_chat(counted.get())),
        found: Found::of(&said.sources),
        rest: Members::default(),
    }
}

impl<'a> Said<'a> {
    /// Takes an item in; of types that are not known here nothing is said.
    fn add(&mut self, item: &'a Value, asked: &Asked) {
        match text(item, "type") {
            "message" => self.add_message(item),
            "function_call" if asked.has_function(text(item, "name")) => self.add_call(item),
            "search_results" => {
                self.sources.add(&item["results"]);
            }
            kind if kind.starts_with("reasoning") => self.add_reasoning(item),
            _ => {}
        }
    }

    fn add_message(&mut self, item: &Value) {
        for part in item["content"].as_array().into_iter().flatten() {
            match text(part, "type") {
                "output_text" => self.text.push_str(text(part, "text")),
                "refusal" => self.refusal.push_str(text(part, "refusal")),
                _ => {}
            }
        }
    }

    fn add_reasoning(&mut self, item: &Value) {
        for parts in [&item["summary"], &item["content"]] {
            for part in parts.as_array().into_iter().flatten() {
                self.reasoning.push_str(text(part, "text"));
            }
        }
    }

    fn add_call(&mut self, item: &'a Value) {
        let call_id = item.get("call_id").or_else(|| item.get("id"));
        self.calls.push(ToolCall {
            index: None,
            id: Some(call_id.and_then(Value::as_str).unwrap_or("call")),
            kind: Some("function"),
            function: Function {
                name: Some(text(item, "name")),
                arguments: or_empty_object(text(item, "arguments")),
            },
            extra_content: extra_content(item["thought_signature"].as_str()),
        });
    }

    /// The message. Where there are only calls its content is null, as OpenAI's clients expect.
    fn message(&'a self, tool_calls: Vec<ToolCall<'a>>) -> Message<'a> {
        let given = |text: &'a String| (!text.is_empty()).then_some(text.as_str());
        let has_other = !tool_calls.is_empty() || !self.refusal.is_empty();
        let mut markers = Markers::default();
        markers.push(&self.text);
        Message {
            role: "assistant",
            content: given(&self.text).or((!has_other).then_some("")),
            refusal: given(&self.refusal),
            reasoning_content: given(&self.reasoning),
            annotations: markers.annotations(&self.sources),
            tool_calls,
        }
    }
}

/// A text member; empty where there is none.
fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
