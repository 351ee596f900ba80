//! The surface of a plain OpenAI-compatible server: every route in one match. The dialect itself is
//! `dialect/` and `responses/`.

pub(crate) mod faults;

use http::header::HeaderName;
use http::{Method, StatusCode};

use crate::call::Call;
use crate::dialect::wrong::{Wrong, invalid_request};
use crate::dialect::{Flavour, chat, embeddings, images, models};
use crate::keys::{Caller, Standing};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::responses;
use crate::rule::Deed;
use crate::stand::Stand;

/// The models that are offered unless told otherwise.
pub(crate) const CATALOGUE: &[&str] = &[
    "gpt-6-luna",
    "gpt-6-mini",
    "o5",
    "deepseek-reasoner",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "gpt-image-2",
];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a call, bent as a rule's deed says.
pub(crate) fn serve(stand: &Stand, call: &Call, deed: &Deed) -> Reply {
    let shape = stand.error_shape(call);
    let reply = match admit(stand, call).and_then(|caller| route(stand, call, &caller, deed)) {
        Ok(reply) => reply.broken(deed.midway(), shape),
        Err(refusal) => refusal.into_reply(shape),
    };
    reply.header(REQUEST_ID, &format!("req_{}", stand.fresh_id(24)))
}

fn admit(stand: &Stand, call: &Call) -> Result<Caller, Refusal> {
    let unauthorized = StatusCode::UNAUTHORIZED;
    let Some(key) = call.bearer() else {
        let message = "You didn't provide an API key. You need to provide your API key in an \
                       Authorization header using Bearer auth (i.e. Authorization: Bearer \
                       YOUR_KEY).";
        return Err(invalid_request(unauthorized, message, None, None));
    };
    match stand.keyring.look_up(key) {
        Standing::Good(caller) => Ok(caller),
        Standing::Faulty(key, fault) => {
            Err(key.refusal(stand.provider, fault, call.model().as_deref()))
        }
        Standing::Unknown => Err(faults::invalid(key)),
    }
}

fn route(stand: &Stand, call: &Call, caller: &Caller, deed: &Deed) -> Result<Reply, Refusal> {
    let path = call.path.strip_prefix("/v1/").unwrap_or_default();
    match (&call.method, path) {
        (&Method::POST, "chat/completions") => {
            let ask = chat::read(call, Flavour::OpenAi)?;
            charge(stand, caller, &ask.model, ask.prompt.tokens)?;
            Ok(chat::answer(stand, &ask, Flavour::OpenAi, deed))
        }
        (&Method::POST, "embeddings") => {
            let ask = embeddings::read(call, Flavour::OpenAi)?;
            charge(stand, caller, &ask.model, ask.tokens())?;
            let default = if ask.model.ends_with("large") {
                3072
            } else {
                1536
            };
            Ok(Reply::compact(&ask.answer(default)))
        }
        (&Method::POST, "images/generations") => {
            let ask = images::read(call, Flavour::OpenAi)?;
            charge(stand, caller, &ask.model, ask.tokens())?;
            Ok(Reply::compact(&ask.answer(stand)))
        }
        (&Method::POST, "responses") => {
            let ask = responses::read(call, Flavour::OpenAi)?;
            charge(stand, caller, ask.model(), ask.prompt.tokens)?;
            Ok(responses::answer::answer(
                stand,
                caller,
                &ask,
                Flavour::OpenAi,
                deed,
            ))
        }
        (&Method::GET, "models") => Ok(Reply::compact(&models::list(stand.models.ids(), "openai"))),
        (&Method::GET, path) if path.starts_with("models/") => {
            let id = path.trim_start_matches("models/");
            known(stand, id)?;
            Ok(Reply::compact(&models::one(id, "openai")))
        }
        (_, "chat/completions" | "embeddings" | "images/generations" | "responses" | "models") => {
            let message = format!("Not allowed to {} on {}.", call.method, call.path);
            Err(invalid_request(
                StatusCode::METHOD_NOT_ALLOWED,
                &message,
                None,
                None,
            ))
        }
        _ => {
            let message = format!("Invalid URL ({} {})", call.method, call.path);
            Err(invalid_request(StatusCode::NOT_FOUND, &message, None, None))
        }
    }
}

/// Counts a request on a model that exists.
pub(crate) fn charge(
    stand: &Stand,
    caller: &Caller,
    model: &str,
    tokens: u64,
) -> Result<(), Refusal> {
    known(stand, model)?;
    stand.ledger.charge(caller, model, tokens)
}

fn known(stand: &Stand, model: &str) -> Result<(), Refusal> {
    if stand.models.has(model) {
        return Ok(());
    }
    Err(Wrong::Model(model.to_owned()).refusal(Flavour::OpenAi))
}
