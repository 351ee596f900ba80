//! What an answer says was made, or is gone.

use std::sync::Arc;

use domain::{Class, Resource, ResourceName};
use http::{Method, StatusCode};
use providers::{Api, Place};
use wire::gemini::AnswerScan;
use wire::gemini::error::Fault;
use wire::gemini::resources::{self, Told};
use wire::openai::{DEFERRED, resources as team};

use super::{Bound, Destination, Holder, expiry, forget, names};
use crate::gateway::credential::Credential;
use crate::gateway::exchange::Exchange;
use crate::gateway::failover::Outcome;
use crate::gateway::failure::Refusal;
use crate::gateway::hold::Answer;

/// Takes down what an answer made, before the caller hears of it, and forgets what is gone.
pub(crate) async fn learn(exchange: &Exchange, outcome: &Outcome) {
    match outcome {
        Outcome::Answer(answer, credential) => {
            if let (Some(prefix), Some(key)) = (&exchange.prefix, credential.key()) {
                exchange.app.warmth.note(prefix, &key.project_name().into());
            }
            if exchange.call.outgoing.method == Method::DELETE {
                forget_itself(exchange).await;
            } else if makes(exchange, answer) {
                take_down(exchange, answer, credential).await;
            }
        }
        Outcome::Refusal(refusal, verdict) => {
            // A 403 may also mean that the project has not paid.
            let is_gone = refusal.head.status == StatusCode::NOT_FOUND;
            if is_gone && verdict.class == Class::AffinityMiss && says_it_is_gone(exchange, refusal)
            {
                forget_itself(exchange).await;
            }
        }
    }
}

/// Whether its answer names what was made: by the call itself, or by what it asks after, such as an operation's video.
fn makes(exchange: &Exchange, answer: &Answer) -> bool {
    let call = &exchange.call;
    call.outgoing.creates
        || is_deferred(exchange, answer)
        || matches!(exchange.destination, Destination::Bound(_))
}

/// Whether the answer is made later, and has an id until then.
fn is_deferred(exchange: &Exchange, answer: &Answer) -> bool {
    let summary = answer.flow.scan().map(AnswerScan::summary);
    let finish = summary.and_then(|summary| summary.finish_reason.as_deref());
    exchange.provider.api == Api::Xai && finish == Some(DEFERRED)
}

async fn take_down(exchange: &Exchange, answer: &Answer, credential: &Credential) {
    let Some(key) = credential.key() else { return };
    let told = told(exchange, answer);
    if told.names.is_empty() {
        return;
    }
    let project: Arc<str> = key.project_name().into();
    let (app, provider) = (&exchange.app, &exchange.provider.name);
    let now = app.clock.now();
    // What comes of something belongs to whoever has that.
    let Holder { client, owner } = match &exchange.destination {
        Destination::Bound(bound) => bound.holder,
        _ => Holder::of(&exchange.caller),
    };
    let stated = told.expires.as_deref().and_then(expiry::stated);
    let made = told
        .names
        .into_iter()
        .enumerate()
        .map(|(place, name)| Resource {
            provider: provider.clone(),
            expires_at: if place == 0 {
                stated.or_else(|| expiry::of(exchange.provider.api, &name, now))
            } else {
                expiry::of(exchange.provider.api, &name, now)
            },
            name,
            project: project.clone(),
            client,
            owner,
            created_at: now,
        });
    let made: Vec<Resource> = made.collect();
    if names::is_used_with_others(&exchange.call) {
        app.resources.sticky.note(provider, client, project, now);
    }
    app.resources.learn(&app.store, made, now).await;
}

