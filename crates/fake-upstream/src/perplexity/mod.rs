//! Perplexity's surface: every route in one match. Chat completions are retired and say so; what is
//! left is the Agent API (`agent.rs`), models and embeddings in bytes.

mod agent;
mod events;
pub(crate) mod faults;
mod request;
mod usage;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::call::Call;
use crate::keys::{Caller, Standing};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::Deed;
use crate::stand::Stand;
use crate::vector::{base64_int8, unit};
use crate::voice::tokens;

/// The models that are offered unless told otherwise.
pub(crate) const CATALOGUE: &[&str] = &[
    "perplexity/sonar",
    "perplexity/glm-5.3",
    "openai/gpt-6-luna",
    "openai/gpt-6",
    "anthropic/claude-sonnet-5",
    "google/gemini-3.8-flash",
    "xai/grok-4.7",
    "pplx-embed-v1-0.6b",
    "pplx-embed-v1-4b",
];

/// Answers a call, bent as a rule's deed says.
pub(crate) fn serve(stand: &Stand, call: &Call, deed: &Deed) -> Reply {
    let shape = stand.error_shape(call);
    match admit(stand, call).and_then(|caller| route(stand, call, &caller, deed)) {
        Ok(reply) => reply.broken(deed.midway(), shape),
        Err(refusal) => refusal.into_reply(shape),
    }
}

fn admit(stand: &Stand, call: &Call) -> Result<Caller, Refusal> {
    let invalid = || Refusal::fixture("perplexity/errors/401.json");
    match stand.keyring.look_up(call.bearer().ok_or_else(invalid)?) {
        Standing::Good(caller) => Ok(caller),
        Standing::Faulty(key, fault) => {
            Err(key.refusal(stand.provider, fault, call.model().as_deref()))
        }
        Standing::Unknown => Err(invalid()),
    }
}

fn route(stand: &Stand, call: &Call, caller: &Caller, deed: &Deed) -> Result<Reply, Refusal> {
    let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    match (&call.method, segments.as_slice()) {
        (_, ["chat", "completions"] | ["v1", "sonar"] | ["async", "chat", "completions", ..]) => {
            Err(Refusal::fixture("perplexity/errors/403_sonar_retired.json"))
        }
        (&Method::POST, ["v1", "responses" | "agent"]) => agent::create(stand, call, caller, deed),
        (&Method::GET, ["v1", "responses" | "agent", id]) => {
            let found = stand.responses.get(caller, id);
            let missing =
                || faults::error(StatusCode::NOT_FOUND, "not_found", "Response not found.");
            found.map(|body| Reply::compact(&body)).ok_or_else(missing)
        }
        (&Method::GET, ["v1", "models"]) => {
            let listed = stand.models.ids().filter(|id| id.contains('/'));
            let data: Vec<Value> = listed.map(model_entry).collect();
            Ok(Reply::compact(&json!({"object": "list", "data": data})))
        }
        (&Method::POST, ["v1", "embeddings"]) => embed(stand, call, caller),
        (_, ["v1", "responses" | "agent" | "models" | "embeddings"]) => {
            let body = json!({"detail": "Method Not Allowed"});
            Err(Refusal::json(StatusCode::METHOD_NOT_ALLOWED, &body))
        }
        _ => Err(Refusal::json(
            StatusCode::NOT_FOUND,
            &json!({"detail": "Not Found"}),
        )),
    }
}

fn model_entry(id: &str) -> Value {
    let price = usage::Price::of(id);
    json!({
        "id": id,
        "object": "model",
        "created": 0,
        "owned_by": id.split('/').next().unwrap_or_default(),
        "pricing": {
            "input": price.input,
            "output": price.output,
            "cache_read": price.input / 4.0,
            "unit": "usd_per_1m_tokens",
        },
    })
}

fn embed(stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
    let body = request::json(call)?;
    let model = body["model"].as_str().unwrap_or_default();
    let most = if model.ends_with("4b") { 2560 } else { 1024 };
    if !stand.models.has(model) || model.contains('/') {
        return Err(faults::no_model(model));
    }
    let encoding = body["encoding_format"].as_str().unwrap_or("base64_int8");
    if encoding != "base64_int8" {
        let message = format!("encoding_format {encoding:?} is not supported");
        return Err(faults::validation(&message));
    }
    let texts: Vec<&str> = match &body["input"] {
        Value::String(text) => vec![text.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => return Err(faults::missing("input")),
    };
    if texts.is_empty() || texts.len() > 512 {
        return Err(faults::validation("input must have 1 to 512 texts"));
    }
    let dimensions = body["dimensions"]
        .as_u64()
        .map_or(most, |n| (n as usize).clamp(1, most));
    let total: u64 = texts.iter().map(|text| tokens(text)).sum();
    stand.ledger.charge(caller, model, total)?;
    let entry = |(index, text): (usize, &&str)| {
        let embedding = base64_int8(&unit(text, dimensions));
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let data: Vec<Value> = texts.iter().enumerate().map(entry).collect();
    let cost = total as f64 * 0.004 / 1e6;
    Ok(Reply::compact(&json!({
        "object": "list",
        "model": model,
        "data": data,
        "usage": {
            "prompt_tokens": total,
            "total_tokens": total,
            "cost": {"input_cost": cost, "total_cost": cost, "currency": "USD"},
        },
    })))
}
