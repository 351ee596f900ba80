//! GigaChat's surface: the token endpoint, and behind its tokens every route in one match. Errors are
//! `{"status", "message"}`; requests at once are limited by account.

pub(crate) mod accounts;
mod chat;
pub(crate) mod faults;
mod files;
mod oauth;
mod request;
mod schema;

use http::header::HeaderName;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::call::{self, Call};
use crate::fault::KeyFault;
use crate::gigachat::accounts::{Holder, Scope};
use crate::keys::{Caller, Standing};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::Deed;
use crate::seat::Seat;
use crate::stand::Stand;
use crate::vector::unit;
use crate::voice::tokens;

/// The models that are offered unless told otherwise.
pub(crate) const CATALOGUE: &[&str] = &[
    "GigaChat-2",
    "GigaChat-2-Pro",
    "GigaChat-2-Max",
    "GigaChat-2-Reasoning",
    "GigaChat-3-Ultra",
    "Embeddings",
    "Embeddings-2",
    "EmbeddingsGigaR",
    "GigaEmbeddings-3B-2025-09",
];

/// Headers that are given back, or made up when they are missing.
const ECHOED: [&str; 3] = ["x-request-id", "x-session-id", "x-client-id"];

/// Answers a call, bent as a rule's deed says.
pub(crate) fn serve(stand: &Stand, call: &Call, deed: &Deed) -> Reply {
    let shape = stand.error_shape(call);
    let answered = match call.path.as_str() {
        "/api/v2/oauth" if call.method == Method::POST => oauth::serve(stand, call),
        path => admit(stand, call).and_then(|(holder, caller)| {
            let path = path.strip_prefix("/api/v1/").unwrap_or_default();
            route(stand, call, path, &holder, &caller, deed)
        }),
    };
    let reply = match answered {
        Ok(reply) => reply.broken(deed.midway(), shape),
        Err(refusal) => refusal.into_reply(shape),
    };
    ECHOED.iter().fold(reply, |reply, name| {
        let value = call.header(name).map(ToOwned::to_owned);
        let value = value.unwrap_or_else(|| stand.fresh_uuid());
        reply.header(HeaderName::from_static(name), &value)
    })
}

/// Whose request this is: the authorization key, also when a token stands for it.
pub(crate) fn shown_key(stand: &Stand, headers: &HeaderMap) -> Option<String> {
    if let Some(key) = oauth::authorization_key(headers) {
        return Some(key.to_owned());
    }
    let token = call::bearer(headers)?;
    let holder = stand.accounts.holder(token);
    Some(holder.map_or_else(|| token.to_owned(), |holder| holder.key))
}

/// A seat for a request that a model answers; 429 when all of the account's are taken.
pub(crate) fn seat(stand: &Stand, call: &Call) -> Result<Option<Seat>, Refusal> {
    let counted = ["/api/v1/chat/completions", "/api/v1/embeddings"];
    if !counted.contains(&call.path.as_str()) {
        return Ok(None);
    }
    let holder = call.bearer().and_then(|token| stand.accounts.holder(token));
    let Some(holder) = holder.filter(|holder| !holder.expired) else {
        return Ok(None);
    };
    let (seat, taken) = stand.seats.take(&holder.key);
    if taken > holder.scope.seats() {
        return Err(faults::named("429"));
    }
    Ok(Some(seat))
}

fn admit(stand: &Stand, call: &Call) -> Result<(Holder, Caller), Refusal> {
    let holder = call.bearer().and_then(|token| stand.accounts.holder(token));
    let holder = holder.ok_or_else(faults::unauthorized)?;
    if holder.expired {
        return Err(faults::named("401"));
    }
    match stand.keyring.look_up(&holder.key) {
        Standing::Good(caller) => Ok((holder, caller)),
        Standing::Unknown | Standing::Faulty(_, KeyFault::Invalid | KeyFault::ScopeMismatch) => {
            Err(faults::unauthorized())
        }
        Standing::Faulty(key, fault) => {
            Err(key.refusal(stand.provider, fault, call.model().as_deref()))
        }
    }
}

