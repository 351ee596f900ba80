//! keymux's own small endpoints: is it alive, is it ready, what does it count.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::Body;
use crate::admin;
use crate::app::App;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The process lives.
pub(crate) fn health(_: &App, _: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    json(
        StatusCode::OK,
        &json!({"status": "healthy", "service": "keymux", "version": VERSION}),
    )
}

/// It takes requests; 503 while it starts or stops.
pub(crate) fn ready(app: &App, _: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    let body = json!({"status": app.phase.name(), "database": app.database.name()});
    if app.phase.is_ready() {
        return json(StatusCode::OK, &body);
    }
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &body);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The description of the admin API.
pub(crate) fn openapi(_: &App, _: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    let mut response = Response::new(Body::full(admin::document()));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Prometheus's text format, for those whom the settings let in.
pub(crate) fn metrics(app: &App, request: &Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let snapshot = app.snapshot.load();
    let server = &snapshot.config.server;
    let is_inside = server.metrics_allow.is_empty()
        || server
            .metrics_allow
            .iter()
            .any(|net| net.contains(&peer.to_canonical()));
    let shown = request
        .headers()
        .get(AUTHORIZATION)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let shown = shown.strip_prefix(b"Bearer ").unwrap_or_default();
    let has_token = server
        .metrics_token
        .as_ref()
        .is_none_or(|token| token.expose().as_bytes().ct_eq(shown).into());
    if !is_inside {
        return error(
            StatusCode::FORBIDDEN,
            "forbidden",
            "this address may not read the metrics",
        );
    }
    if !has_token {
        return error(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "show server.metrics_token as bearer",
        );
    }
    let mut response = Response::new(Body::full(app.metrics.render(app)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// How many keys of Google's are usable, and how the proxies stand.
pub(crate) fn gateway_health(app: &App, _: &Request<Incoming>, _: IpAddr) -> Response<Body> {
    let snapshot = app.snapshot.load();
    let proxies = app.proxies.census();
    let active = snapshot
        .gemini()
        .map_or(0, |google| google.pool().census(app.clock.now()).active);
    let body = json!({
        "status": if active > 0 { "healthy" } else { "degraded" },
        "gemini_keys_available": active,
        "health_checks_enabled": snapshot.config.health_checks.enabled,
        "whitelisted_proxies_count": proxies.healthy,
        "recently_failed_proxies_tracked": proxies.set_aside,
        "min_whitelist_target": snapshot.config.egress.min_healthy,
    });
    json(StatusCode::OK, &body)
}

/// An error outside the callers' dialects.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    json(
        status,
        &json!({"error": {"code": code, "message": message}}),
    )
}

fn json(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::full(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
