//! What belongs to a project is reached by its keys alone. Before a request is sent, `bind` finds whose keys it needs by
//! what it names, and refuses what is not the caller's; when the answer is there, `learn` takes down what was made.
//! Who has what is kept in `resources/`; lists over several projects are `lists.rs`.

mod expiry;
mod learn;
pub(crate) mod lists;
mod names;
mod vanished;

use std::sync::Arc;

use config::Isolation;
use domain::{Class, ClientId, Resource, ResourceName, UserId};
use http::{Method, StatusCode};
use keypool::Prefix;
use providers::Api;
use wire::gemini::resources::{self, How, Mention, Place};

use super::call::Call;
use super::caller::Caller;
use super::error::GatewayError;
use super::exchange::Exchange;
use crate::snapshot::{Provider, Snapshot};

pub(crate) use learn::learn;
use names::Hidden;

/// Where a request has to go, or had better go. Projects are named as in [`domain::Key::project_name`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Any project serves.
    #[default]
    Anywhere,
    /// One that has what goes with it, as long as it is free.
    Rather(Arc<str>),
    /// One that remembers what it begins with, while that is no busier than others.
    Warm(Arc<str>),
    /// The one that everything belongs to that it names.
    Bound(Bound),
    /// What it names can only have been made with the key that the caller brings.
    WithOwnKey,
}

/// What binds a request to a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) project: Arc<str>,
    /// What it names.
    pub(crate) names: Vec<ResourceName>,
    /// Who made the first of these: what comes of it is theirs too.
    pub(crate) holder: Holder,
}

/// Who has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// None: callers without a client key, together.
    pub(crate) client: Option<ClientId>,
    pub(crate) owner: Option<UserId>,
}

impl Holder {
    /// What a caller makes is its own.
    pub(crate) fn of(caller: &Caller) -> Self {
        let client = caller.client();
        Self {
            client: client.map(|client| client.id),
            owner: client.and_then(|client| client.owner),
        }
    }

    /// Whether it may use what somebody has made.
    pub(crate) fn may_use(self, resource: &Resource) -> bool {
        let is_owners = self.owner.is_some() && self.owner == resource.owner;
        is_owners || self.client == resource.client
    }
}

/// Whether a request makes what is used with other things, so that the project it goes to counts from now on.
pub(crate) fn begins_beside_others(exchange: &Exchange) -> bool {
    let is_free = matches!(
        exchange.destination,
        Destination::Anywhere | Destination::Rather(_)
    );
    is_free && exchange.provider.api == Api::Google && names::is_used_with_others(&exchange.call)
}

/// Finds whose keys a request needs.
pub(crate) async fn bind(exchange: &Exchange) -> Result<Destination, GatewayError> {
    let isolation = exchange.snapshot.config.affinity.isolation;
    let mut names = readable(names::of(&exchange.call, &exchange.provider), isolation)?;
    if exchange.has_brought_key() {
        // A project of the caller's own has names of its own.
        names.retain(|it| it.how != How::Made);
    }
    let is_list = exchange.call.outgoing.method == Method::GET;
    if exchange.provider.api == Api::Google && isolation == Isolation::Owner {
        refuse_what_cannot_be_kept_apart(exchange, is_list, has_sure(&names))?;
    }
    let is_of_projects = has_sure(&names) || is_list && lists::kind(exchange).is_some();
    // What was made with a caller's own key is looked after by nobody here, and no other key reaches it.
    if is_of_projects && exchange.has_brought_key() {
        return Ok(Destination::WithOwnKey);
    }
    if names.is_empty() {
        return Ok(match warmest(exchange) {
            Some(project) => Destination::Warm(project),
            None if names::may_go_beside_others(&exchange.call) => {
                Box::pin(beside_the_last(exchange)).await
            }
            // Nearly every request ends here, without another future.
            None => Destination::Anywhere,
        });
    }
    Box::pin(find(exchange, isolation, names)).await
}

/// Whether anything of it is named for sure.
fn has_sure(named: &[Mention]) -> bool {
    named.iter().any(|it| it.how == How::Surely)
}

/// Refuses a message of an open session that names what is not the caller's, or is in another project than the one that
/// the session is with.
pub(crate) async fn check_message(
    exchange: &Exchange,
    project: Option<&str>,
    message: &[u8],
) -> Result<(), GatewayError> {
    let isolation = exchange.snapshot.config.affinity.isolation;
    let names = readable(
        names::in_message(message, &exchange.call, &exchange.provider),
        isolation,
    )?;
    // What was made with a caller's own key is looked after by nobody here.
    let Some(project) = project.filter(|_| !names.is_empty()) else {
        return Ok(());
    };
    match find(exchange, isolation, names).await? {
        Destination::Bound(bound) if *bound.project != *project => {
            Err(of_another_session(&bound.names[0]))
        }
        _ => Ok(()),
    }
}

/// What is named, as far as anybody is kept apart by it.
fn readable(
    named: Result<Vec<Mention>, Hidden>,
    isolation: Isolation,
) -> Result<Vec<Mention>, GatewayError> {
    match named {
        Err(_) if isolation == Isolation::Nobody => Ok(Vec::new()),
        named => Ok(named?),
    }
}

