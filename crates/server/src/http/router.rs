//! Every route. Callers' endpoints first, because they are what is called; a plain match costs nothing.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{ALLOW, Entry, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use wire::gemini::error::Shape;

use super::machine::Machine;
use super::{Body, assets, cors, dashboard, docs, health, own};
use crate::admin::{Api, Peer};
use crate::app::App;
use crate::gateway::door::Door;
use crate::gateway::{self, ErrorShape, Found, GatewayError, Route, address};

/// Below it are the account API and endpoints of the simple dialect: callers' paths, unlike the rest of the admin API.
const ACCOUNT: &str = "/api/v1/";

/// Everything that can be asked.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) app: Arc<App>,
    api: Api,
    machine: Machine,
}

impl Router {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let api = Api::new(&app);
        let machine = Machine::new(&app.snapshot.load().config.server.data_dir);
        Self { app, api, machine }
    }
}

/// Answers a request.
pub(crate) async fn serve(
    router: &Router,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Response<Body> {
    let app = &router.app;
    let mut response = answer(router, request, peer).await;
    if let Entry::Vacant(vacant) = response.headers_mut().entry("x-keymux-request-id")
        && let Ok(id) = HeaderValue::try_from(app.records.next_id(app.clock.now()).to_string())
    {
        vacant.insert(id);
    }
    response
}

/// Answers, with what browsers of other origins need where they are let in.
async fn answer(router: &Router, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let snapshot = router.app.snapshot.load();
    let server = &snapshot.config.server;
    let has_origins = !server.cors_origins.is_empty();
    let origin = cors::allowed_origin(request.headers(), server);
    drop(snapshot);
    let asked = origin
        .as_ref()
        .and_then(|_| cors::preflight(request.method(), request.headers()));
    let mut response = match asked {
        Some(answer) => answer,
        None => route(router, request, peer).await,
    };
    if let Some(origin) = &origin {
        cors::allow(response.headers_mut(), origin);
    }
    if has_origins {
        cors::vary(response.headers_mut());
    }
    response
}

async fn route(router: &Router, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let app = &router.app;
    match Route::find(request.method(), request.uri(), request.headers()) {
        Found::Route(_) if app.phase.is_draining() => stopping(),
        Found::Route(route) => gateway::serve(app, request, peer, route).await,
        Found::NotYet(path) => {
            let shape = not_yet_shape(path.path());
            let shut = turned_away(app, &request, peer, shape);
            named(
                app,
                shape,
                shut.unwrap_or_else(|| not_yet(path.path(), shape)),
            )
        }
        Found::OnlyTakes(method) => {
            let shut = turned_away(app, &request, peer, ErrorShape::OpenAi);
            let refusal = shut.unwrap_or_else(|| only_takes(&method));
            named(app, ErrorShape::OpenAi, refusal)
        }
        Found::BadPath => {
            let shape = shape_at(request.uri().path());
            let shut = turned_away(app, &request, peer, shape.unwrap_or(ErrorShape::OpenAi));
            let refusal = shut.unwrap_or_else(|| bad_path(shape));
            match shape {
                Some(shape) => named(app, shape, refusal),
                None => refusal,
            }
        }
        Found::Nothing if health::is_at(request.uri().path()) => {
            health::answer(app, &router.machine, request.method()).await
        }
        Found::Nothing
            if request.uri().path().trim_end_matches('/') == ACCOUNT.trim_end_matches('/') =>
        {
            let shut = turned_away(app, &request, peer, ErrorShape::Detail);
            shut.unwrap_or_else(|| {
                let text = "there is nothing at this path";
                GatewayError::caller(StatusCode::NOT_FOUND, text).to_response(ErrorShape::Detail)
            })
        }
        Found::Nothing if request.uri().path().starts_with("/api/") => {
            let is_for_callers = request.uri().path().starts_with(ACCOUNT);
            if is_for_callers
                && let Some(shut) = turned_away(app, &request, peer, ErrorShape::Detail)
            {
                return shut;
            }
            let caller = address::sender(
                request.headers(),
                peer,
                &app.snapshot.load().config.server.trusted_proxies,
            );
            let peer = Peer { caller, hop: peer };
            router.api.serve(request, peer).await
        }
        Found::Nothing => own_route(app, &request, peer),
    }
}

fn own_route(app: &App, request: &Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let path = request.uri().path().trim_end_matches('/');
    let answer: fn(&App, &Request<Incoming>, IpAddr) -> Response<Body> = match path {
        "" => dashboard::serve,
        "/health" => own::health,
        "/ready" => own::ready,
        "/metrics" => own::metrics,
        "/openapi.json" => own::openapi,
        "/_gateway/health" => own::gateway_health,
        "/docs" => docs::swagger,
        "/redoc" => docs::redoc,
        _ if path.starts_with("/assets/") => assets::serve,
        _ if dashboard::is_at(path, request.headers()) => dashboard::serve,
        _ => {
            return own::error(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is nothing at this path",
            );
        }
    };
    match *request.method() {
        Method::GET | Method::HEAD => answer(app, request, peer),
        _ => {
            let text = "only GET and HEAD are allowed here";
            let mut refusal =
                own::error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text);
            refusal
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            refusal
        }
    }
}

