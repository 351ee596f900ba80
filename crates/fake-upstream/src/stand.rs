//! The path of one request through the stand-in: recorded, read, met by a rule, answered.
//! The routes are in the providers' folders; the steering paths under `/_fake/` go to `control.rs`.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::body::{AnswerBody, Stake};
use crate::call::{Call, ErrorShape};
use crate::clock::Clock;
use crate::control;
use crate::fast::Fast;
use crate::gemini;
use crate::gemini::caches::Caches;
use crate::gemini::files::Files;
use crate::gemini::interactions::Interactions;
use crate::gemini::live::{Handles, Tokens as LiveTokens};
use crate::gemini::models::Models;
use crate::gemini::owned::Owned;
use crate::gigachat;
use crate::gigachat::accounts::Accounts;
use crate::keys::Keyring;
use crate::peers::Peers;
use crate::provider::Provider;
use crate::proxy::Door;
use crate::quota::Ledger;
use crate::refusal::Refusal;
use crate::reply::{JSON, Reply};
use crate::responses::store::Responses;
use crate::rule::{Deed, Rule, RuleBook, fixture_reply, garbage_reply};
use crate::script::{Script, XaiErrors};
use crate::seat::{Seat, Seats};
use crate::seen::Recorder;
use crate::socket::Cord;
use crate::voice::Voice;
use crate::websocket::Handshake;
use crate::xai;
use crate::xai::deferred::Deferred;

/// Everything a running stand-in is.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) provider: Provider,
    pub(crate) base_url: String,
    pub(crate) voice: Voice,
    pub(crate) models: Models,
    pub(crate) keyring: Keyring,
    pub(crate) ledger: Ledger,
    pub(crate) rules: RuleBook,
    pub(crate) recorder: Recorder,
    pub(crate) files: Files,
    pub(crate) caches: Caches,
    pub(crate) interactions: Interactions,
    pub(crate) live_tokens: LiveTokens,
    pub(crate) live_handles: Handles,
    pub(crate) owned: Owned,
    pub(crate) deferred: Deferred,
    pub(crate) responses: Responses,
    pub(crate) accounts: Accounts,
    pub(crate) seats: Seats,
    pub(crate) peers: Peers,
    /// The proxies that are steered here.
    pub(crate) proxies: Vec<Arc<Door>>,
    xai_errors: XaiErrors,
    clock: Arc<Clock>,
    fast: Option<Fast>,
    ids: AtomicU64,
}

impl Stand {
    pub(crate) fn new(script: Script, base_url: String) -> Self {
        let clock = Arc::new(Clock::new());
        let voice = Voice::of(&script);
        let models = match &script.models {
            Some(ids) => Models::guessed(ids.iter().map(String::as_str)),
            None => Models::guessed(script.provider.catalogue().iter().copied()),
        };
        let fast = script.fast && script.provider == Provider::Gemini;
        let stand = Self {
            provider: script.provider,
            fast: fast.then(|| Fast::prebuilt(&voice, &models)),
            base_url,
            voice,
            models,
            keyring: Keyring::default(),
            ledger: Ledger::new(script.provider, Arc::clone(&clock)),
            rules: RuleBook::default(),
            recorder: Recorder::new(script.recorded),
            files: Files::default(),
            caches: Caches::default(),
            interactions: Interactions::default(),
            live_tokens: LiveTokens::default(),
            live_handles: Handles::default(),
            owned: Owned::default(),
            deferred: Deferred::default(),
            responses: Responses::default(),
            accounts: Accounts::new(script.tokens, Arc::clone(&clock)),
            seats: Seats::default(),
            peers: Peers::default(),
            proxies: script.proxies,
            xai_errors: script.xai_errors,
            clock,
            ids: AtomicU64::new(1),
        };
        script
            .keys
            .into_iter()
            .for_each(|key| stand.keyring.set(key));
        script
            .rules
            .into_iter()
            .for_each(|rule| stand.rules.add(rule));
        stand
    }

    pub(crate) fn advance_minutes(&self, minutes: u64) {
        self.clock.skip(Duration::from_secs(60 * minutes));
    }

