//! One request with all that it holds on to while it is served: the settings it began with, its provider, its keys.

use std::sync::Arc;
use std::time::Duration;

use domain::{Class, ResourceName, Secret, UnixMs, Verdict};
use http::header::LOCATION;
use http::response::Parts;
use http::{Response, StatusCode};
use keypool::{Exhausted, Prefix};
use providers::Api;

use super::affinity::{self, Destination};
use super::attempt::{self, Means, Tried};
use super::begun;
use super::brought::Brought;
use super::call::{Call, Reply};
use super::caller::Caller;
use super::chain::Chain;
use super::credential::Credential;
use super::credentials::Credentials;
use super::error::GatewayError;
use super::failover::{self, Outcome};
use super::failure::Failure;
use super::own_keys::OwnKeys;
use super::plan::Known;
use super::record::Recording;
use super::relay::Relay;
use super::ways::Ways;
use super::{Visit, redirects, refusal};
use crate::app::App;
use crate::egress::{Egress, Fault, NoEgress, Refused};
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
    /// What it names belongs there, or goes with what is there.
    pub(crate) destination: Destination,
    /// What it begins with, where a provider may remember that.
    pub(crate) prefix: Option<Prefix>,
    /// Where it can go when this provider has nothing to answer with.
    chain: Option<Box<Chain>>,
    /// It makes what is used with other things: those had better follow it.
    leads: bool,
    credentials: Credentials,
    own_keys: OwnKeys,
    ways: Ways,
}

impl Exchange {
    /// A request to one provider.
    pub(crate) fn new(
        visit: Visit,
        provider: Arc<Provider>,
        call: Call,
        brought: &Brought,
    ) -> Self {
        visit.app.retry_budget.request(visit.app.clock.now());
        let pinned = visit.session.map(|session| session.key);
        let begun_by = visit.session.and_then(|session| session.egress);
        let owner = visit.caller.client().and_then(|client| client.owner);
        let brought = brought.key(provider.api);
        Self {
            credentials: Credentials::new(&provider.pools, owner, brought, pinned),
            app: visit.app,
            snapshot: visit.snapshot,
            provider,
            call,
            caller: visit.caller,
            recording: visit.recording,
            destination: Destination::Anywhere,
            prefix: None,
            chain: None,
            leads: false,
            own_keys: OwnKeys::new(owner),
            ways: Ways::new(begun_by),
        }
    }

    /// A request to the first provider of a chain; the caller's mistake is said at once.
    pub(crate) fn along(visit: Visit, mut chain: Chain) -> Result<Self, GatewayError> {
        let (target, call) = chain.first()?;
        visit
            .recording
            .goes_to(&target.provider.name, &target.model);
        let mut exchange = Self::new(visit, target.provider, call, &chain.brought);
        exchange.chain = (!chain.rest.is_empty()).then(|| Box::new(chain));
        Ok(exchange)
    }

    /// Finds whose keys it needs by what it names; refuses what is not the caller's.
    pub(crate) async fn bind(&mut self) -> Result<(), GatewayError> {
        self.prefix = affinity::prefix(&self.provider, &self.call, &self.snapshot);
        let destination = affinity::bind(self).await?;
        self.go(destination);
        self.leads = affinity::begins_beside_others(self);
        Ok(())
    }

    /// It has to go somewhere, or had better go there. What is bound to a project cannot be asked of another provider.
    pub(crate) fn go(&mut self, destination: Destination) {
        self.credentials.go(&self.provider.pools, &destination);
        if matches!(destination, Destination::Bound(_) | Destination::WithOwnKey) {
            self.chain = None;
        }
        self.destination = destination;
    }

    /// Whether the project that it is bound to has any key here.
    pub(crate) fn has_keys(&self) -> bool {
        self.credentials.has_home()
    }

    /// Whether that project has any key here.
    pub(crate) fn has_keys_of(&self, project: &str) -> bool {
        self.provider.pools.with_project(project).is_some()
    }