/// What the answer names, as far as it is here: a document is read whole before it is passed on, and a stream tells its
/// id first.
fn told(exchange: &Exchange, answer: &Answer) -> Told {
    if exchange.provider.api != Api::Google {
        return told_by_team(exchange, answer);
    }
    let is_interaction = exchange.call.place == Place::Interactions;
    if answer.flow.is_stream() {
        let summary = answer.flow.scan().map(AnswerScan::summary);
        let id = summary.and_then(|summary| summary.response_id.as_deref());
        let id = id.filter(|_| is_interaction);
        let environment = summary.and_then(|summary| summary.environment_id.as_deref());
        let of = |collection: &str, id: Option<&str>| {
            ResourceName::new(&format!("{collection}/{}", id?))
        };
        let made = [of("interactions", id), of("environments", environment)];
        return Told {
            names: made.into_iter().flatten().collect(),
            expires: None,
        };
    }
    let path = names::path(&exchange.call);
    let of_id = match resources::place_of(&path) {
        resources::Place::Collection(kind) if is_interaction => Some(kind),
        resources::Place::One if is_interaction => resources::in_path(&path)
            .filter(|name| name.collection() == "interactions")
            .map(|_| "interactions"),
        resources::Place::Mixed if path.ends_with("/batches") => Some("openai/batches"),
        resources::Place::Mixed if path.ends_with("/files") => Some("openai/files"),
        _ => None,
    };
    let (call, provider) = (&exchange.call, &exchange.provider);
    let held = answer.flow.held();
    let is_google = |host: &str| names::is_google(host, call, provider);
    let mut told = resources::in_answer(of_id, [&*held], is_google);
    if call.asks_a_model() {
        // What else it names is what a model says.
        let is_its_own = |name: &ResourceName| {
            matches!(name.collection(), "interactions" | "environments") && is_interaction
        };
        let mut place = 0..;
        told.names
            .retain(|name| place.next() == Some(0) || is_its_own(name));
    }
    told
}

/// The same of a provider of OpenAI's shape, which tells the id of what was asked for.
fn told_by_team(exchange: &Exchange, answer: &Answer) -> Told {
    let path = &exchange.call.outgoing.path_and_query;
    let made = if is_deferred(exchange, answer) {
        Some(team::DEFERRED_COMPLETIONS)
    } else {
        team::made_at(path)
    };
    let Some(made) = made.filter(|_| matches!(exchange.provider.api, Api::OpenAi | Api::Xai))
    else {
        return Told::default();
    };
    if answer.flow.is_stream() {
        let summary = answer.flow.scan().map(AnswerScan::summary);
        let id = summary.and_then(|summary| summary.response_id.as_deref());
        let name = id.and_then(|id| team::name(made, id));
        return Told {
            names: name.into_iter().collect(),
            expires: None,
        };
    }
    let held = answer.flow.held();
    let mut told = resources::in_answer(Some(made), [&*held], |_: &str| false);
    told.names.retain(|name| name.collection() == made);
    told.expires = None;
    told
}

/// What the path names is gone.
async fn forget_itself(exchange: &Exchange) {
    if let Some(name) = itself(exchange) {
        forget(exchange, name).await;
    }
}

/// What the request is about, and nothing of it or in it: neither a method of it, such as `:cancel`, nor a document of a
/// store.
fn itself(exchange: &Exchange) -> Option<&ResourceName> {
    let Destination::Bound(Bound { names, .. }) = &exchange.destination else {
        return None;
    };
    let path = names::path(&exchange.call);
    let path = path.trim_end_matches('/');
    names.iter().find(|name| {
        let before = path.strip_suffix(name.as_str());
        before.is_some_and(|before| before.ends_with('/'))
    })
}

/// Whether the provider's 404 says that what was asked after is gone, and not that there is no such method, or none in that
/// version of the API.
fn says_it_is_gone(exchange: &Exchange, refusal: &Refusal) -> bool {
    let outgoing = &exchange.call.outgoing;
    let is_asked_after = matches!(outgoing.method, Method::GET | Method::DELETE);
    // Of most things the stable version knows nothing.
    if !is_asked_after || outgoing.path_and_query.starts_with("/v1/") {
        return false;
    }
    let fault = Fault::read(&refusal.body);
    fault.is_some_and(|fault| !fault.message.to_ascii_lowercase().starts_with("method "))
}
