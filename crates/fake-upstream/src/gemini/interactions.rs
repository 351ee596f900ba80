//! The Interactions API: created whole or as a stream, read back, cancelled and deleted.
//! Minimal, but of the shape that its SDKs parse; `snake_case` and string error codes are its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::Call;
use crate::gemini::strict;
use crate::keys::Caller;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::Midway;
use crate::stand::Stand;
use crate::stream::{self, Event, Framing};
use crate::voice::tokens;

/// All stored interactions: id → (project, resource). The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Interactions(Mutex<BTreeMap<String, (String, Value)>>);

/// Answers `interactions`, `interactions/{id}` and `interactions/{id}/cancel`.
pub(crate) fn serve(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    midway: Option<&Midway>,
) -> Result<Reply, Refusal> {
    let segments: Vec<&str> = call.rest.split('/').skip(1).collect();
    match (&call.method, segments.as_slice()) {
        (&Method::POST, []) => create(stand, call, caller, midway),
        (&Method::GET, [id]) => Ok(Reply::json(&stand.interactions.owned(caller, id)?)),
        (&Method::DELETE, [id]) => {
            stand.interactions.owned(caller, id)?;
            stand.interactions.lock().remove(*id);
            Ok(Reply::json(&json!({})))
        }
        (&Method::POST, [id, "cancel"]) => {
            let mut resource = stand.interactions.owned(caller, id)?;
            resource["status"] = json!("cancelled");
            stand.interactions.keep(caller, &resource);
            Ok(Reply::json(&resource))
        }
        _ => Ok(super::echo::reply(call)),
    }
}

fn create(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    midway: Option<&Midway>,
) -> Result<Reply, Refusal> {
    let body = strict::json_body(call)?;
    // An agent asks a model of its own.
    let agents = body["agent"].as_str().map(|_| "gemini-flash-latest");
    let named = body["model"]
        .as_str()
        .or(agents)
        .unwrap_or_default()
        .trim_start_matches("models/");
    let model = stand
        .models
        .resolve(call.version, named, "generateContent")?;
    let prompt = prompt(&body)?;
    stand.ledger.charge(caller, model, prompt.tokens)?;
    if let Some(previous) = body["previous_interaction_id"].as_str() {
        stand.interactions.owned(caller, previous)?;
    }
    stand.owned.check_ids(caller, &body)?;
    let text = stand.voice.answer(&prompt, &[]);
    let mut resource = resource(&format!("v1_{}", stand.fresh_id(20)), model, &prompt, &text);
    let environment = stand.owned.environment(stand, caller, &body);
    if !environment.is_null() {
        resource["environment_id"] = environment;
    }
    if body["store"] != false {
        stand.interactions.keep(caller, &resource);
    }
    if body["stream"] == true {
        let chunks = stand.voice.chunks(&text, midway.map_or(1, |m| m.after + 1));
        let events = events(&resource, &chunks);
        return Ok(stream::reply(
            Framing::Interactions,
            &events,
            stand.voice.pause,
            midway,
        ));
    }
    Ok(Reply::json(&resource))
}

fn prompt(body: &Value) -> Result<Prompt, Refusal> {
    let text = match &body["input"] {
        Value::Null => return Err(Refusal::invalid("The 'input' field is required.")),
        input => spoken(input),
    };
    let system = body["system_instruction"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let tokens = tokens(&text) + tokens(&system);
    Ok(Prompt {
        text,
        turns: 1,
        system,
        tokens,
        ..Prompt::default()
    })
}

/// All text of an input: a string, contents, or steps with contents.
fn spoken(input: &Value) -> String {
    match input {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(spoken).collect(),
        Value::Object(fields) => match (fields.get("text"), fields.get("content")) {
            (Some(text), _) => spoken(text),
            (None, Some(content)) => spoken(content),
            (None, None) => String::new(),
        },
        _ => String::new(),
    }
}

fn resource(id: &str, model: &str, prompt: &Prompt, text: &str) -> Value {
    let now = Timestamp::now();
    let output = tokens(text);
    json!({
        "id": id,
        "object": "interaction",
        "model": model,
        "status": "completed",
        "created": now,
        "updated": now,
        "role": "model",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": text}]}],
        "usage": {
            "total_input_tokens": prompt.tokens,
            "total_output_tokens": output,
            "total_thought_tokens": 0,
            "total_cached_tokens": 0,
            "total_tool_use_tokens": 0,
            "total_tokens": prompt.tokens + output,
        },
    })
}

fn events(resource: &Value, chunks: &[String]) -> Vec<Event> {
    let (id, model) = (&resource["id"], &resource["model"]);
    let mut begun =
        json!({"id": id, "object": "interaction", "model": model, "status": "in_progress"});
    if let Some(environment) = resource.get("environment_id") {
        begun["environment_id"] = environment.clone();
    }
    let ended = json!({
        "id": id, "object": "interaction", "model": model, "status": "completed",
        "usage": resource["usage"],
    });
    let delta = |chunk: &String| {
        (
            "step.delta",
            json!({"index": 0, "delta": {"type": "text", "text": chunk}}),
        )
    };
    let before = [
        ("interaction.created", json!({"interaction": begun})),
        (
            "step.start",
            json!({"index": 0, "step": {"type": "model_output"}}),
        ),
    ];
    let after = [
        ("step.stop", json!({"index": 0})),
        ("interaction.completed", json!({"interaction": ended})),
    ];
    let all = before
        .into_iter()
        .chain(chunks.iter().map(delta))
        .chain(after);
    all.enumerate()
        .map(|(index, (name, fields))| event(index, name, fields))
        .collect()
}

fn event(index: usize, name: &'static str, mut fields: Value) -> Event {
    fields["event_type"] = json!(name);
    fields["event_id"] = json!((index + 1).to_string());
    Event {
        name,
        json: Framing::Interactions.json(&fields),
    }
}

impl Interactions {
    fn keep(&self, caller: &Caller, resource: &Value) {
        let id = resource["id"].as_str().unwrap_or_default().to_owned();
        self.lock()
            .insert(id, (caller.project.clone(), resource.clone()));
    }

    fn owned(&self, caller: &Caller, id: &str) -> Result<Value, Refusal> {
        let found = self
            .lock()
            .get(id)
            .filter(|(project, _)| *project == caller.project)
            .cloned();
        found
            .map(|(_, resource)| resource)
            .ok_or_else(Refusal::no_entity)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (String, Value)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
