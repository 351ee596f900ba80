//! Google's OpenAI-compatible paths: chat completions, embeddings and models; minimal, well formed.
//! Errors are wrapped in an array there, which `call.rs` knows.

use http::Method;
use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::embed::vector;
use crate::gemini::prompt::Prompt;
use crate::gemini::strict;
use crate::gemini::voice::tokens;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::Midway;
use crate::stand::Stand;
use crate::stream::{self, Event, Framing};

/// 20 Nov 2026; answers of a stand-in need no clock.
const CREATED: u64 = 1_795_132_800;

pub(crate) fn serve(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    midway: Option<&Midway>,
) -> Result<Reply, Refusal> {
    match (&call.method, call.rest.as_str()) {
        (&Method::GET, "openai/models") => Ok(models(stand)),
        (&Method::POST, "openai/chat/completions") => chat(stand, call, caller, midway),
        (&Method::POST, "openai/embeddings") => embeddings(stand, call, caller),
        _ => Ok(super::echo::reply(call)),
    }
}

fn models(stand: &Stand) -> Reply {
    let entry =
        |id: &str| json!({"id": format!("models/{id}"), "object": "model", "owned_by": "google"});
    let data: Vec<Value> = stand.models.ids().map(entry).collect();
    Reply::json(&json!({"object": "list", "data": data}))
}

fn chat(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    midway: Option<&Midway>,
) -> Result<Reply, Refusal> {
    let body = strict::json_body(call)?;
    let model = named_model(stand, call, &body, "generateContent")?;
    let prompt = prompt(&body)?;
    stand.ledger.charge(caller, &model, prompt.tokens)?;
    let text = stand.voice.answer(&prompt, &[]);
    let output = tokens(&text);
    let completion = Completion {
        id: stand.fresh_id(22),
        model,
        usage: json!({
            "prompt_tokens": prompt.tokens,
            "completion_tokens": output,
            "total_tokens": prompt.tokens + output,
        }),
    };
    if body["stream"] != true {
        return Ok(Reply::json(&completion.whole(&text)));
    }
    let chunks = stand.voice.chunks(&text, midway.map_or(1, |m| m.after + 1));
    let events = completion.events(&chunks);
    Ok(stream::reply(
        Framing::OpenAi,
        &events,
        stand.voice.pause,
        midway,
    ))
}

/// What stays the same in every chunk of one completion.
struct Completion {
    id: String,
    model: String,
    usage: Value,
}

impl Completion {
    fn whole(&self, text: &str) -> Value {
        let message = json!({"role": "assistant", "content": text});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        self.envelope("chat.completion", &choice, true)
    }

    fn events(&self, chunks: &[String]) -> Vec<Event> {
        let chunk = |(index, text): (usize, &String)| {
            let ends = index + 1 == chunks.len();
            let choice = json!({
                "index": 0,
                "delta": {"role": "assistant", "content": text},
                "finish_reason": ends.then_some("stop"),
            });
            // Google puts the usage into the last chunk with content, not into one of its own.
            let json = self.envelope("chat.completion.chunk", &choice, ends);
            Event::plain(Framing::OpenAi.json(&json))
        };
        chunks.iter().enumerate().map(chunk).collect()
    }

    fn envelope(&self, object: &str, choice: &Value, ends: bool) -> Value {
        let mut body = json!({
            "id": self.id,
            "object": object,
            "created": CREATED,
            "model": self.model,
            "choices": [choice],
        });
        if ends {
            body["usage"] = self.usage.clone();
        }
        body
    }
}

fn embeddings(stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
    let body = strict::json_body(call)?;
    let model = named_model(stand, call, &body, "embedContent")?;
    let texts: Vec<&str> = match &body["input"] {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        single => single.as_str().into_iter().collect(),
    };
    let total: u64 = texts.iter().map(|text| tokens(text)).sum();
    stand.ledger.charge(caller, &model, total)?;
    let dimensions = body["dimensions"].as_u64().unwrap_or(3072).clamp(1, 3072) as usize;
    let entry = |(index, text): (usize, &&str)| json!({"object": "embedding", "index": index, "embedding": vector(text, dimensions)});
    let data: Vec<Value> = texts.iter().enumerate().map(entry).collect();
    let usage = json!({"prompt_tokens": total, "total_tokens": total});
    Ok(Reply::json(
        &json!({"object": "list", "data": data, "model": model, "usage": usage}),
    ))
}

fn named_model(stand: &Stand, call: &Call, body: &Value, method: &str) -> Result<String, Refusal> {
    let named = body["model"].as_str().unwrap_or_default();
    let id = named.trim_start_matches("models/");
    stand
        .models
        .resolve(call.version, id, method)
        .map(ToOwned::to_owned)
}

fn prompt(body: &Value) -> Result<Prompt, Refusal> {
    let messages = body["messages"].as_array().filter(|list| !list.is_empty());
    let messages = messages.ok_or_else(|| Refusal::named("400_invalid_argument"))?;
    let is_system = |m: &&Value| m["role"] == "system" || m["role"] == "developer";
    let words: String = messages.iter().map(content).collect();
    Ok(Prompt {
        text: messages.last().map(content).unwrap_or_default(),
        turns: messages.iter().filter(|m| !is_system(m)).count(),
        system: messages.iter().filter(is_system).map(content).collect(),
        tokens: tokens(&words),
        ..Prompt::default()
    })
}

fn content(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}
