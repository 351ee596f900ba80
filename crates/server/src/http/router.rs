//! Every route. Callers' endpoints first, because they are what is called; a plain match costs nothing.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{ALLOW, Entry, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::{Body, assets, cors, docs, own};
use crate::admin::{Api, Peer};
use crate::app::App;
use crate::gateway::{self, ErrorShape, Found, GatewayError, Route, address};

/// Everything that can be asked.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) app: Arc<App>,
    api: Api,
}

impl Router {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let api = Api::new(&app);
        Self { app, api }
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
    let Some(origin) = cors::allowed_origin(request.headers(), &snapshot.config.server) else {
        drop(snapshot);
        return route(router, request, peer).await;
    };
    if let Some(answer) = cors::preflight(request.method(), request.headers(), &origin) {
        return answer;
    }
    let mut response = route(router, request, peer).await;
    cors::allow(response.headers_mut(), &origin);
    response
}

async fn route(router: &Router, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let app = &router.app;
    match Route::find(request.method(), request.uri(), request.headers()) {
        Found::Route(_) if app.phase.is_draining() => stopping(),
        Found::Route(route) => gateway::serve(app, request, peer, route).await,
        Found::NotYet(path) => not_yet(path.path()),
        Found::BadPath => own::error(
            StatusCode::BAD_REQUEST,
            "bad_path",
            "the path has a segment `.` or `..`; write it out",
        ),
        Found::Nothing if request.uri().path().starts_with("/api/") => {
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
        "" => own::index,
        "/health" => own::health,
        "/ready" => own::ready,
        "/metrics" => own::metrics,
        "/openapi.json" => own::openapi,
        "/_gateway/health" => own::gateway_health,
        "/docs" => docs::swagger,
        "/redoc" => docs::redoc,
        _ if path.starts_with("/assets/") => assets::serve,
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

/// An endpoint of OpenAI's or Anthropic's API that this version does not have: an honest 404 in that dialect.
fn not_yet(path: &str) -> Response<Body> {
    let text = format!(
        "{path} is not in this version of keymux; Google's models answer OpenAI's dialect under \
         /v1beta/openai/"
    );
    let error = GatewayError::caller(StatusCode::NOT_FOUND, text).code("unknown_url");
    let is_anthropic = path.starts_with("/v1/messages");
    error.to_response(if is_anthropic {
        ErrorShape::Anthropic
    } else {
        ErrorShape::OpenAi
    })
}
