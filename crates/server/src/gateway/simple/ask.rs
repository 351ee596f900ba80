//! Asking the model: a question of the simple dialect as a `generateContent` call, its answer read whole.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use domain::{Class, Secret};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use providers::{Place, Transfer};
use wire::gemini::Content;
use wire::simple::Said;

use super::{Desk, refusal};
use crate::egress::{Outgoing, OutgoingBody};
use crate::gateway::call::{Call, Reply};
use crate::gateway::error::GatewayError;
use crate::gateway::exchange::Exchange;
use crate::gateway::failover::{self, Outcome};
use crate::gateway::relay::Relay;

/// A larger answer is no short one.
const LARGEST_ANSWER: usize = 32 << 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is asked of a model.
#[derive(Debug)]
pub(super) struct Question {
    /// The model's id.
    pub(super) model: String,
    /// The call's body.
    pub(super) body: Vec<u8>,
    /// The caller's own key, if no other is to be used.
    pub(super) only_key: Option<Secret>,
}

impl Desk {
    /// What the model says; empty where it only thought until it had to stop.
    pub(super) async fn ask(self, question: Question) -> Result<String, GatewayError> {
        let (visit, provider, received) = (self.visit, self.provider, self.received);
        let recording = visit.recording.clone();
        if question.only_key.is_none() {
            visit.shed([(&provider, &*question.model)])?;
        }
        let idle = visit.snapshot.config.pool.stream_idle_timeout;
        recording.goes_to(&provider.name, &question.model);
        let call = call(question.model, question.body, received.called_at);
        let mut exchange = Exchange::new(visit, provider, call, &received.brought);
        let has_own_key = question.only_key.is_some();
        if let Some(key) = question.only_key {
            exchange = exchange.with_only(key);
        }
        let (answer, credential) = match failover::run(&mut exchange).await {
            Ok(Outcome::Answer(answer, credential)) => (answer, credential),
            Ok(Outcome::Refusal(refusal, verdict)) => {
                return Err(refusal::in_our_words(&refusal, &verdict));
            }
            Err(error) if has_own_key => return Err(refusal::of_own_key(error)),
            Err(error) => return Err(error),
        };
        recording.answered(answer.head.status.as_u16(), false);
        let (_, mut relay) = Relay::new(*answer, credential, idle);
        let whole = read_whole(&mut relay).await;
        let ending = relay.ending();
        let class = ending.class;
        recording.over(ending);
        let said = whole.as_deref().and_then(Said::read);
        said_or_why_not(said, class)
    }
}

/// The call. Nothing of the caller's headers goes with it: they belong to another request than the provider gets.
fn call(model: String, body: Vec<u8>, called_at: Option<String>) -> Call {
    let as_it_is = HeaderValue::from_static("identity");
    let headers = [
        (CONTENT_TYPE, JSON),
        (ACCEPT, JSON),
        (ACCEPT_ENCODING, as_it_is),
    ];
    Call {
        place: Place::Model,
        answer: Content::Generate,
        is_stream: false,
        is_sse: false,
        transfer: Transfer::None,
        reply: Reply::AsItIs,
        files: None,
        opening: None,
        outgoing: Outgoing {
            method: Method::POST,
            path_and_query: format!("/v1beta/models/{model}:generateContent"),
            headers: HeaderMap::from_iter(headers),
            body: OutgoingBody::Buffered(Arc::from([Bytes::from(body)])),
            creates: false,
        },
        model,
        called_at,
    }
}

/// All of an answer; none where it broke off or does not end.
async fn read_whole(relay: &mut Relay) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(chunk) = poll_fn(|cx| relay.poll_chunk(cx)).await {
        let chunk = chunk.ok()?;
        if whole.len() + chunk.len() > LARGEST_ANSWER {
            return None;
        }
        whole.extend_from_slice(&chunk);
    }
    Some(whole)
}

/// The words of a good answer, or what is wrong with this one.
fn said_or_why_not(said: Option<Said>, class: Class) -> Result<String, GatewayError> {
    match (class, said) {
        (Class::Ok, Some(said)) => Ok(said.text),
        (Class::Blocked, said) => Err(refusal::blocked(said.and_then(|said| said.reason))),
        (Class::EmptyAnswer, said) => Err(refusal::empty(said.and_then(|said| said.reason))),
        (Class::Timeout, _) => Err(refusal::too_slow()),
        (_, _) => Err(refusal::broken()),
    }
}
