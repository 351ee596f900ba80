//! `GET /api/v1/health`: how keymux and its machine are, for those who used the simple endpoints' health before.
//! Whether an instance shall get requests is `/ready`; how many keys there are is `/_gateway/health`.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::Body;
use super::machine::Machine;
use crate::app::App;

/// Where it is.
const PATH: &str = "/api/v1/health";

/// Whether a path leads here.
pub(super) fn is_at(path: &str) -> bool {
    path.trim_end_matches('/') == PATH
}

/// Answers `GET` and `HEAD`, whoever asks.
pub(super) async fn answer(app: &App, machine: &Machine, method: &Method) -> Response<Body> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let text = wire::simple::detail("only GET and HEAD are allowed here");
        let mut refusal = json(StatusCode::METHOD_NOT_ALLOWED, text);
        let allowed = HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(ALLOW, allowed);
        return refusal;
    }
    let usable = app
        .snapshot
        .load()
        .gemini()
        .map_or(0, |provider| provider.pool().census(app.clock.now()).active);
    let (status, gemini_api) = if usable > 0 {
        ("healthy", "available")
    } else {
        ("degraded", "unavailable")
    };
    let body = json!({
        "status": status,
        "uptime": app.clock.uptime().as_secs(),
        "gemini_api": gemini_api,
        "system_stats": machine.figures().await,
    });
    json(StatusCode::OK, body.to_string())
}

fn json(status: StatusCode, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