fn route(
    stand: &Stand,
    call: &Call,
    path: &str,
    holder: &Holder,
    caller: &Caller,
    deed: &Deed,
) -> Result<Reply, Refusal> {
    let files = &stand.accounts.files;
    let project = caller.project.as_str();
    let segments: Vec<&str> = path.split('/').collect();
    match (&call.method, segments.as_slice()) {
        (&Method::POST, ["chat", "completions"]) => {
            let ask = request::read(call)?;
            let model = resolve(stand, &ask.model, "GigaChat")?;
            stand.ledger.charge(caller, model, ask.prompt.tokens)?;
            chat::answer(stand, caller, &ask, model, deed)
        }
        (&Method::POST, ["embeddings"]) => embed(stand, call, caller),
        (&Method::POST, ["tokens", "count"]) => count_tokens(call),
        (&Method::GET, ["models"]) => {
            let data: Vec<Value> = stand.models.ids().map(model_entry).collect();
            Ok(Reply::compact(&json!({"object": "list", "data": data})))
        }
        (&Method::GET, ["models", id]) => {
            let found = stand.models.ids().find(|known| known == id);
            let entry = found.map(|id| Reply::compact(&model_entry(id)));
            entry.ok_or_else(|| faults::named("404"))
        }
        (&Method::GET, ["balance"]) => balance(stand, holder, caller),
        (&Method::POST, ["files"]) => files.upload(stand, call, project),
        (&Method::GET, ["files"]) => Ok(files.list(project)),
        (&Method::GET, ["files", id]) => files.show(project, id),
        (&Method::GET, ["files", id, "content"]) => files.content(project, id),
        (&Method::POST, ["files", id, "delete"]) => files.delete(project, id),
        _ => Err(faults::error(StatusCode::NOT_FOUND, "Not Found")),
    }
}

/// The model behind a name: old names stand for the second generation, `-preview` for early access.
fn resolve<'a>(stand: &'a Stand, named: &str, family: &str) -> Result<&'a str, Refusal> {
    let bare = named.strip_suffix("-preview").unwrap_or(named);
    let current = match bare {
        "GigaChat" => "GigaChat-2",
        "GigaChat-Pro" => "GigaChat-2-Pro",
        "GigaChat-Max" => "GigaChat-2-Max",
        other => other,
    };
    let found = stand.models.ids().find(|id| *id == named || *id == current);
    found
        .filter(|id| id.contains("Embeddings") == (family == "Embeddings"))
        .ok_or_else(|| faults::named("404"))
}

fn model_entry(id: &str) -> Value {
    let kind = if id.contains("Embeddings") {
        "embedder"
    } else {
        "chat"
    };
    json!({"id": id, "object": "model", "owned_by": "salutedevices", "type": kind})
}

fn embed(stand: &Stand, call: &Call, caller: &Caller) -> Result<Reply, Refusal> {
    let body = request::json(call)?;
    let model = resolve(
        stand,
        body["model"].as_str().unwrap_or("Embeddings"),
        "Embeddings",
    )?;
    let texts = texts(&body["input"])?;
    let dimensions = match model {
        "EmbeddingsGigaR" => 2560,
        "GigaEmbeddings-3B-2025-09" => 2048,
        _ => 1024,
    };
    stand
        .ledger
        .charge(caller, model, texts.iter().map(|text| tokens(text)).sum())?;
    let entry = |(index, text): (usize, &String)| {
        json!({
            "object": "embedding",
            "embedding": unit(text, dimensions),
            "index": index,
            "usage": {"prompt_tokens": tokens(text)},
        })
    };
    let data: Vec<Value> = texts.iter().enumerate().map(entry).collect();
    Ok(Reply::compact(
        &json!({"object": "list", "data": data, "model": model}),
    ))
}

fn count_tokens(call: &Call) -> Result<Reply, Refusal> {
    let body = request::json(call)?;
    let entry = |text: &String| {
        let characters = text.chars().count();
        json!({"object": "tokens", "tokens": tokens(text), "characters": characters})
    };
    let counts: Vec<Value> = texts(&body["input"])?.iter().map(entry).collect();
    Ok(Reply::compact(&counts))
}

fn texts(input: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || faults::invalid_params("input must be an array of strings");
    let list = input
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(wrong)?;
    list.iter()
        .map(|text| text.as_str().map(ToOwned::to_owned).ok_or_else(wrong))
        .collect()
}

/// What is left of each model's package; who pays as they go may not ask.
fn balance(stand: &Stand, holder: &Holder, caller: &Caller) -> Result<Reply, Refusal> {
    if holder.scope == Scope::Corporations {
        return Err(faults::named("403"));
    }
    let spent = |id: &str| {
        let key = caller.key.as_ref();
        key.is_some_and(|key| key.check_model(stand.provider, id).is_err())
    };
    let entry = |id: &str| json!({"usage": id, "value": if spent(id) { 0 } else { 50_000 }});
    let list: Vec<Value> = stand.models.ids().map(entry).collect();
    Ok(Reply::compact(&json!({"balance": list})))
}
