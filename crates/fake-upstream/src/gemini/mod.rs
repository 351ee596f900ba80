//! Google's surface: every route of the stand-in, in one match.
//! Each module answers one family of paths; what none knows is echoed (`echo.rs`).

pub(crate) mod answer;
pub(crate) mod caches;
mod echo;
mod embed;
pub(crate) mod faults;
pub(crate) mod files;
pub(crate) mod generate;
pub(crate) mod interactions;
pub(crate) mod live;
pub(crate) mod models;
mod openai;
pub(crate) mod owned;
pub(crate) mod prompt;
pub(crate) mod quota;
mod strict;
pub(crate) mod upload;

use http::{Method, StatusCode};

use crate::call::{Call, Credential};
use crate::keys::{Caller, Standing};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::rule::{Deed, Midway};
use crate::stand::Stand;

/// Answers a call, bent as a rule's deed says.
pub(crate) fn serve(stand: &Stand, call: &Call, deed: &Deed) -> Reply {
    match deed {
        Deed::Empty(kind) => return generate::empty(stand, call, *kind),
        Deed::BlockedPrompt => return generate::blocked_prompt(stand, call),
        Deed::BlockedSafety => return generate::blocked_safety(stand, call),
        _ => {}
    }
    if call.version.is_empty() {
        return no_such_page(&call.path);
    }
    match admit_and_route(stand, call, deed) {
        Ok(reply) => reply.broken(deed.midway(), call.error_shape()),
        Err(refusal) => refusal.into_reply(call.error_shape()),
    }
}

/// Checks the credential of a call as Google does.
fn admit(stand: &Stand, call: &Call) -> Result<Caller, Refusal> {
    let text = match &call.credential {
        Credential::None => return Err(Refusal::named("403_unregistered_callers")),
        Credential::Bearer(text) if !call.is_openai() && !text.starts_with("ya29.") => {
            return Err(Refusal::named("401_access_token_type"));
        }
        Credential::ApiKey(text) | Credential::Bearer(text) => text,
    };
    match stand.keyring.look_up(text) {
        Standing::Good(caller) => Ok(caller),
        Standing::Faulty(key, fault) => Err(key.refusal(stand.provider, fault, None)),
        Standing::Unknown => Err(Refusal::named("400_api_key_invalid")),
    }
}

fn admit_and_route(stand: &Stand, call: &Call, deed: &Deed) -> Result<Reply, Refusal> {
    if let Some(id) = upload::under_way(call) {
        return upload::proceed(stand, call, id);
    }
    let caller = admit(stand, call)?;
    if call.upload {
        return upload::begin(stand, call, &caller);
    }
    route(stand, call, &caller, deed)
}

fn route(stand: &Stand, call: &Call, caller: &Caller, deed: &Deed) -> Result<Reply, Refusal> {
    let midway = deed.midway();
    let (resource, action) = call.resource_and_method();
    let segments: Vec<&str> = resource.split('/').collect();
    match (&call.method, segments.as_slice(), action) {
        (&Method::GET, ["models"], "") => stand.models.list(call),
        (&Method::GET, ["models", id], "") => stand.models.get(call.version, id),
        (&Method::POST, ["models" | "tunedModels" | "dynamic", _], action) => {
            ask_model(stand, call, caller, action, midway)
        }
        (_, ["files", ..], _) => stand.files.serve(call, caller),
        (_, ["cachedContents", ..], _) => stand.caches.serve(stand, call, caller),
        (_, ["interactions", ..], _) => interactions::serve(stand, call, caller, midway),
        (&Method::POST, ["auth_tokens"], "") if call.version == "v1alpha" => {
            stand.live_tokens.create(stand, call, caller)
        }
        (_, ["openai", ..], _) => openai::serve(stand, call, caller, deed),
        _ => owned::serve(stand, call, caller),
    }
}

fn ask_model(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    action: &str,
    midway: Option<&Midway>,
) -> Result<Reply, Refusal> {
    let known = [
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "embedContent",
        "batchEmbedContents",
    ];
    if !known.contains(&action) {
        return owned::serve(stand, call, caller);
    }
    let id = call.path_model().unwrap_or_default();
    let model = if call.rest.starts_with("models/") {
        stand.models.resolve(call.version, id, action)?
    } else {
        id
    };
    match action {
        "countTokens" => embed::count_tokens(call),
        "embedContent" => embed::single(stand, call, caller, model),
        "batchEmbedContents" => embed::batch(stand, call, caller, model),
        _ => generate::serve(stand, call, caller, model, midway),
    }
}

fn no_such_page(path: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  \
         <title>Error 404 (Not Found)!!1</title>\n  <p><b>404.</b> <ins>That’s an error.</ins>\n  \
         <p>The requested URL <code>{path}</code> was not found on this server.  \
         <ins>That’s all we know.</ins>\n"
    );
    Reply::new(StatusCode::NOT_FOUND, "text/html; charset=UTF-8", page)
}
