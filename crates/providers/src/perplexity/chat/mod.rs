//! Answers of the Agent API as chat completions of OpenAI's shape, with the extras that the Sonar API had: `citations`
//! and `search_results`. `whole.rs` translates documents, `stream.rs` streams; `event.rs` reads a stream's events.

mod calls;
mod chunk;
mod event;
mod markers;
mod sources;
mod stream;
mod usage;
mod whole;

use serde::Deserialize;
use serde_json::Value;
use wire::gemini::Framing;

use super::document::Document;
use crate::Translate;

/// What a chat's answer has to know of its request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The model by the name that the caller used.
    model: String,
    /// The answer's time where the provider gives none, in seconds since 1970.
    created: u64,
    /// The caller's own functions. Calls of others are the provider's inner business, and stay there.
    functions: Vec<String>,
}

impl Asked {
    /// What is to be known of a chat: its model as the caller named it, its body, and the time, in seconds since 1970.
    pub fn new(model: &str, body: &[u8], created: u64) -> Self {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        Self {
            model: model.to_owned(),
            created,
            functions: body.functions(),
        }
    }

    fn has_function(&self, name: &str) -> bool {
        self.functions.iter().any(|own| own == name)
    }
}

/// The tools of a chat's body.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    tools: Value,
}

impl Body {
    fn functions(&self) -> Vec<String> {
        let tools = self.tools.as_array().into_iter().flatten();
        let names = tools.filter_map(|tool| {
            let function = tool.get("function").unwrap_or(tool);
            function.get("name")?.as_str().map(str::to_owned)
        });
        names.collect()
    }
}

/// The translator of an answer to [`super::chat_request`]: of events with [`Framing::Sse`], of one document otherwise.
///
/// A stream always ends with a chunk of usage where the provider counted, whether the caller asked for it or not.
pub fn chat_answer(framing: Framing, asked: &Asked) -> Box<dyn Translate> {
    let asked = asked.clone();
    match framing {
        Framing::Sse => Box::new(stream::Stream::new(asked)),
        Framing::Json | Framing::JsonArray => {
            Box::new(Document::new(move |body: &[u8], out: &mut Vec<u8>| {
                whole::translate(body, &asked, out)
            }))
        }
    }
}

/// Why a chat ended, from a response's status and the reason for which it is incomplete.
fn finish_reason(status: &str, incomplete: Option<&str>, has_calls: bool) -> &'static str {
    match (status, incomplete) {
        (_, Some("content_filter")) => "content_filter",
        ("incomplete", _) | (_, Some(_)) => "length",
        _ if has_calls => "tool_calls",
        _ => "stop",
    }
}

/// Statuses of a response that is no answer, now or ever.
fn is_failure(status: &str) -> bool {
    matches!(status, "failed" | "cancelled" | "queued" | "in_progress")
}
