//! One request with all that it holds on to while it is served: the settings it began with, its provider, its keys.

use std::sync::Arc;

use domain::{Class, Verdict};
use http::{Response, StatusCode};
use keypool::Exhausted;

use super::attempt::{Failure, Tried};
use super::call::Call;
use super::caller::Caller;
use super::credentials::{Credential, Credentials};
use super::error::GatewayError;
use super::failover::{self, Outcome};
use super::own_keys::OwnKeys;
use super::record::Recording;
use super::relay::Relay;
use super::uploads::Session;
use crate::app::App;
use crate::http::Body;
use crate::snapshot::{Provider, Snapshot};

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) app: Arc<App>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) call: Call,
    pub(crate) caller: Caller,
    pub(crate) recording: Recording,
    credentials: Credentials,
    own_keys: OwnKeys,
}

impl Exchange {
    pub(crate) fn new(
        app: &Arc<App>,
        snapshot: Arc<Snapshot>,
        provider: Arc<Provider>,
        mut call: Call,
        caller: Caller,
        session: Option<Session>,
        recording: &Recording,
    ) -> Self {
        app.retry_budget.request(app.clock.now());
        let pinned = session.map(|session| session.key);
        let owner = caller.client().and_then(|client| client.owner);
        let credentials = Credentials::new(&provider.pools, owner, call.brought.take(), pinned);
        let (app, recording) = (app.clone(), recording.clone());
        Self {
            app,
            snapshot,
            provider,
            call,
            caller,
            recording,
            credentials,
            own_keys: OwnKeys::new(owner),
        }
    }

    /// Serves it: the provider's answer, or its error, as the caller's response.
    pub(crate) async fn run(mut self: Box<Self>) -> Result<Response<Body>, GatewayError> {
        let outcome = failover::run(&mut self).await?;
        Ok(self.respond(outcome))
    }

    /// The outcome as a response.
    pub(crate) fn respond(&self, outcome: Outcome) -> Response<Body> {
        match outcome {
            Outcome::Answer(answer, credential) => {
                let mut answer = *answer;
                self.app.uploads.watch(self, &credential, &mut answer.head);
                self.recording
                    .answered(answer.head.status.as_u16(), answer.flow.is_stream());
                let idle = self.snapshot.config.pool.stream_idle_timeout;
                let (head, relay) = Relay::new(answer, credential, idle);
                Response::from_parts(head, Body::relay(relay))
            }
            Outcome::Refusal(refusal, verdict) => {
                self.recording
                    .refused(refusal.head.status.as_u16(), verdict.class);
                Response::from(*refusal).map(Body::full)
            }
        }
    }

    /// Every key may be tried again: another request is made for the same caller.
    pub(crate) fn start_over(&mut self) {
        self.credentials.start_over();
    }

    pub(crate) fn wants_heartbeats(&self) -> bool {
        self.call.is_sse && !self.snapshot.config.retry.heartbeat.is_zero()
    }

    pub(crate) fn next_credential(&mut self, again: bool) -> Result<Credential, Exhausted> {
        let now = self.app.clock.now();
        let next = self.credentials.next(&self.call.model, again, now);
        let notice = self.own_keys.went_on(next.as_ref(), &self.provider.name);
        if let Some(notice) = notice {
            self.app.notices.put(notice);
        }
        next
    }

    /// Tells what became of a key: the pool that it is in, and whoever watches over its owner's keys.
    pub(crate) fn report(&mut self, credential: &Credential, tried: &Tried) {
        let now = self.app.clock.now();
        credential.report(&self.call.model, &tried.verdict, tried.took, now);
        if tried.result.is_err() {
            self.own_keys.failed(credential, &tried.verdict);
        } else if let Some(notice) = self.own_keys.answered(credential, &self.provider.name) {
            self.app.notices.put(notice);
        }
    }

    /// Whether the model is overloaded for everyone, so that trying other keys is useless.
    pub(crate) fn is_overloaded(&self) -> bool {
        let now = self.app.clock.now();
        self.credentials.is_overloaded(&self.call.model, now)
    }

    pub(crate) fn log_failure(
        &self,
        credential: &Credential,
        verdict: &Verdict,
        failure: &Failure,
    ) {
        let key = credential.key();
        tracing::warn!(
            request.id = %self.recording.id(),
            provider = &*self.provider.name,
            model = self.call.model,
            key.id = key.map(|key| key.id.0),
            key.label = key.and_then(|key| key.label.as_deref()),
            class = verdict.class.name(),
            reason = verdict.reason,
            private = failure.private,
            "attempt failed"
        );
    }

    /// Why no key could be had, as the caller may know it.
    pub(crate) fn nothing_usable(&self, exhausted: Exhausted) -> GatewayError {
        let provider = &self.provider.name;
        match exhausted {
            Exhausted::Cooling {
                class: Class::ModelUnavailable,
                ..
            } => self.no_such_model(),
            Exhausted::Cooling { until, class } => self.exhausted(until, class),
            Exhausted::NoKeys => GatewayError::upstream(
                StatusCode::SERVICE_UNAVAILABLE,
                Class::KeyInvalid,
                format!("no usable key: the pool of {provider} is empty"),
            ),
            Exhausted::AllRetired | Exhausted::AllTried => self.no_usable_key(Class::KeyInvalid),
        }
    }

    /// No key that was asked has the model: for the caller that is as if it did not exist.
    pub(crate) fn no_such_model(&self) -> GatewayError {
        let text = format!(
            "{} is not available to the keys of {}",
            self.call.model, self.provider.name
        );
        GatewayError::upstream(StatusCode::NOT_FOUND, Class::ModelUnavailable, text)
            .code("model_not_found")
    }

    /// Every key of the provider is out, or we sent what it does not understand; the caller does not learn more.
    pub(crate) fn no_usable_key(&self, class: Class) -> GatewayError {
        if class == Class::GatewayBug {
            let text = "keymux sent what the provider does not understand; its log says more";
            return GatewayError::upstream(StatusCode::INTERNAL_SERVER_ERROR, class, text);
        }
        let text = format!("no usable key for {} now", self.provider.name);
        GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, class, text)
    }

    fn exhausted(&self, until: domain::UnixMs, class: Class) -> GatewayError {
        let status = match self.snapshot.config.pool.exhausted_status {
            config::ExhaustedStatus::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            config::ExhaustedStatus::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        };
        let wait = self.app.clock.now().until(until);
        let seconds = wait.as_secs().max(1);
        let text = format!(
            "every key of {} is cooling for this model; the first is free in {seconds} s",
            self.provider.name
        );
        GatewayError::upstream(status, class, text).retry_after(Some(wait))
    }
}
