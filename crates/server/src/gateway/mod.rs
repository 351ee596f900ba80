//! The path of a request: who asks, what is asked, with which keys, try after try, and the answer.
//! `serve` and `answer` below are the whole of it; each step is a file of that name.

pub(crate) mod address;
mod admission;
mod affinity;
mod attempt;
mod begun;
mod brought;
mod call;
pub(crate) mod caller;
mod chain;
mod credential;
mod credentials;
pub(crate) mod door;
mod encoded;
mod error;
mod exchange;
mod failover;
mod failure;
mod giving;
mod headers;
mod heartbeat;
mod hold;
mod kept_bodies;
mod links;
mod live;
mod models;
mod openai;
mod own_keys;
mod parameters;
mod passed_on;
mod plan;
mod record;
mod redirects;
mod refusal;
mod relay;
mod route;
mod shed;
mod simple;
mod tidying;
mod turn;
mod ways;

use std::net::IpAddr;
use std::sync::Arc;

use domain::UnixMs;
use http::{HeaderMap, Response};
use hyper::body::Incoming;

pub(crate) use begun::Begun;
pub(crate) use error::{ErrorShape, GatewayError};
pub(crate) use heartbeat::Waiting;
pub(crate) use kept_bodies::{BodySink, KeptBodies, KeptBody};
pub(crate) use record::{RecordSink, Recording};
pub(crate) use relay::{Ending, Relay};
pub(crate) use route::{Found, Kind, Route};

use crate::app::App;
use crate::http::Body;
use crate::snapshot::{Provider, Snapshot};
use admission::Ask;
use begun::Session;
use caller::Caller;
use door::Door;

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
            recording.refused(error.status_in(shape).as_u16(), error.class);
            error.to_response(shape)
        }
    };
    recording.label(response.headers_mut());
    if shape == ErrorShape::OpenAi {
        name_request_as_openai(response.headers_mut());
    }
    response.map(|body| body.recorded(recording))
}

/// Gives an answer the header by which OpenAI's clients tell requests apart, where the provider gave none.
pub(crate) fn name_request_as_openai(headers: &mut HeaderMap) {
    if let Some(id) = headers.get("x-keymux-request-id").cloned() {
        headers.entry("x-request-id").or_insert(id);
    }
}

async fn answer(
    app: &Arc<App>,
    request: http::Request<Incoming>,
    peer: IpAddr,
    route: Route,
    recording: &Recording,
) -> Result<Response<Body>, GatewayError> {
    let (head, body) = request.into_parts();
    let visit = Visit::begin(app, route, &head.headers, peer, recording).await?;
    // Boxed where it is rarer: futures are moved whole, and each one holds those that it waits for.
    if live::is_asked_for(&visit.route, &head.headers) {
        return Box::pin(live::answer(visit, head)).await;
    }
    match visit.route.kind {
        Kind::Gemini | Kind::Raw => passed_on::answer(visit, head, body).await,
        Kind::OpenAi(endpoint) => openai::answer(visit, endpoint, head, body).await,
        Kind::OpenAiModels => Box::pin(models::answer(visit, head)).await,
        Kind::Simple(endpoint) => Box::pin(simple::answer(visit, endpoint, head, body)).await,
    }
}

/// A caller's request as it is received: who asks, for what, and the state of things that it is served by.
#[derive(Debug)]
pub(crate) struct Visit {
    app: Arc<App>,
    snapshot: Arc<Snapshot>,
    route: Route,
    caller: Caller,
    /// What it goes on with.
    session: Option<Session>,
    recording: Recording,
    peer: IpAddr,
    now: UnixMs,
}

impl Visit {
    /// Finds out who asks, or refuses.
    async fn begin(
        app: &Arc<App>,
        route: Route,
        headers: &HeaderMap,
        peer: IpAddr,
        recording: &Recording,
    ) -> Result<Self, GatewayError> {
        let snapshot = app.snapshot.load_full();
        let door = Door::new(app, &snapshot, headers, route.query(), peer);
        let upload = match route.upload() {
            Some(query) => begun::upload_in(query)?,
            None => None,
        };
        let upload = door.begun(upload).await;
        let token = door.begun(live::token::named_in(&route, headers)).await;
        let identified = match (upload, token) {
            (Some(upload), _) => upload.admit(&door),
            (None, Some(token)) => live::token::admit(token, &door),
            (None, None) => door.identify(),
        };
        let session = upload.or(token);
        let now = door.now;
        let caller = match door.admit(identified) {
            Ok((caller, standing)) => {
                recording.standing(standing);
                caller
            }
            Err(shut) => {
                recording.standing(shut.standing);
                return Err(shut.error);
            }
        };
        recording.caller(&caller, || caller::shown_keys(headers, route.query()));
        Ok(Self {
            app: app.clone(),
            snapshot,
            route,
            caller,
            session,
            recording: recording.clone(),
            peer,
            now,
        })
    }

    /// The address that counts as the caller's.
    fn address(&self, headers: &HeaderMap) -> IpAddr {
        address::sender(
            headers,
            self.peer,
            &self.snapshot.config.server.trusted_proxies,
        )
    }

    /// Lets it in and counts it, or says why not.
    fn admit(&self, ask: &Ask<'_>) -> Result<(), GatewayError> {
        admission::admit(&self.caller, ask, &self.recording, self.now)
    }

    /// Refuses it where few keys are usable for any of these models.
    fn shed<'a>(
        &self,
        targets: impl IntoIterator<Item = (&'a Arc<Provider>, &'a str)>,
    ) -> Result<(), GatewayError> {
        shed::shed(self, targets)
    }
}
