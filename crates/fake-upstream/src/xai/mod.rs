//! xAI's surface: every route in one match. What differs from OpenAI: a wrong key is a 400, errors
//! have two shapes, reasoning models refuse penalties and stop texts, usage leaves reasoning out of the
//! completion and tells the cost, and a completion can be deferred.

pub(crate) mod deferred;
pub(crate) mod faults;
mod lists;
pub(crate) mod realtime;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::call::Call;
use crate::dialect::wrong::{Wrong, native};
use crate::dialect::{Flavour, chat, embeddings, images, models};
use crate::fault::KeyFault;
use crate::keys::{Caller, FakeKey, Standing};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::responses;
use crate::rule::Deed;
use crate::stand::Stand;

/// The models that are offered unless told otherwise.
pub(crate) const CATALOGUE: &[&str] = &[
    "grok-4.7",
    "grok-4.6",
    "grok-4.5",
    "grok-4.3",
    "grok-4.20",
    "grok-4.20-reasoning",
    "grok-4.20-non-reasoning",
    "grok-4.20-multi-agent",
    "grok-build-0.1",
    "grok-embedding-1",
    "grok-imagine-image-2.0",
    "grok-imagine-video-1.5",
];

/// Answers a call, bent as a rule's deed says.
pub(crate) fn serve(stand: &Stand, call: &Call, deed: &Deed) -> Reply {
    let shape = stand.error_shape(call);
    let Some(path) = call.path.strip_prefix("/v1/") else {
        return no_such_path().into_reply(shape);
    };
    let answered = standing(stand, call).and_then(|standing| match (standing, path) {
        (Standing::Faulty(key, fault), "api-key") if faults::shows_info(fault) => {
            Ok(Reply::compact(&faults::key_info(Some(&key), &key.key)))
        }
        (Standing::Faulty(key, fault), _) => Err(refused(call, &key, fault)),
        (Standing::Unknown, _) => Err(faults::invalid(call.bearer().unwrap_or_default())),
        (Standing::Good(caller), _) => route(stand, call, path, &caller, deed),
    });
    match answered {
        Ok(reply) => reply.broken(deed.midway(), shape),
        Err(refusal) => refusal.into_reply(shape),
    }
}

fn standing(stand: &Stand, call: &Call) -> Result<Standing, Refusal> {
    let no_credentials = || Refusal::fixture("xai/errors/401_no_credentials.json");
    let key = call.bearer().ok_or_else(no_credentials)?;
    Ok(stand.keyring.look_up(key))
}

fn refused(call: &Call, key: &FakeKey, fault: KeyFault) -> Refusal {
    let provider = crate::provider::Provider::Xai;
    key.refusal(provider, fault, call.model().as_deref())
}

fn route(
    stand: &Stand,
    call: &Call,
    path: &str,
    caller: &Caller,
    deed: &Deed,
) -> Result<Reply, Refusal> {
    let segments: Vec<&str> = path.split('/').collect();
    match (&call.method, segments.as_slice()) {
        (&Method::POST, ["chat", "completions"]) => complete(stand, call, caller, deed),
        (&Method::GET, ["chat", "deferred-completion", id]) => stand.deferred.poll(caller, id),
        (&Method::POST, ["responses"]) => respond(stand, call, caller, deed),
        (&Method::GET, ["responses", id]) => {
            let found = stand.responses.get(caller, id);
            found
                .map(|body| Reply::compact(&body))
                .ok_or_else(no_response)
        }
        (&Method::DELETE, ["responses", id]) if stand.responses.delete(caller, id) => Ok(
            Reply::compact(&json!({"id": id, "object": "response", "deleted": true})),
        ),
        (&Method::DELETE, ["responses", _]) => Err(no_response()),
        (&Method::POST, ["embeddings"]) => {
            check_content_type(call)?;
            let ask = embeddings::read(call, Flavour::Xai)?;
            charge(stand, caller, &ask.model, ask.tokens())?;
            Ok(Reply::compact(&ask.answer(1024)))
        }
        (&Method::POST, ["images", "generations"]) => {
            check_content_type(call)?;
            let ask = images::read(call, Flavour::Xai)?;
            charge(stand, caller, &ask.model, ask.tokens())?;
            moderate(&ask.prompt)?;
            Ok(Reply::compact(&ask.answer(stand)))
        }
        (&Method::GET, ["api-key"]) => {
            let key = call.bearer().unwrap_or_default();
            Ok(Reply::compact(&faults::key_info(caller.key.as_ref(), key)))
        }
        (&Method::GET, ["models"]) => Ok(Reply::compact(&models::list(stand.models.ids(), "xai"))),
        (&Method::GET, ["models", id]) => {
            known(stand, id)?;
            Ok(Reply::compact(&models::one(id, "xai")))
        }
        (&Method::GET, [list, id @ ..]) if lists::is_list(list) => lists::serve(stand, list, id),
        (_, ["chat", "completions"] | ["responses" | "embeddings" | "models" | "api-key"]) => {
            Err(Refusal::text(StatusCode::METHOD_NOT_ALLOWED, ""))
        }
        _ => Err(no_such_path()),
    }
}