    /// What it names that only one project's keys reach.
    fn named(&self) -> Option<&ResourceName> {
        match &self.destination {
            Destination::Bound(bound) => bound.names.first(),
            _ => None,
        }
    }

    /// Whether the caller has brought a key of its own.
    pub(crate) fn has_brought_key(&self) -> bool {
        self.credentials.has_brought()
    }

    /// The same with the caller's own key, and no other.
    pub(crate) fn with_only(self, key: Secret) -> Self {
        Self {
            credentials: Credentials::only(&self.provider.pools, key),
            ..self
        }
    }

    /// How many providers could still be asked.
    pub(crate) fn targets_left(&self) -> usize {
        self.chain.as_ref().map_or(0, |chain| chain.rest.len())
    }

    /// Goes on with the next target that can be asked this. False: there is none.
    pub(crate) fn move_on(&mut self) -> bool {
        while let Some((target, call)) = self.chain.as_mut().and_then(|chain| chain.next()) {
            let Ok(call) = call else { continue };
            let owner = self.caller.client().and_then(|client| client.owner);
            let brought = self
                .chain
                .as_ref()
                .and_then(|chain| chain.brought.key(target.provider.api));
            self.recording.goes_to(&target.provider.name, &target.model);
            self.credentials = Credentials::new(&target.provider.pools, owner, brought, None);
            self.destination = Destination::Anywhere;
            self.prefix = None;
            self.leads = false;
            self.own_keys = OwnKeys::new(owner);
            // What led nowhere there says nothing of the way to another provider.
            self.ways = Ways::new(None);
            self.provider = target.provider;
            self.call = call;
            return true;
        }
        false
    }

    /// Serves it: the provider's answer, or its error, as the caller's response.
    pub(crate) async fn run(mut self: Box<Self>) -> Result<Response<Body>, GatewayError> {
        let outcome = failover::run(&mut self).await?;
        affinity::learn(&self, &outcome).await;
        begun::learn(&self, &outcome).await;
        self.respond(outcome)
    }

    /// The outcome as a response.
    pub(crate) fn respond(&self, outcome: Outcome) -> Result<Response<Body>, GatewayError> {
        Ok(match outcome {
            Outcome::Answer(answer, credential) => {
                let mut answer = *answer;
                self.turn_links_round(&mut answer.head);
                self.recording
                    .answered(answer.head.status.as_u16(), answer.flow.is_stream());
                let idle = self.snapshot.config.pool.stream_idle_timeout;
                let (head, relay) = Relay::new(answer, credential, idle);
                Response::from_parts(head, Body::relay(relay))
            }
            Outcome::Refusal(refusal, verdict) => {
                if let Reply::OpenAi { .. } = self.call.reply {
                    if verdict.class == Class::ModelUnavailable {
                        return Err(self.no_such_model());
                    }
                    return Err(refusal::in_openais_words(
                        &refusal,
                        &verdict,
                        &self.call.model,
                        self.provider.api,
                    ));
                }
                self.recording
                    .refused(refusal.head.status.as_u16(), verdict.class);
                Response::from(*refusal).map(Body::full)
            }
        })
    }

    /// Turns the links in an answer's head round.
    fn turn_links_round(&self, head: &mut Parts) {
        let location = head.headers.remove(LOCATION);
        begun::turn_round(self, head);
        if let Some(location) = location {
            let here = self.call.called_at.as_deref();
            let base = self.provider.origin.url();
            let turned = here.and_then(|here| redirects::turned(&location, &base, here));
            head.headers.insert(LOCATION, turned.unwrap_or(location));
        }
    }

    /// Every key may be tried again: another request is made for the same caller.
    pub(crate) fn start_over(&mut self) {
        self.credentials.start_over();
    }

    /// Whether the provider's accounts may have only so many requests like this under way.
    pub(crate) fn takes_turns(&self) -> bool {
        self.provider.turns.is_some() && self.call.asks_a_model()
    }

