//! The simple dialect: one prompt (`proxy.rs`), one chat (`chat.rs`), one image (`image.rs`), each with one short answer.
//! All three become a `generateContent` call with a key of the pool, or with the caller's own (`ask.rs`). Their shapes
//! are `wire::simple`; which status and code an error has there is `gateway/error.rs`.

mod ask;
mod chat;
mod form;
mod image;
mod proxy;
mod refusal;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use hyper::body::Incoming;
use providers::Transfer;
use wire::simple::{Wrong, model_id};

use super::admission::{self, Ask};
use super::call::Received;
use super::error::GatewayError;
use super::route::Simple;
use super::{Visit, failover};
use crate::http::Body;
use crate::snapshot::Provider;

/// Answers with what the model says.
pub(crate) async fn answer(
    visit: Visit,
    endpoint: Simple,
    head: Parts,
    body: Incoming,
) -> Result<Response<Body>, GatewayError> {
    if head.method != Method::POST {
        return Ok(only_post(&visit));
    }
    let desk = Desk::open(visit, head, body).await?;
    let said = match endpoint {
        Simple::Proxy => proxy::answer(desk).await?,
        Simple::GenerateText => chat::answer(desk).await?,
        Simple::ExtractText => image::answer(desk).await?,
    };
    let mut response = Response::new(Body::full(said));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// A request that has been let in and received, and where it goes.
#[derive(Debug)]
struct Desk {
    visit: Visit,
    provider: Arc<Provider>,
    received: Received,
    began: Instant,
}

impl Desk {
    async fn open(visit: Visit, head: Parts, body: Incoming) -> Result<Self, GatewayError> {
        let began = Instant::now();
        let provider = visit.snapshot.gemini().cloned();
        let provider = provider.ok_or_else(failover::no_provider)?;
        let ask = Ask {
            method: &head.method,
            provider: Some(&provider.name),
            endpoint: visit.route.endpoint(),
            // It is in the body: the limits hear of it when that has been read.
            model: "",
            address: visit.address(&head.headers),
        };
        visit.recording.ask(&ask);
        visit.recording.goes_to(&provider.name, ask.model);
        visit.admit(&ask)?;
        let received =
            Received::read(Transfer::None, head, body, visit.peer, &visit.snapshot).await?;
        Ok(Self {
            visit,
            provider,
            received,
            began,
        })
    }

    /// The body in one piece; copied only where it came in several.
    fn body(&self) -> Bytes {
        match &*self.received.chunks() {
            [one] => one.clone(),
            several => several.concat().into(),
        }
    }

    /// The id of the model that is asked for, or of the default; refuses what the caller may not use.
    fn model(&self, given: Option<&str>) -> Result<String, GatewayError> {
        let provider = &*self.provider.name;
        let settings = self.visit.snapshot.config.providers.get(provider);
        let default = || settings?.default_model.as_deref();
        let Some(name) = given.or_else(default) else {
            let text = format!(
                "`model` is missing, and providers.{provider}.default_model is not set here"
            );
            return Err(wrong(Wrong::new("model", "missing", text)));
        };
        let usual = self.provider.api.usual_name().unwrap_or(provider);
        let model = model_id(name, &[provider, usual]).map_err(wrong)?;
        let access = self.visit.caller.access();
        if access.is_some_and(|access| !access.allows_model(provider, model)) {
            return Err(admission::model_refused(model));
        }
        Ok(model.to_owned())
    }

    /// Notes the body for the request log.
    fn keep_body(&self) {
        self.visit.recording.request_body(&self.received.body);
    }
}

/// The caller's mistake.
fn wrong(wrong: Wrong) -> GatewayError {
    GatewayError::caller(StatusCode::UNPROCESSABLE_ENTITY, wrong.message)
        .code(wrong.kind)
        .param(&wrong.at)
}

fn only_post(visit: &Visit) -> Response<Body> {
    let error = GatewayError::caller(StatusCode::METHOD_NOT_ALLOWED, "only POST is allowed here");
    error.log(visit.recording.id());
    visit.recording.refused(error.status.as_u16(), error.class);
    let mut response = error.to_response(visit.route.error_shape());
    let post = HeaderValue::from_static("POST");
    response.headers_mut().insert(ALLOW, post);
    response
}
