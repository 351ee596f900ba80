//! A request of OpenAI's dialect on its way along its targets: each gets it as its provider wants it, and the next one
//! when the one before has nothing to answer with. Where the targets come from is `plan.rs`.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::Class;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use providers::{Asked, Body, Endpoint, Prepared, Transfer};
use wire::gemini::Content;
use wire::openai::request::Request;

use super::brought::Brought;
use super::call::{Call, Reply};
use super::error::GatewayError;
use super::plan::Target;
use super::tidying::Tidying;
use crate::egress::{Outgoing, OutgoingBody};

/// What was asked, and who has not been asked yet.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) endpoint: Endpoint,
    pub(crate) request: Request,
    /// As they go to every provider.
    pub(crate) headers: HeaderMap,
    pub(crate) brought: Brought,
    pub(crate) called_at: Option<String>,
    /// An id for answers that have none.
    pub(crate) id: String,
    pub(crate) now_s: u64,
    pub(crate) rest: VecDeque<Target>,
}

impl Chain {
    /// The first target that can be asked this; where none can, what the first one says against it.
    pub(crate) fn first(&mut self) -> Result<(Target, Call), GatewayError> {
        let mut first_refusal = None;
        while let Some((target, call)) = self.next() {
            match call {
                Ok(call) => return Ok((target, call)),
                Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
            }
        }
        Err(first_refusal.unwrap_or_else(super::failover::no_provider))
    }

    /// The next target, and the request as it is put to it.
    pub(crate) fn next(&mut self) -> Option<(Target, Result<Call, GatewayError>)> {
        let target = self.rest.pop_front()?;
        let call = self.call(&target);
        Some((target, call))
    }

    fn call(&self, target: &Target) -> Result<Call, GatewayError> {
        let prepared = target.provider.api.prepare(&Asked {
            endpoint: self.endpoint,
            request: &self.request,
            model: &target.model,
            id: &self.id,
            now_s: self.now_s,
        });
        let prepared = prepared.map_err(refused)?;
        Ok(self.put(prepared, target))
    }

    fn put(&self, prepared: Prepared, target: &Target) -> Call {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (chunks, files) = match prepared.body {
            Body::Ready(chunks) => (chunks, None),
            Body::WithFiles(files) => (Arc::from([]), Some(files)),
        };
        Call {
            place: prepared.place,
            model: target.model.clone(),
            answer: Content::OpenAi,
            is_stream: false,
            is_sse: self.request.is_stream(),
            transfer: Transfer::None,
            reply: Reply::OpenAi {
                asked_for: self.request.model().unwrap_or(&target.model).into(),
                translation: prepared.translation,
                tidying: Tidying::of(self.endpoint, &self.request, target.provider.api),
            },
            files,
            opening: None,
            outgoing: Outgoing {
                method: Method::POST,
                path_and_query: prepared.path,
                headers,
                body: OutgoingBody::Buffered(chunks),
                creates: false,
            },
            called_at: self.called_at.clone(),
        }
    }
}

/// The caller's mistake, before anything was sent.
fn refused(refused: providers::Refused) -> GatewayError {
    GatewayError::upstream(StatusCode::BAD_REQUEST, Class::BadRequest, refused.message)
        .maybe_param(refused.param.as_deref())
}