    pub(crate) fn wants_heartbeats(&self) -> bool {
        self.call.is_sse && !self.snapshot.config.retry.heartbeat.is_zero()
    }

    pub(crate) fn next_credential(&mut self, again: bool) -> Result<Credential, Exhausted> {
        let now = self.app.clock.now();
        let next = if self.leads {
            self.begin_beside_others(again, now)
        } else {
            self.credentials.next(&self.call.model, again, now)
        };
        let notice = self.own_keys.went_on(next.as_ref(), &self.provider.name);
        if let Some(notice) = notice {
            self.app.notices.put(notice);
        }
        next
    }

    /// The next key for something that is used with other things: of the project in which they began, if it may be.
    fn begin_beside_others(&mut self, again: bool, now: UnixMs) -> Result<Credential, Exhausted> {
        let (app, provider) = (self.app.clone(), self.provider.name.clone());
        let client = self.caller.client().map(|client| client.id);
        let sticky = &app.resources.sticky;
        sticky.begin(&provider, client, now, |project| {
            if let Some(project) = project {
                self.go(Destination::Rather(project));
            }
            let next = self.credentials.next(&self.call.model, again, now);
            let key = next.as_ref().ok().and_then(Credential::key);
            let project = key.map(|key| key.project_name().into());
            (next, project)
        })
    }

    /// A key that was drawn and not used may be drawn again.
    pub(crate) fn give_back(&mut self, unused: Credential) {
        self.credentials.give_back(unused);
    }

    /// How an attempt with that key leaves.
    pub(crate) fn choose_egress(&mut self, credential: &Credential) -> Result<Egress, NoEgress> {
        let is_encrypted = self.provider.is_encrypted();
        let now = self.app.clock.now();
        self.ways
            .choose(&self.app.proxies, credential, is_encrypted, now)
    }

    /// How the last attempt left.
    pub(crate) fn last_egress(&self) -> &Egress {
        self.ways.last()
    }

    /// Tries it with one key by one egress, for at most `limit` up to the first useful chunk.
    pub(crate) async fn attempt(
        &mut self,
        credential: &Credential,
        egress: &Egress,
        limit: Duration,
    ) -> Tried {
        let means = Means {
            credential,
            egress,
            now: self.app.clock.now(),
        };
        attempt::send(&self.provider, &mut self.call, means, limit).await
    }

    /// Tells what became of a key and of its way: the pool that the key is in, whoever watches over its owner's keys, and
    /// the proxies. Gives whose fault it was.
    pub(crate) fn report(&mut self, credential: &Credential, tried: &Tried) -> Fault {
        let now = self.app.clock.now();
        let heard = credential.report(&self.call.model, &tried.verdict, tried.took, now);
        self.ways.learn(&self.app.proxies, tried, now);
        let fault = self.attribute(heard, tried, now);
        if fault == Fault::Proxy {
            self.own_keys.forgive(&tried.egress);
        } else if tried.result.is_err() {
            self.own_keys
                .failed(credential, &tried.verdict, &tried.egress);
        } else if let Some(notice) = self.own_keys.answered(credential, &self.provider.name) {
            self.app.notices.put(notice);
        }
        fault
    }

    /// Whether it was the key's fault or the way's. A key of the caller's own, whatever it is, is no witness.
    fn attribute(&self, heard: Option<Refused<'_>>, tried: &Tried, now: UnixMs) -> Fault {
        let ways = &self.provider.attribution.requests;
        match heard {
            _ if tried.result.is_ok() => ways.answered(&tried.egress, now),
            Some(refused) if tried.status.is_some() => {
                return ways.refused(&tried.egress, refused, &self.app.proxies, now);
            }
            _ => {}
        }
        Fault::Key
    }

    /// The caller itself chose the path that the provider does not know.
    pub(crate) fn is_callers_own_path(&self, verdict: &Verdict) -> bool {
        let is_raw = matches!(self.call.reply, Reply::AsItIs) && self.provider.api != Api::Google;
        is_raw && verdict.class == Class::GatewayBug
    }

