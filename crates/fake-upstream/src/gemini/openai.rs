//! Google's OpenAI-compatible paths: chat completions, embeddings, images and models. The dialect is
//! `dialect/`; errors are wrapped in an array there, which `call.rs` knows, and unknown members of a
//! request are refused.

use http::Method;
use serde_json::{Value, json};

use crate::call::Call;
use crate::dialect::{Flavour, chat, embeddings, images};
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::Deed;
use crate::stand::Stand;

pub(crate) fn serve(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    deed: &Deed,
) -> Result<Reply, Refusal> {
    match (&call.method, call.rest.as_str()) {
        (&Method::GET, "openai/models") => {
            let data: Vec<Value> = stand.models.ids().map(entry).collect();
            Ok(Reply::json(&json!({"object": "list", "data": data})))
        }
        (&Method::GET, path) if path.starts_with("openai/models/") => {
            let id = path.trim_start_matches("openai/models/");
            let id = id.trim_start_matches("models/");
            stand.models.get(call.version, id)?;
            Ok(Reply::json(&entry(id)))
        }
        (&Method::POST, "openai/chat/completions") => {
            let mut ask = chat::read(call, Flavour::Google)?;
            ask.model = resolved(stand, call, &ask.model, "generateContent")?;
            stand.ledger.charge(caller, &ask.model, ask.prompt.tokens)?;
            Ok(chat::answer(stand, &ask, Flavour::Google, deed))
        }
        (&Method::POST, "openai/embeddings") => {
            let mut ask = embeddings::read(call, Flavour::Google)?;
            ask.model = resolved(stand, call, &ask.model, "embedContent")?;
            stand.ledger.charge(caller, &ask.model, ask.tokens())?;
            Ok(Reply::json(&ask.answer(3072)))
        }
        (&Method::POST, "openai/images/generations") => {
            let ask = images::read(call, Flavour::Google)?;
            let model = resolved(stand, call, &ask.model, "generateContent")?;
            stand.ledger.charge(caller, &model, ask.tokens())?;
            Ok(Reply::json(&ask.answer(stand)))
        }
        _ => Ok(super::echo::reply(call)),
    }
}

fn entry(id: &str) -> Value {
    json!({"id": format!("models/{id}"), "object": "model", "owned_by": "google"})
}

fn resolved(stand: &Stand, call: &Call, named: &str, method: &str) -> Result<String, Refusal> {
    let found = stand.models.resolve(call.version, named, method);
    found.map(ToOwned::to_owned)
}