    /// A fresh id of lower-case letters and digits, `length` long.
    pub(crate) fn fresh_id(&self, length: usize) -> String {
        self.fresh(length, b"abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// A fresh uuid of version 4.
    pub(crate) fn fresh_uuid(&self) -> String {
        let hex = self.fresh(30, b"0123456789abcdef");
        let [time, low, version, variant, node] = [0..8, 8..12, 12..15, 15..18, 18..30];
        let (time, low) = (&hex[time], &hex[low]);
        let (version, variant, node) = (&hex[version], &hex[variant], &hex[node]);
        format!("{time}-{low}-4{version}-8{variant}-{node}")
    }

    fn fresh(&self, length: usize, digits: &[u8]) -> String {
        let mut seed = self
            .ids
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut digit = || {
            seed ^= seed >> 29;
            seed = seed
                .wrapping_mul(0xbf58_476d_1ce4_e5b9)
                .wrapping_add(0x94d0_49bb_1331_11eb);
            char::from(digits[(seed >> 32) as usize % digits.len()])
        };
        (0..length).map(|_| digit()).collect()
    }

    /// How errors on this path are wrapped.
    pub(crate) fn error_shape(&self, call: &Call) -> ErrorShape {
        match self.provider {
            Provider::Gemini => call.error_shape(),
            Provider::Xai if self.xai_errors.apply_to(&call.path) => ErrorShape::OpenAi,
            _ => ErrorShape::Plain,
        }
    }

    /// Answers one request. The error type says that a connection only ever dies by its cord.
    pub(crate) async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        cord: Arc<Cord>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        let handshake = Handshake::asked_for(&mut request);
        let (parts, incoming) = request.into_parts();
        let key = self.shown_key(&parts);
        let steering = parts.uri.path().starts_with("/_fake/");
        let visit = if steering {
            None
        } else {
            self.recorder.open(&parts, key.clone(), cord.peer)
        };
        let mut stake = Stake { visit, seat: None };
        let server = self.provider.server();
        if let Some(reply) = self.fast_reply(&parts, key.as_deref()) {
            drain(incoming).await;
            return Ok(reply.into_response(server, stake, &cord));
        }
        let mut call = Call::read(parts, Bytes::new(), key, cord.peer.ip());
        if let Some(id) = gemini::upload::under_way(&call).filter(|_| self.answers_fast()) {
            let measured = gemini::upload::measure(&self, &call, id, incoming).await;
            let refused = |refusal: Refusal| refusal.into_reply(self.error_shape(&call));
            let reply = measured.unwrap_or_else(refused);
            return Ok(reply.into_response(server, stake, &cord));
        }
        let Ok(body) = incoming.collect().await else {
            return Ok(unreadable().into_response(server, stake, &cord));
        };
        call.body = body.to_bytes();
        if let Some(visit) = &stake.visit {
            visit.body(&call.body);
        }
        let reply = if steering {
            control::serve(&self, &call)
        } else {
            match self.seat(&call) {
                Ok(seat) => {
                    stake.seat = seat;
                    self.play(&call, handshake, &mut stake, &cord).await
                }
                Err(refusal) => refusal.into_reply(self.error_shape(&call)),
            }
        };
        Ok(reply.into_response(server, stake, &cord))
    }

    /// Whose request this is, as the record and rules name it.
    fn shown_key(&self, parts: &http::request::Parts) -> Option<String> {
        match self.provider {
            Provider::Gemini => crate::call::shown_key(parts),
            Provider::Gigachat => gigachat::shown_key(self, &parts.headers),
            _ => crate::call::bearer(&parts.headers).map(ToOwned::to_owned),
        }
    }

    /// The seat of a request where requests at once are limited.
    fn seat(&self, call: &Call) -> Result<Option<Seat>, Refusal> {
        match self.provider {
            Provider::Gigachat => gigachat::seat(self, call),
            _ => Ok(None),
        }
    }

    /// Whether it is for measurements.
    pub(crate) fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    /// Whether nothing is scripted that stands in the way of fast answers.
    fn answers_fast(&self) -> bool {
        self.is_fast() && self.rules.is_empty()
    }

    fn fast_reply(&self, parts: &http::request::Parts, key: Option<&str>) -> Option<Reply> {
        let fast = self.fast.as_ref().filter(|_| self.answers_fast())?;
        let reply = fast.reply(parts)?;
        self.keyring.is_plain(key).then_some(reply)
    }

    async fn play(
        self: &Arc<Self>,
        call: &Call,
        handshake: Option<Handshake>,
        stake: &mut Stake,
        cord: &Arc<Cord>,
    ) -> Reply {
        let rule = self.rules.take(call).unwrap_or_default();
        if !rule.delay.is_zero() {
            tokio::time::sleep(rule.delay).await;
        }
        match rule.deed {
            Deed::StallBeforeHead => pending().await,
            Deed::Reset => hang_up(stake, || cord.reset()).await,
            Deed::Close => hang_up(stake, || cord.close()).await,
            Deed::Respond(_) | Deed::Fixture(_) | Deed::Garbage => self.reply(call, rule),
            deed => match handshake {
                Some(handshake) => self.talk(call, handshake, deed, stake, cord),
                None => self.provider.serve(self, call, &deed),
            },
        }
    }

    /// Goes on as a WebSocket, where the provider has one at this path.
    fn talk(
        self: &Arc<Self>,
        call: &Call,
        handshake: Handshake,
        deed: Deed,
        stake: &mut Stake,
        cord: &Arc<Cord>,
    ) -> Reply {
        let opening = match self.provider {
            Provider::Gemini => gemini::live::open(self, call),
            Provider::Xai => xai::realtime::open(self, call),
            _ => None,
        };
        match opening {
            None => self.provider.serve(self, call, &deed),
            Some(Err(refusal)) => refusal.into_reply(self.error_shape(call)),
            Some(Ok(talk)) => {
                let reply = handshake.reply();
                let line = handshake.line(deed, std::mem::take(stake), Arc::clone(cord));
                cord.go_on(async move {
                    if let Some(line) = line.await {
                        talk.hold(line).await;
                    }
                });
                reply
            }
        }
    }

    fn reply(&self, call: &Call, rule: Rule) -> Reply {
        match rule.deed {
            Deed::Respond(reply) => reply,
            Deed::Fixture(fixture) => fixture_reply(fixture, self.error_shape(call)),
            Deed::Garbage => garbage_reply(call),
            deed => self.provider.serve(self, call, &deed),
        }
    }
}

async fn hang_up(stake: &mut Stake, pull: impl FnOnce()) -> Reply {
    stake.complete();
    pull();
    pending().await
}

/// Reads a body without keeping it, so that the connection can be used again.
async fn drain(mut incoming: Incoming) {
    while let Some(Ok(_)) = incoming.frame().await {}
}

fn unreadable() -> Reply {
    Reply::new(StatusCode::BAD_REQUEST, JSON, Bytes::new())
}
