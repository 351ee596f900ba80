//! Sessions over WebSockets: Google's Live API, and what other providers have of that kind below `/p/{provider}/`.
//!
//! A socket of the Live API is opened to the caller before anything is known of it: its first message, `setup`, names the
//! model. It is put to one key after the other until one takes it (`setup.rs`); from then on messages pass both ways
//! (`talk.rs`, one way at a time `passing.rs`). Any other socket is opened at the provider first, and then to the caller. `handshake.rs` has the HTTP of
//! both ends, `socket.rs` what is said on them, `opening.rs` one attempt, `permission.rs` whether it may go on, `farewell.rs` how it ends.

mod farewell;
mod handshake;
mod opening;
mod passing;
mod permission;
mod setup;
mod socket;
mod talk;
pub(crate) mod token;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use domain::{Class, Secret};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use providers::Api;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::admission::{self, Ask};
use super::brought::Brought;
use super::call::{self, Call, Received};
use super::caller::parameters;
use super::error::GatewayError;
use super::exchange::Exchange;
use super::failover::{self, Outcome};
use super::route::Route;
use super::{Visit, headers, parameters as checked, passed_on};
use crate::app::App;
use crate::egress::OutgoingBody;
use crate::http::Body;
use crate::live_sessions::LiveSession;
use crate::snapshot::Provider;
pub(crate) use farewell::Farewell;
use handshake::Wish;
pub(crate) use opening::Opening;
use socket::Socket;
use talk::Talk;

/// The name of all of this in records and limits.
const ENDPOINT: &str = "live";

/// The caller's end.
type CallerSocket = Socket<TokioIo<Upgraded>>;

/// Whether the request is for a WebSocket, or should be.
pub(crate) fn is_asked_for(route: &Route, headers: &HeaderMap) -> bool {
    route.is_live() || route.raw().is_some() && handshake::wants_websocket(headers)
}

/// Opens a session for the caller.
pub(crate) async fn answer(visit: Visit, mut head: Parts) -> Result<Response<Body>, GatewayError> {
    let provider = passed_on::provider(&visit)?;
    if provider.api == Api::Google && !visit.route.is_live() {
        let text = "there is no WebSocket at this path; Google's are below /ws/";
        return Err(GatewayError::caller(StatusCode::NOT_FOUND, text));
    }
    let wish = Wish::read(&mut head)?;
    let model = model_in(visit.route.query());
    let ask = Ask {
        method: &head.method,
        provider: Some(&provider.name),
        endpoint: ENDPOINT,
        model: &model,
        address: visit.address(&head.headers),
    };
    visit.recording.ask(&ask);
    visit.recording.goes_to(&provider.name, &model);
    visit.admit(&ask)?;
    checked::check_method(&head)?;
    if provider.api == Api::Google {
        checked::check(&head, visit.route.query(), &visit.caller, &ask)?;
    }
    let asked = Asked::new(visit, provider, head, &wish);
    if asked.visit.route.is_live() {
        let response = wish.grant(None);
        let tasks = asked.visit.app.tasks.clone();
        tasks.spawn(setup::serve(asked, wish.upgrade));
        return Ok(response);
    }
    open_first(asked, wish, model).await
}

/// Opens the socket at the provider, and then to the caller.
async fn open_first(
    asked: Asked,
    wish: Wish,
    model: String,
) -> Result<Response<Body>, GatewayError> {
    admission::check_session(&asked.visit.caller, &asked.provider.name, &model)?;
    asked.visit.shed([(&asked.provider, &*model)])?;
    let (mut exchange, open) = asked.put(model, None);
    let (answer, credential) = match failover::run(&mut exchange).await? {
        Outcome::Answer(answer, credential) => (answer, credential),
        refusal @ Outcome::Refusal(..) => return exchange.respond(refusal),
    };
    let response = wish.grant(answer.head.headers.get("sec-websocket-protocol").cloned());
    let tasks = exchange.app.tasks.clone();
    let Some(talk) = Talk::new(exchange, credential, open) else {
        return Err(lost());
    };
    tasks.spawn(async move {
        if let Some(caller) = caller_socket(wish.upgrade).await {
            talk.hold(caller, Vec::new()).await;
        }
    });
    Ok(response)
}

/// A session that was asked for and is not open at the provider yet.
#[derive(Debug)]
struct Asked {
    visit: Visit,
    provider: Arc<Provider>,
    received: Received,
    /// Shown in place of a key.
    token: Option<Secret>,
    open: Open,
}

impl Asked {
    fn new(visit: Visit, provider: Arc<Provider>, head: Parts, wish: &Wish) -> Self {
        let open = Open::begin(&visit, &provider, visit.address(&head.headers));
        let trusted = &visit.snapshot.config.server.trusted_proxies;
        let called_at = super::address::as_called(&head.headers, visit.peer, trusted);
        let brought = Brought::read(&head.headers);
        let token = visit
            .session
            .and_then(|_| token::find(&head.headers, visit.route.query()));
        let mut headers = head.headers;
        headers::clean_for_upstream(&mut headers);
        wish.put_to_provider(&mut headers);
        let received = Received {
            method: head.method,
            headers,
            body: OutgoingBody::Buffered(Arc::from([])),
            brought,
            called_at,
        };
        Self {
            visit,
            provider,
            received,
            token: token.map(Secret::new),
            open,
        }
    }

    /// The session on its way to its provider's keys.
    fn put(self, model: String, setup: Option<Message>) -> (Box<Exchange>, Open) {
        let Self {
            visit,
            provider,
            received,
            token,
            open,
        } = self;
        let path = visit
            .route
            .raw()
            .map_or(visit.route.path(), |(_, path)| path);
        let path_and_query = call::path_and_query(path, visit.route.query());
        let operation = visit.route.operation(provider.api, &received.method);
        let brought = received.brought.clone();
        let key = received.headers.get("sec-websocket-key").cloned();
        let mut call = Call::passed_on(operation, path_and_query, false, received);
        call.model = model;
        call.opening = Some(Box::new(Opening::new(setup, token, key)));
        (
            Box::new(Exchange::new(visit, provider, call, &brought)),
            open,
        )
    }
}

/// Keeps a session among the open ones until it is dropped.
#[derive(Debug)]
struct Open {
    app: Arc<App>,
    session: Arc<LiveSession>,
}

impl Open {
    fn begin(visit: &Visit, provider: &Provider, address: IpAddr) -> Self {
        let client = visit.caller.client().map(|client| client.id);
        let id = visit.recording.id();
        let caller = (client, address);
        let session = LiveSession::new(id, caller, provider.name.clone(), visit.now);
        Self {
            app: visit.app.clone(),
            session: visit.app.live_sessions.begin(session),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.app.live_sessions.over(self.session.id);
    }
}

/// The model that a query names, as realtime APIs of OpenAI's kind do.
fn model_in(query: Option<&str>) -> String {
    let mut named = parameters(query).filter(|(name, _)| name == "model");
    named
        .next()
        .map_or_else(String::new, |(_, model)| model.into_owned())
}

/// It was open, and is not.
fn lost() -> GatewayError {
    let text = "the provider closed the session at once; try again";
    GatewayError::upstream(StatusCode::BAD_GATEWAY, Class::ServerError, text)
}

/// The caller's end, once the answer has been sent.
async fn caller_socket(upgrade: OnUpgrade) -> Option<CallerSocket> {
    let io = TokioIo::new(upgrade.await.ok()?);
    Some(Socket::new(io, Bytes::new(), Role::Server).await)
}
