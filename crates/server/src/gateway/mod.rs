//! The path of a request: who asks, what is asked, with which keys, try after try, and the answer.
//! `serve` and `answer` below are the whole of it; each step is a file of that name.

mod address;
mod attempt;
mod call;
mod caller;
mod credentials;
mod error;
mod exchange;
mod failover;
mod headers;
mod heartbeat;
mod hold;
mod links;
mod models;
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
pub(crate) use record::{RecordSink, Recording};
pub(crate) use relay::Relay;
pub(crate) use route::{Found, Kind, Route};
pub(crate) use uploads::Uploads;

use crate::app::App;
use crate::http::Body;
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
    recording.caller(&caller);
    let provider = snapshot
        .gemini()
        .cloned()
        .ok_or_else(failover::no_provider)?;
    let call = Call::read(&route, head, body, peer, &snapshot).await?;
    recording.call(&call, &provider);
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
