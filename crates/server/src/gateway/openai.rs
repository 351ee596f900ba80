//! OpenAI's dialect: a request for any provider, found by the model's name in its body.
//! `plan.rs` finds the targets, `chain.rs` puts the request to each; the lists of models are `models.rs`.

use std::collections::VecDeque;

use domain::Class;
use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use providers::{Endpoint, Transfer};
use wire::openai::request::{Request, RequestError};

use super::admission::{self, Ask};
use super::call::Received;
use super::chain::Chain;
use super::error::GatewayError;
use super::exchange::Exchange;
use super::heartbeat::Waiting;
use super::plan::{Known, Target};
use super::{Visit, encoded};
use crate::http::Body;

/// Answers with what the first provider of the model's chain has to say that has something to say.
pub(crate) async fn answer(
    visit: Visit,
    endpoint: Endpoint,
    head: Parts,
    body: Incoming,
) -> Result<Response<Body>, GatewayError> {
    let ask = Ask {
        method: &head.method,
        provider: None,
        endpoint: endpoint.name(),
        model: "",
        address: visit.address(&head.headers),
    };
    visit.recording.ask(&ask);
    visit.admit(&ask)?;
    if encoded::is(&head.headers) {
        let text = "the body is compressed (content-encoding); send it as it is";
        return Err(GatewayError::caller(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            text,
        ));
    }
    let received = Received::read(Transfer::None, head, body, visit.peer, &visit.snapshot).await?;
    visit.recording.request_body(&received.body);
    let request = Request::read(received.chunks()).map_err(|error| unreadable(&error))?;
    admission::check_members(&visit.caller, &request)?;
    let rest = targets(&visit, model(&visit, &request)?).await?;
    let could_answer = rest.iter().map(|target| (&target.provider, &*target.model));
    visit.shed(could_answer)?;
    let chain = Chain {
        endpoint,
        request,
        headers: received.headers,
        brought: received.brought,
        called_at: received.called_at,
        id: visit.recording.id().to_string(),
        now_s: visit.now.0.unsigned_abs() / 1000,
        rest,
    };
    let mut exchange = Box::new(Exchange::along(visit, chain)?);
    exchange.bind().await?;
    if exchange.wants_heartbeats() {
        return Ok(Waiting::begin(exchange));
    }
    exchange.run().await
}

/// Where the model's name leads. Right after the start it may be known only once the providers have been asked.
async fn targets(visit: &Visit, name: &str) -> Result<VecDeque<Target>, GatewayError> {
    let catalog = &visit.app.catalog;
    let look_up = || Known::of(visit, &catalog.lists()).targets(name);
    match look_up() {
        Err(_) if !catalog.is_settled() => {
            catalog.wait().await;
            look_up()
        }
        found => found,
    }
}

/// The model that is asked for, or that of requests that name none.
fn model<'a>(visit: &'a Visit, request: &'a Request) -> Result<&'a str, GatewayError> {
    let default = || {
        let provider = visit.snapshot.gemini()?;
        let settings = visit.snapshot.config.providers.get(&*provider.name)?;
        settings.default_model.as_deref()
    };
    let refused = |text| GatewayError::caller(StatusCode::BAD_REQUEST, text).param("model");
    let name = request.model().or_else(default).ok_or_else(|| {
        refused("the request names no model; GET /v1/models lists those that there are")
    })?;
    if name.chars().any(char::is_control) {
        return Err(refused("the model's name has control characters in it"));
    }
    Ok(name)
}

fn unreadable(error: &RequestError) -> GatewayError {
    GatewayError::upstream(
        StatusCode::BAD_REQUEST,
        Class::BadRequest,
        error.to_string(),
    )
    .maybe_param(error.param())
}
