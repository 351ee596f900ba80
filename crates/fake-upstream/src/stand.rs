//! The path of one request through the stand-in: recorded, read, met by a rule, answered.
//! The routes are in `gemini/`; the steering paths under `/_fake/` go to `control.rs`.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::body::AnswerBody;
use crate::call::Call;
use crate::clock::Clock;
use crate::control;
use crate::fast::Fast;
use crate::gemini;
use crate::gemini::caches::Caches;
use crate::gemini::files::Files;
use crate::gemini::interactions::Interactions;
use crate::gemini::models::Models;
use crate::gemini::voice::Voice;
use crate::keys::Keyring;
use crate::quota::Ledger;
use crate::reply::{JSON, Reply};
use crate::rule::{Deed, Rule, RuleBook, fixture_reply, garbage_reply};
use crate::script::Script;
use crate::seen::{Recorder, Visit};
use crate::socket::Cord;

/// Everything a running stand-in is.
#[derive(Debug)]
pub(crate) struct Stand {
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
    clock: Arc<Clock>,
    fast: Option<Fast>,
    ids: AtomicU64,
}

impl Stand {
    pub(crate) fn new(script: Script, base_url: String) -> Self {
        let clock = Arc::new(Clock::new());
        let voice = Voice::of(&script);
        let models = Models::new(script.models);
        let stand = Self {
            fast: script.fast.then(|| Fast::prebuilt(&voice, &models)),
            base_url,
            voice,
            models,
            keyring: Keyring::default(),
            ledger: Ledger::new(Arc::clone(&clock)),
            rules: RuleBook::default(),
            recorder: Recorder::new(script.recorded),
            files: Files::default(),
            caches: Caches::default(),
            interactions: Interactions::default(),
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
        let mut seed = self
            .ids
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut digit = || {
            seed ^= seed >> 29;
            seed = seed
                .wrapping_mul(0xbf58_476d_1ce4_e5b9)
                .wrapping_add(0x94d0_49bb_1331_11eb);
            char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[(seed >> 32) as usize % 36])
        };
        (0..length).map(|_| digit()).collect()
    }

    /// Answers one request. The error type says that a connection only ever dies by its cord.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        cord: Arc<Cord>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        let (parts, incoming) = request.into_parts();
        if let Some(reply) = self.fast_reply(&parts) {
            let visit = self.recorder.open(&parts);
            drain(incoming).await;
            return Ok(reply.into_response(visit, &cord));
        }
        let steering = parts.uri.path().starts_with("/_fake/");
        let visit = if steering {
            None
        } else {
            self.recorder.open(&parts)
        };
        let Ok(body) = incoming.collect().await else {
            return Ok(unreadable().into_response(visit, &cord));
        };
        let call = Call::read(parts, body.to_bytes());
        if let Some(visit) = &visit {
            visit.body(&call.body);
        }
        let reply = if steering {
            control::serve(&self, &call)
        } else {
            self.play(&call, visit.as_ref(), &cord).await
        };
        Ok(reply.into_response(visit, &cord))
    }

    fn fast_reply(&self, parts: &http::request::Parts) -> Option<Reply> {
        let fast = self.fast.as_ref().filter(|_| self.rules.is_empty())?;
        let reply = fast.reply(parts)?;
        self.keyring
            .is_plain(crate::call::shown_key(parts).as_deref())
            .then_some(reply)
    }

    async fn play(&self, call: &Call, visit: Option<&Visit>, cord: &Cord) -> Reply {
        let rule = self.rules.take(call).unwrap_or_default();
        if !rule.delay.is_zero() {
            tokio::time::sleep(rule.delay).await;
        }
        match rule.deed {
            Deed::StallBeforeHead => pending().await,
            Deed::Reset => hang_up(visit, || cord.reset()).await,
            Deed::Close => hang_up(visit, || cord.close()).await,
            _ => self.reply(call, rule),
        }
    }

    fn reply(&self, call: &Call, rule: Rule) -> Reply {
        match rule.deed {
            Deed::Respond(reply) => reply,
            Deed::Fixture(fixture) => fixture_reply(fixture, call.error_shape()),
            Deed::Empty(kind) => gemini::generate::empty(self, call, kind),
            Deed::BlockedPrompt => gemini::generate::blocked_prompt(self, call),
            Deed::BlockedSafety => gemini::generate::blocked_safety(self, call),
            Deed::Garbage => garbage_reply(call),
            Deed::Midway(midway) => gemini::serve(self, call, Some(&midway)),
            Deed::Pass | Deed::StallBeforeHead | Deed::Reset | Deed::Close => {
                gemini::serve(self, call, None)
            }
        }
    }
}

async fn hang_up(visit: Option<&Visit>, pull: impl FnOnce()) -> Reply {
    if let Some(visit) = visit {
        visit.complete();
    }
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
