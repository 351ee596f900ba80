//! Google's surface: every route of the stand-in, in one match.
//! Each module answers one family of paths; what none knows is echoed (`echo.rs`).

pub(crate) mod answer;
pub(crate) mod caches;
mod echo;
mod embed;
pub(crate) mod files;
pub(crate) mod generate;
pub(crate) mod interactions;
pub(crate) mod models;
mod openai;
pub(crate) mod prompt;
mod sample;
mod strict;
mod upload;
pub(crate) mod voice;

use http::{Method, StatusCode};

use crate::body::Ending;
use crate::call::Call;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::reply::{Content, Reply};
use crate::rule::{Midway, Then};
use crate::stand::Stand;

/// Answers a call, broken off in the middle when `midway` says so.
pub(crate) fn serve(stand: &Stand, call: &Call, midway: Option<&Midway>) -> Reply {
    if call.version.is_empty() {
        return no_such_page(&call.path);
    }
    match admit_and_route(stand, call, midway) {
        Ok(reply) => match midway {
            Some(midway) => broken(reply, call, midway),
            None => reply,
        },
        Err(refusal) => refusal.into_reply(call.error_shape()),
    }
}

fn admit_and_route(stand: &Stand, call: &Call, midway: Option<&Midway>) -> Result<Reply, Refusal> {
    if let Some(id) = call.param("upload_id").filter(|_| call.upload) {
        return upload::proceed(stand, call, id);
    }
    let caller = stand.keyring.admit(call)?;
    if call.upload {
        return upload::begin(stand, call, &caller);
    }
    route(stand, call, &caller, midway)
}

fn route(
    stand: &Stand,
    call: &Call,
    caller: &Caller,
    midway: Option<&Midway>,
) -> Result<Reply, Refusal> {
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
        (_, ["openai", ..], _) => openai::serve(stand, call, caller, midway),
        _ => Ok(echo::reply(call)),
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
        return Ok(echo::reply(call));
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

/// Breaks off a unary answer; streams have been broken off where they were built.
fn broken(reply: Reply, call: &Call, midway: &Midway) -> Reply {
    let Content::Whole(bytes) = &reply.content else {
        return reply;
    };
    let ending = match &midway.then {
        Then::Stall => Ending::Stall,
        Then::Reset => Ending::Reset,
        Then::Cut => Ending::Cut,
        Then::End => {
            let half = bytes.slice(..bytes.len() / 2);
            return Reply {
                content: Content::Whole(half),
                ..reply
            };
        }
        Then::Error(refusal) => return refusal.clone().into_reply(call.error_shape()),
    };
    reply.interrupted(midway.after, ending)
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