    /// Until when every key is out, where none could be had for another attempt.
    pub(crate) fn cooling(&mut self) -> Option<Exhausted> {
        let now = self.app.clock.now();
        let exhausted = self.credentials.exhausted(&self.call.model, now);
        exhausted.filter(|why| matches!(why, Exhausted::Cooling { .. }))
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
            egress = self.ways.last().proxy().map_or(&*self.app.direct, |proxy| &*proxy.name),
            class = verdict.class.name(),
            reason = verdict.reason,
            private = failure.private,
            "attempt failed"
        );
    }

    /// No attempt can leave.
    pub(crate) fn no_egress(&self, why: NoEgress) -> GatewayError {
        let error =
            GatewayError::upstream(StatusCode::BAD_GATEWAY, Class::Network, why.to_string());
        error.private(format!("{}: {}", self.provider.name, why.reason()))
    }

    /// Why no key could be had, as the caller may know it.
    pub(crate) fn nothing_usable(&self, exhausted: Exhausted) -> GatewayError {
        match exhausted {
            Exhausted::Cooling {
                class: Class::ModelUnavailable,
                ..
            } => self.no_such_model(),
            Exhausted::Cooling { until, class } => self.exhausted(until, class),
            Exhausted::NoKeys => self.no_keys(),
            Exhausted::AllRetired | Exhausted::AllTried => self.no_usable_key(Class::KeyInvalid),
        }
    }

    /// There is no key that may be used.
    fn no_keys(&self) -> GatewayError {
        let text = match self.named() {
            _ if self.credentials.is_pinned() => {
                "no usable key: the one that this was begun with is not here any more; begin anew"
                    .to_owned()
            }
            Some(name) => format!(
                "no usable key for {name}: the keys of the project that it belongs to are disabled"
            ),
            None => format!("no usable key: the pool of {} is empty", self.provider.name),
        };
        GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, Class::KeyInvalid, text)
    }

    /// No key that was asked has the model: for the caller that is as if it did not exist.
    pub(crate) fn no_such_model(&self) -> GatewayError {
        if let Reply::OpenAi { asked_for, .. } = &self.call.reply {
            let lists = self.app.catalog.lists();
            let known = Known::new(&self.snapshot, &lists, &self.caller, self.app.clock.now());
            return known.unavailable(asked_for);
        }
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
        let text = match self.named() {
            Some(name) => format!(
                "no usable key for {name} now: none of the project that it belongs to works"
            ),
            None => format!("no usable key for {} now", self.provider.name),
        };
        match class {
            // A day's quota or a purse that is empty is no key that is wrong.
            Class::Billing | Class::QuotaDaily => self.out_of_keys(class, text),
            _ => GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, class, text),
        }
    }

    fn exhausted(&self, until: UnixMs, class: Class) -> GatewayError {
        let wait = self.app.clock.now().until(until);
        let seconds = wait.as_secs().max(1);
        let text = match self.named() {
            Some(name) => format!(
                "the keys of the project that {name} belongs to are cooling; the first is free in {seconds} s"
            ),
            None => format!(
                "every key of {} is cooling for this model; the first is free in {seconds} s",
                self.provider.name
            ),
        };
        self.out_of_keys(class, text).retry_after(Some(wait))
    }

    /// The pool has nothing left: 503, or 429 with the code that tells OpenAI's clients whether waiting helps.
    fn out_of_keys(&self, class: Class, text: String) -> GatewayError {
        match self.snapshot.config.pool.exhausted_status {
            config::ExhaustedStatus::Unavailable => {
                GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, class, text)
            }
            config::ExhaustedStatus::TooManyRequests => {
                let code = match class {
                    Class::Billing | Class::QuotaDaily => "insufficient_quota",
                    _ => "rate_limit_exceeded",
                };
                GatewayError::upstream(StatusCode::TOO_MANY_REQUESTS, class, text).code(code)
            }
        }
    }
}
