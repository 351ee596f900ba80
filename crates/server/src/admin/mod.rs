//! The admin API: sessions, keys, client keys, users, settings, records. One file for each resource; every route is in
//! [`routes`], and with it in `/openapi.json`. Handlers read their input, check who asks, make one change or one query,
//! and answer. What a change means for the running program is in `live.rs`. Callers' requests never come here; what the
//! holder of a client key does with its owner's keys is in `account`.

mod account;
mod activity_logs;
mod allowed_keys;
mod bans;
mod cells;
mod egress_proxies;
mod egress_sources;
mod error;
mod events;
mod input;
mod jobs;
mod key_checks;
mod key_files;
mod keys;
mod live_sessions;
mod login;
mod models;
mod names;
mod openapi;
mod page;
mod prices;
mod providers;
mod request_logs;
mod resources;
mod settings;
mod stats;
mod throttle;
mod time;
mod users;
mod who;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tower::ServiceExt as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use error::ApiError;
pub(crate) use jobs::Jobs;
pub(crate) use openapi::document;
pub(crate) use throttle::Logins;
pub(crate) use who::Peer;

use crate::app::App;
use crate::http::Body;

/// The largest body: a hundred thousand keys, pasted.
const LARGEST_BODY: usize = 32 << 20;

/// The admin API, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Api(Router);

impl Api {
    pub(crate) fn new(app: &Arc<App>) -> Self {
        let (router, _) = routes().split_for_parts();
        let router = router
            .fallback(async |uri: Uri| {
                let text = "there is nothing at this path";
                account::in_its_shape(
                    &uri,
                    ApiError::new(StatusCode::NOT_FOUND, "not_found", text),
                )
            })
            .method_not_allowed_fallback(async |uri: Uri| {
                let text =
                    "this path does not take that method; /openapi.json names those it takes";
                let status = StatusCode::METHOD_NOT_ALLOWED;
                account::in_its_shape(&uri, ApiError::new(status, "method_not_allowed", text))
            })
            .layer(DefaultBodyLimit::max(LARGEST_BODY));
        Self(router.with_state(app.clone()))
    }

    /// Answers a request of `peer`.
    pub(crate) async fn serve(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer);
        account::take_trailing_slashes(&mut request);
        let answered = self.0.clone().oneshot(request).await;
        let mut response = answered.unwrap_or_else(IntoResponse::into_response);
        // What is shown here concerns one user at one moment.
        response.headers_mut().insert(
            http::header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        );
        response.map(Body::api)
    }
}

/// Every route.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(login::routes())
        .merge(keys::routes())
        .merge(key_checks::routes())
        .merge(key_files::routes())
        .merge(allowed_keys::routes())
        .merge(models::routes())
        .merge(providers::routes())
        .merge(egress_proxies::routes())
        .merge(egress_sources::routes())
        .merge(users::routes())
        .merge(bans::routes())
        .merge(settings::routes())
        .merge(prices::routes())
        .merge(stats::routes())
        .merge(events::routes())
        .merge(request_logs::routes())
        .merge(resources::routes())
        .merge(activity_logs::routes())
        .merge(jobs::routes())
        .merge(live_sessions::routes())
        .merge(account::routes())
}

/// The document without what every route shares.
fn described() -> OpenApi {
    routes().into_openapi()
}