/// The program is coming to its end: another instance, or the next run, will answer.
fn stopping() -> Response<Body> {
    let text = "keymux is stopping; try again";
    let mut refusal = own::error(StatusCode::SERVICE_UNAVAILABLE, "stopping", text);
    refusal
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    refusal
}

/// An endpoint of OpenAI's dialect was called by another method than it has.
fn only_takes(method: &Method) -> Response<Body> {
    let text = format!("only {method} is allowed here");
    let error = GatewayError::caller(StatusCode::METHOD_NOT_ALLOWED, text);
    let mut refusal = error
        .code("method_not_allowed")
        .to_response(ErrorShape::OpenAi);
    if let Ok(allowed) = HeaderValue::from_str(method.as_str()) {
        refusal.headers_mut().insert(ALLOW, allowed);
    }
    refusal
}

/// Refuses whoever comes too often without a client key, where the gateway does not come to see who asks.
fn turned_away(
    app: &App,
    request: &Request<Incoming>,
    peer: IpAddr,
    shape: ErrorShape,
) -> Option<Response<Body>> {
    let snapshot = app.snapshot.load_full();
    let (headers, query) = (request.headers(), request.uri().query());
    let door = Door::new(app, &snapshot, headers, query, peer);
    let shut = door.knock().err()?;
    Some(shut.to_response(shape))
}

fn bad_path(shape: Option<ErrorShape>) -> Response<Body> {
    const CODE: &str = "bad_path";
    let text = "the path has a segment `.` or `..`; write it out";
    match shape {
        Some(shape) => {
            let error = GatewayError::caller(StatusCode::BAD_REQUEST, text);
            error.code(CODE).to_response(shape)
        }
        None => own::error(StatusCode::BAD_REQUEST, CODE, text),
    }
}

/// The shape in which callers read errors below a path, by its beginning; none where no caller's endpoint begins so.
fn shape_at(path: &str) -> Option<ErrorShape> {
    let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    Some(match *segments {
        ["v1", "messages", ..] => ErrorShape::Anthropic,
        ["v1" | "p", ..] => ErrorShape::OpenAi,
        ["v1beta" | "v1alpha" | "upload" | "download" | "ws", ..] => {
            ErrorShape::Gemini(Shape::Object)
        }
        ["api", "v1", ..] => ErrorShape::Detail,
        ["gemini-proxy", ..] => ErrorShape::Proxy,
        _ => return None,
    })
}

/// The same answer with an id, by the header too that OpenAI's clients look for it in.
fn named(app: &App, shape: ErrorShape, mut answer: Response<Body>) -> Response<Body> {
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::try_from(app.records.next_id(app.clock.now()).to_string()) {
        headers.entry("x-keymux-request-id").or_insert(id);
    }
    if shape == ErrorShape::OpenAi {
        gateway::name_request_as_openai(headers);
    }
    answer
}

/// An endpoint of OpenAI's or Anthropic's API that this version does not have: an honest 404 in that dialect.
fn not_yet(path: &str, shape: ErrorShape) -> Response<Body> {
    let text = format!(
        "{path} is not in this version of keymux; /v1/chat/completions is, and /p/{{provider}}/ passes on \
         what a provider has"
    );
    let error = GatewayError::caller(StatusCode::NOT_FOUND, text).code("unknown_url");
    error.to_response(shape)
}

fn not_yet_shape(path: &str) -> ErrorShape {
    if path.starts_with("/v1/messages") {
        ErrorShape::Anthropic
    } else {
        ErrorShape::OpenAi
    }
}
