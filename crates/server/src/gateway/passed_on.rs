//! A request that is passed on in the dialect in which it came: Google's API, and any endpoint of any provider below
//! `/p/{provider}/`. Nothing of it is changed but its credentials.

use std::sync::Arc;

use domain::Class;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use hyper::body::Incoming;
use providers::{Api, Operation, Place, Transfer};
use tokio::sync::oneshot;
use wire::openai::request::Request;

use super::admission::{self, Ask};
use super::call::{self, Call, Received};
use super::error::GatewayError;
use super::exchange::Exchange;
use super::heartbeat::Waiting;
use super::{Visit, affinity, caller, failover, parameters};
use crate::http::Body;
use crate::snapshot::Provider;

/// Answers with what the provider answers.
pub(crate) async fn answer(
    visit: Visit,
    head: Parts,
    body: Incoming,
) -> Result<Response<Body>, GatewayError> {
    let provider = provider(&visit)?;
    let operation = operation(&visit, &provider, &head);
    let query = visit.route.query();
    let ask = Ask {
        method: &head.method,
        provider: Some(&provider.name),
        endpoint: operation.endpoint,
        model: operation.model.as_deref().unwrap_or_default(),
        address: visit.address(&head.headers),
    };
    visit.recording.ask(&ask);
    visit.recording.goes_to(&provider.name, ask.model);
    visit.admit(&ask)?;
    parameters::check_method(&head)?;
    if provider.api == Api::Google {
        parameters::check(&head, query, &visit.caller, &ask)?;
        visit.shed([(&provider, ask.model)])?;
    }
    let path = visit
        .route
        .raw()
        .map_or(visit.route.path(), |(_, path)| path);
    let shown = caller::shown(&head.headers, query);
    let path_and_query = call::path_and_query_without(path, query, &shown);
    let is_sse = visit.route.asks_for_events();
    let mut received =
        Received::read(operation.transfer, head, body, visit.peer, &visit.snapshot).await?;
    if visit.route.raw().is_some() {
        // Links have to come back to the same provider.
        let mount = |here: String| format!("{here}/p/{}", provider.name);
        received.called_at = received.called_at.map(mount);
    }
    visit.recording.request_body(&received.body);
    let brought = received.brought.clone();
    let mut call = Call::passed_on(operation, path_and_query, is_sse, received);
    admission::check_named_model(&visit.caller, &call, &provider.name)?;
    if provider.api != Api::Google {
        read_body(&visit, &provider, &mut call)?;
        visit.shed([(&provider, &*call.model)])?;
    }
    // Boxed, like the rarer steps: futures are moved whole, and each one holds those that it waits for.
    let mut exchange = Box::new(Exchange::new(visit, provider, call, &brought));
    if let Some(kind) = affinity::lists::listed(&exchange) {
        return Box::pin(affinity::lists::answer(exchange, kind)).await;
    }
    exchange.bind().await?;
    if exchange.wants_heartbeats() {
        return Ok(Waiting::begin(exchange));
    }
    if exchange.provider.api == Api::Google && exchange.call.outgoing.creates {
        return to_its_end(exchange).await;
    }
    exchange.run().await
}

/// Serves it also when the caller hangs up before the answer: what has been made by then is taken down, and can be found.
async fn to_its_end(exchange: Box<Exchange>) -> Result<Response<Body>, GatewayError> {
    let tasks = exchange.app.tasks.clone();
    let (served, answer) = oneshot::channel();
    let stop = tasks.clone();
    tasks.spawn(async move {
        tokio::select! {
            answer = exchange.run() => drop(served.send(answer)),
            () = stop.stopping() => {}
        }
    });
    let stopped = || {
        let text = "keymux is stopping; try again";
        GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, Class::Refused, text)
    };
    answer.await.unwrap_or_else(|_| Err(stopped()))
}

pub(crate) fn provider(visit: &Visit) -> Result<Arc<Provider>, GatewayError> {
    let Some((name, _)) = visit.route.raw() else {
        let provider = visit.snapshot.gemini().cloned();
        return provider.ok_or_else(failover::no_provider);
    };
    visit.snapshot.provider(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = visit
            .snapshot
            .providers
            .iter()
            .map(|it| &*it.name)
            .collect();
        let text = format!(
            "there is no provider {name:?}; there are {}",
            known.join(", ")
        );
        GatewayError::caller(StatusCode::NOT_FOUND, text).code("unknown_provider")
    })
}

fn operation<'a>(visit: &'a Visit, provider: &Provider, head: &Parts) -> Operation<'a> {
    let operation = visit.route.operation(provider.api, &head.method);
    if provider.api != Api::Google && is_form(&head.headers) {
        // Forms bring files, which nothing here needs to read. Only at one endpoint are they sure to ask no model.
        return Operation {
            transfer: Transfer::Upload,
            place: if operation.endpoint == "files" {
                Place::Resource
            } else {
                Place::OpenAi
            },
            ..operation
        };
    }
    operation
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"))
}

/// The model that the body names, for the pool, which counts by model. A body that names none is passed on all the same.
fn read_body(visit: &Visit, provider: &Provider, call: &mut Call) -> Result<(), GatewayError> {
    let Ok(request) = Request::read(call.chunks()) else {
        return Ok(());
    };
    admission::check_members(&visit.caller, &request)?;
    if let Some(model) = request.model() {
        model.clone_into(&mut call.model);
        visit.recording.goes_to(&provider.name, model);
    }
    Ok(())
}