fn complete(stand: &Stand, call: &Call, caller: &Caller, deed: &Deed) -> Result<Reply, Refusal> {
    check_content_type(call)?;
    let ask = chat::read(call, Flavour::Xai)?;
    if ask.model.contains("multi-agent") {
        let message = "Multi Agent requests are not allowed on chat completions.";
        return Err(native(StatusCode::BAD_REQUEST, "invalid-argument", message));
    }
    check_arguments(&ask.body, &ask.model)?;
    charge(stand, caller, &ask.model, ask.prompt.tokens)?;
    moderate(&ask.prompt.text)?;
    if matches!(deed, Deed::BlockedPrompt) {
        return Err(moderated());
    }
    let reply = chat::answer(stand, &ask, Flavour::Xai, deed);
    if ask.body["deferred"] == true {
        return Ok(stand.deferred.keep(stand, caller, reply));
    }
    Ok(reply)
}

fn respond(stand: &Stand, call: &Call, caller: &Caller, deed: &Deed) -> Result<Reply, Refusal> {
    check_content_type(call)?;
    let ask = responses::read(call, Flavour::Xai)?;
    charge(stand, caller, ask.model(), ask.prompt.tokens)?;
    moderate(&ask.prompt.text)?;
    if matches!(deed, Deed::BlockedPrompt) {
        return Err(moderated());
    }
    if let Some(id) = ask.body["previous_response_id"].as_str() {
        stand.responses.get(caller, id).ok_or_else(no_response)?;
    }
    Ok(responses::answer::answer(
        stand,
        caller,
        &ask,
        Flavour::Xai,
        deed,
    ))
}

/// Members that some models do not take.
fn check_arguments(body: &Value, model: &str) -> Result<(), Refusal> {
    let refused = [
        ("stop", "stop"),
        ("presence_penalty", "presencePenalty"),
        ("frequency_penalty", "frequencyPenalty"),
    ];
    let given = |name: &str| !body[name].is_null();
    let unsupported = |shown: &str| {
        Refusal::fixture("xai/errors/400_argument.json").with("presencePenalty", shown)
    };
    if Flavour::Xai.reasons(model) {
        match refused.iter().find(|(name, _)| given(name)) {
            Some((_, shown)) => Err(unsupported(shown)),
            None => Ok(()),
        }
    } else if given("reasoning_effort") {
        Err(unsupported("reasoningEffort"))
    } else {
        Ok(())
    }
}

fn moderate(text: &str) -> Result<(), Refusal> {
    if text.contains("BLOCK_ME") {
        return Err(moderated());
    }
    Ok(())
}

fn moderated() -> Refusal {
    Refusal::fixture("xai/errors/403_moderation.json")
}

fn check_content_type(call: &Call) -> Result<(), Refusal> {
    let given = call.header("content-type");
    if given.is_none_or(|kind| kind.starts_with("application/json")) {
        return Ok(());
    }
    let message = "Expected request with `Content-Type: application/json`";
    Err(Refusal::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

fn charge(stand: &Stand, caller: &Caller, model: &str, tokens: u64) -> Result<(), Refusal> {
    known(stand, model)?;
    stand.ledger.charge(caller, model, tokens)
}

fn known(stand: &Stand, model: &str) -> Result<(), Refusal> {
    if stand.models.has(model) {
        return Ok(());
    }
    Err(Wrong::Model(model.to_owned()).refusal(Flavour::Xai))
}

fn no_such_path() -> Refusal {
    Refusal::text(StatusCode::NOT_FOUND, "Not Found")
}

fn no_response() -> Refusal {
    native(
        StatusCode::NOT_FOUND,
        "not-found",
        "The response was not found.",
    )
}

/// Usage of a chat completion: `said` leaves `reasoning` out, the total has both.
pub(crate) fn usage(model: &str, prompt: u64, said: u64, reasoning: u64) -> Value {
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said + reasoning,
        "prompt_tokens_details": {
            "text_tokens": prompt,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        "num_sources_used": 0,
        "cost_in_usd_ticks": cost(model, prompt, said + reasoning),
    })
}

/// The cost in ticks of 10⁻¹⁰ US dollars.
pub(crate) fn cost(model: &str, input: u64, output: u64) -> u64 {
    let (of_input, of_output) = if model.starts_with("grok-4.3") || model.starts_with("grok-4.20") {
        (12_500, 25_000)
    } else if model.starts_with("grok-build") || model.starts_with("grok-code") {
        (10_000, 20_000)
    } else {
        (20_000, 60_000)
    };
    input * of_input + output * of_output
}