/// Refuses what would mix the things of several callers, or names them in ways that are not read here.
fn refuse_what_cannot_be_kept_apart(
    exchange: &Exchange,
    is_list: bool,
    has_names: bool,
) -> Result<(), GatewayError> {
    let path = names::path(&exchange.call);
    let text = match resources::place_of(&path) {
        _ if !resources::is_readable(&path) => {
            "only paths that begin with a version of the API are passed on, so that everybody's files stay their own"
        }
        Place::Mixed if is_list => {
            "this list is not kept apart by client key; ask for each by its name, or for /v1beta/batches"
        }
        Place::One if !has_names => "there is no resource of that name",
        _ => return Ok(()),
    };
    Err(GatewayError::upstream(
        StatusCode::NOT_FOUND,
        Class::AffinityMiss,
        text,
    ))
}

async fn find(
    exchange: &Exchange,
    isolation: Isolation,
    mentions: Vec<Mention>,
) -> Result<Destination, GatewayError> {
    let (app, provider) = (&exchange.app, &exchange.provider.name);
    let wanted: Vec<ResourceName> = mentions.iter().map(|it| it.name.clone()).collect();
    let found = app
        .resources
        .find(&app.store, provider, &wanted, app.clock.now());
    let found = found.await.map_err(|error| {
        let text = format!("whose {} is cannot be found out now; try again", wanted[0]);
        GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, Class::ServerError, text)
            .private(error.to_string())
    })?;
    let me = Holder::of(&exchange.caller);
    let is_open = isolation == Isolation::Nobody;
    let mut usable: Vec<&Arc<Resource>> = Vec::with_capacity(mentions.len());
    for Mention { name, how } in &mentions {
        match found.iter().find(|it| it.name == *name) {
            Some(resource) if is_open || me.may_use(resource) => usable.push(resource),
            Some(_) if !is_open && *how == How::Made => return Err(is_taken(name)),
            Some(_) if !is_open => return Err(not_theirs(name)),
            None if !is_open && *how == How::Surely => return Err(not_theirs(name)),
            // Made elsewhere, or before keymux was there; or a word of the provider's own.
            _ => {}
        }
    }
    let Some(first) = usable.first() else {
        return Ok(match warmest(exchange) {
            Some(project) if !has_sure(&mentions) => Destination::Warm(project),
            _ => beside_the_last(exchange).await,
        });
    };
    if let Some(other) = usable.iter().find(|other| other.project != first.project) {
        return Err(of_two_projects(&first.name, &other.name));
    }
    // What is known comes first; the others are a provider's own words.
    let mut names = wanted;
    names.sort_by_key(|name| !usable.iter().any(|it| it.name == *name));
    let bound = Bound {
        project: first.project.clone(),
        holder: Holder {
            client: first.client,
            owner: first.owner,
        },
        names,
    };
    vanished::check(exchange, &bound).await?;
    Ok(Destination::Bound(bound))
}

/// It is gone.
async fn forget(exchange: &Exchange, name: &ResourceName) {
    let app = &exchange.app;
    let forgotten = app
        .resources
        .forget(&app.store, &exchange.provider.name, name);
    if let Err(error) = forgotten.await {
        tracing::warn!(%name, %error, "what is gone could not be forgotten");
    }
}

/// The project that remembers most of what the request begins with.
fn warmest(exchange: &Exchange) -> Option<Arc<str>> {
    exchange.app.warmth.project(exchange.prefix.as_ref()?)
}

/// What a request begins with, where a provider may remember it.
pub(crate) fn prefix(provider: &Provider, call: &Call, snapshot: &Snapshot) -> Option<Prefix> {
    let is_wanted = snapshot.config.affinity.prefix_cache && call.asks_a_model();
    let chunks = is_wanted.then(|| call.chunks())?;
    Prefix::of(
        &provider.name,
        &call.model,
        chunks.iter().map(|chunk| &chunk[..]),
    )
}

/// What is used together with other things is made where its maker made the last one.
async fn beside_the_last(exchange: &Exchange) -> Destination {
    if !names::may_go_beside_others(&exchange.call) {
        return Destination::Anywhere;
    }
    let app = &exchange.app;
    let client = Holder::of(&exchange.caller).client;
    let provider = &exchange.provider.name;
    let last = app
        .resources
        .last_project(&app.store, provider, client, app.clock.now());
    last.await
        .map_or(Destination::Anywhere, Destination::Rather)
}

/// The same answer for what there is not and for what another has: nobody learns which.
pub(crate) fn not_theirs(name: &ResourceName) -> GatewayError {
    let text = format!(
        "{name} is not known here: it has expired or was deleted, or it was made with another client key"
    );
    GatewayError::upstream(StatusCode::NOT_FOUND, Class::AffinityMiss, text)
}

/// What is to be made has the name of something that another has.
fn is_taken(name: &ResourceName) -> GatewayError {
    let text = format!("{name} is taken; choose another name, or none");
    GatewayError::upstream(StatusCode::CONFLICT, Class::AffinityMiss, text)
}

fn of_two_projects(one: &ResourceName, other: &ResourceName) -> GatewayError {
    let text = format!(
        "{one} and {other} belong to two projects of the provider, so no key reaches both; make one of them anew, and both will be in one"
    );
    GatewayError::upstream(StatusCode::BAD_REQUEST, Class::AffinityMiss, text)
}

fn of_another_session(name: &ResourceName) -> GatewayError {
    let text = format!(
        "{name} belongs to another project of the provider than this session is with; name it in setup, or make it anew"
    );
    GatewayError::upstream(StatusCode::BAD_REQUEST, Class::AffinityMiss, text)
}
