//! The path of a request: who asks, what is asked, with which keys, try after try, and the answer.
//! `serve` and `answer` below are the whole of it; each step is a file of that name.

pub(crate) mod address;
mod admission;
mod attempt;
mod call;
pub(crate) mod caller;
mod credentials;
mod error;
mod exchange;
mod failover;
mod headers;
mod heartbeat;
mod hold;
mod kept_bodies;
mod links;
mod models;
mod own_keys;
mod parameters;
mod record;
mod relay;
mod route;
mod uploads;

use std::net::IpAddr;
use std::sync::Arc;

use http::Response;
use hyper::body::Incoming;

pub(crate) use error::{ErrorShape, GatewayError};
pub(crate) use heartbeat::Waiting;
pub(crate) use kept_bodies::{BodySink, KeptBodies, KeptBody};
pub(crate) use record::{RecordSink, Recording};
pub(crate) use relay::{Ending, Relay};
pub(crate) use route::{Found, Kind, Route};
pub(crate) use uploads::Uploads;

use crate::app::App;
use crate::http::Body;
use admission::Ask;
use call::Call;
use exchange::Exchange;

/// Answers a caller's request.
pub(crate) async fn serve(
    app: &Arc<App>,
    request: http::Request<Incoming>,
    peer: IpAddr,
    route: Route,
) -> Response<Body> {
    let recording = Recording::begin(app, &route);
    let shape = route.error_shape();
    let mut response = match answer(app, request, peer, route, &recording).await {
        Ok(response) => response,
        Err(error) => {
            error.log(recording.id());
            recording.refused(error.status.as_u16(), error.class);
            error.to_response(shape)
        }
    };
    recording.label(response.headers_mut());
    response.map(|body| body.recorded(recording))
}

async fn answer(
    app: &Arc<App>,
    request: http::Request<Incoming>,
    peer: IpAddr,
    route: Route,
    recording: &Recording,
) -> Result<Response<Body>, GatewayError> {
    let snapshot = app.snapshot.load_full();
    let now = app.clock.now();
    let (head, body) = request.into_parts();
    let session = route.upload().and_then(|query| app.uploads.named_in(query));
    let caller = match &session {
        Some(session) => session.admit(&head.headers, route.query(), &snapshot, now)?,
        None => caller::identify(&head.headers, route.query(), &snapshot, now)?,
    };
    recording.caller(&caller, || caller::shown_keys(&head.headers, route.query()));
    let provider = snapshot
        .gemini()
        .cloned()
        .ok_or_else(failover::no_provider)?;
    let operation = route.operation(&head.method);
    let ask = Ask {
        method: &head.method,
        provider: &provider.name,
        endpoint: operation.endpoint,
        model: operation.model.as_deref().unwrap_or_default(),
        address: address::sender(&head.headers, peer, &snapshot.config.server.trusted_proxies),
    };
    recording.ask(&ask, &provider);
    admission::admit(&caller, &ask, &snapshot, recording, now)?;
    parameters::check(&head, route.query(), &caller, &ask)?;
    let call = Call::read(&route, operation, head, body, peer, &snapshot).await?;
    recording.request_body(&call.outgoing.body);
    admission::check_named_model(&caller, &call, &provider.name)?;
    // Boxed, like the rarer steps: futures are moved whole, and each one holds those that it waits for.
    let exchange = Box::new(Exchange::new(
        app, snapshot, provider, call, caller, session, recording,
    ));
    match route.kind {
        Kind::OpenAiModels => Box::pin(models::answer(*exchange)).await,
        Kind::Gemini if exchange.wants_heartbeats() => Ok(Waiting::begin(exchange)),
        Kind::Gemini => exchange.run().await,
    }
}
