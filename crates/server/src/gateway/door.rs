//! The door: who asks, and whether whoever shows no valid client key may ask at all. Such callers are counted by their
//! address (`metering::Visitors`), refused beyond its limits and banned beyond those; a valid client key passes all of
//! that. What a caller may do once it is in is `admission.rs`.
//!
//! A ban cannot stop whoever guesses keys, since a right guess would pass it. So where ever new unknown keys come from
//! one address, keys that are short enough to be guessed are not looked up any more, unless they were used from there
//! before; longer ones, as keymux makes them, always are.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use config::{Auth, BanFor};
use domain::{Ban, Fingerprint, UnixMs};
use http::{HeaderMap, Response};
use metering::{Standing, VisitorLimits};

use super::begun::Session;
use super::caller::{self, Caller, Stranger};
use super::error::{ErrorShape, GatewayError};
use super::{address, admission};
use crate::activity::KEYMUX;
use crate::app::App;
use crate::events::Happening;
use crate::http::Body;
use crate::snapshot::{KnownClient, Snapshot, network};
use crate::telemetry::AtTheDoor;

/// Nobody finds a key of so many characters by trying.
const UNGUESSABLE: usize = 32;

/// Somebody at the door.
#[derive(Debug)]
pub(crate) struct Door<'a> {
    pub(crate) app: &'a App,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: Option<&'a str>,
    peer: IpAddr,
    /// What of the caller's address counts.
    network: IpAddr,
    pub(crate) now: UnixMs,
}

/// Nobody is let in: why, and how the limits of its address stand.
#[derive(Debug)]
pub(crate) struct Shut {
    pub(crate) error: GatewayError,
    pub(crate) standing: Option<Standing>,
}

impl<'a> Door<'a> {
    /// A request as it came from `peer`.
    pub(crate) fn new(
        app: &'a App,
        snapshot: &'a Snapshot,
        headers: &'a HeaderMap,
        query: Option<&'a str>,
        peer: IpAddr,
    ) -> Self {
        let trusted = &snapshot.config.server.trusted_proxies;
        Self {
            app,
            snapshot,
            headers,
            query,
            peer,
            network: network(address::sender(headers, peer, trusted)),
            now: app.clock.now(),
        }
    }

    /// Finds out who asks, by the first of the keys shown that is known.
    pub(crate) fn identify(&self) -> Result<Caller, Stranger> {
        let mut is_keyless = true;
        for key in caller::credentials(self.headers, self.query) {
            is_keyless = false;
            let fingerprint = Fingerprint::of(key.as_bytes());
            let known = self.snapshot.clients.get(&fingerprint);
            if let Some(known) = known.filter(|known| self.is_heard(known, &key)) {
                return caller::check(known, self.now);
            }
            self.app
                .visitors
                .guessed(self.network, fingerprint, self.now);
        }
        match (is_keyless, self.snapshot.config.server.auth) {
            (true, Auth::Open) => Ok(Caller::Anonymous),
            (true, Auth::Required) => Err(Stranger::Keyless),
            (false, _) => Err(Stranger::WrongKey),
        }
    }

    /// Who began what is named, where anybody did. Names like these are not guessed; whoever tries one after the other is
    /// not heard of elsewhere any more.
    pub(crate) async fn begun(&self, id: Option<Fingerprint>) -> Option<Session> {
        let id = id?;
        let known = self.app.begun.known(id, self.now);
        if known.is_some() || self.app.visitors.is_guessing(self.network, self.now) {
            return known;
        }
        let found = Box::pin(self.app.begun.look_up(&self.app.store, id, self.now)).await;
        if found.is_none() {
            self.app.visitors.guessed(self.network, id, self.now);
        }
        found
    }

    /// Lets whoever was identified in, or says why not. Whoever shows no valid key is counted; where one is required and
    /// none is shown, nothing was tried, and nothing is counted.
    pub(crate) fn admit(
        &self,
        identified: Result<Caller, Stranger>,
    ) -> Result<(Caller, Option<Standing>), Box<Shut>> {
        match identified {
            Ok(caller @ Caller::Client(_)) => Ok((caller, None)),
            Ok(Caller::Anonymous) => Ok((Caller::Anonymous, Some(self.count()?))),
            Err(Stranger::WrongKey) => {
                let standing = Some(self.count()?);
                self.refused(AtTheDoor::WrongKey);
                let error = Stranger::WrongKey.into();
                Err(Box::new(Shut { error, standing }))
            }
            Err(stranger) => Err(Shut::without_standing(stranger.into())),
        }
    }

    /// Counts one who comes for what needs no key, or for what is not there.
    pub(crate) fn knock(&self) -> Result<(), Box<Shut>> {
        match self.identify() {
            Ok(Caller::Anonymous) | Err(Stranger::WrongKey) => self.count().map(drop),
            Ok(Caller::Client(_)) | Err(Stranger::Keyless | Stranger::Refused(_)) => Ok(()),
        }
    }

    /// Whether a key that is known may open the door from here.
    fn is_heard(&self, known: &Arc<KnownClient>, key: &str) -> bool {
        if key.len() >= UNGUESSABLE {
            return true;
        }
        let (familiar, id) = (&self.app.familiar, known.client.id);
        let is_heard = familiar.knows(id, self.network)
            || !self.app.visitors.is_guessing(self.network, self.now);
        if is_heard {
            familiar.note(id, self.network);
        }
        is_heard
    }

    fn count(&self) -> Result<Standing, Box<Shut>> {
        self.check_ban(self.snapshot)?;
        let rules = &self.snapshot.config.ip_limits;
        let limits = VisitorLimits {
            per_minute: rules.per_minute,
            ban_above_per_hour: rules.ban_above_per_hour,
        };
        match self.app.visitors.count(self.network, limits, self.now) {
            metering::Visit::Within(standing) => {
                // Another request may have brought a ban between the look and the count.
                self.check_ban(&self.app.snapshot.load())?;
                Ok(standing)
            }
            metering::Visit::TooMany(refusal, standing) => {
                self.refused(AtTheDoor::TooMany);
                Err(Box::new(Shut {
                    error: admission::too_much(&refusal),
                    standing: Some(standing),
                }))
            }
            metering::Visit::Ban { requests } => {
                let ban = self.ban(requests, rules.ban_for);
                Err(self.banned(&ban))
            }
        }
    }

    fn check_ban(&self, snapshot: &Snapshot) -> Result<(), Box<Shut>> {
        let fresh = self.app.fresh_bans.of(self.network, self.now);
        let ban = fresh.as_ref();
        match ban.or_else(|| snapshot.ban(self.network, self.now)) {
            Some(ban) => Err(self.banned(ban)),
            None => Ok(()),
        }
    }

    /// Bans the address, at once; the database hears of it later.
    fn ban(&self, requests: u32, lasts: BanFor) -> Ban {
        let ban = Ban {
            address: self.network.to_string(),
            reason: format!("{requests} requests in an hour"),
            created_by: Some(KEYMUX.to_owned()),
            requests: Some(u64::from(requests)),
            created_at: self.now,
            until: match lasts {
                BanFor::Permanent => None,
                BanFor::Time(time) => Some(self.now + time),
            },
        };
        if self.app.fresh_bans.impose(self.network, ban.clone()) {
            self.app.visitors.forget(self.network);
            self.app.metrics.turned_away.banned();
            let address = ban.address.as_str();
            tracing::warn!(
                address,
                requests,
                "address banned: too many requests{}",
                self.hint()
            );
            self.app.events.tell(|| Happening::Ban(ban.clone()));
        }
        ban
    }

    fn refused(&self, reason: AtTheDoor) {
        self.app.metrics.turned_away.at_the_door(reason);
    }

    /// Behind a proxy that nobody has named, all callers have one address.
    fn hint(&self) -> &'static str {
        let is_forwarded = self.headers.contains_key("x-forwarded-for");
        if is_forwarded && network(self.peer) == self.network {
            "; hint: its requests have X-Forwarded-For: if it is a proxy of yours, name it in server.trusted_proxies"
        } else {
            ""
        }
    }

    fn banned(&self, ban: &Ban) -> Box<Shut> {
        self.refused(AtTheDoor::Banned);
        let left: Option<Duration> = ban.until.map(|until| self.now.until(until));
        let error = admission::forbidden("callers from this address are banned");
        Shut::without_standing(error.retry_after(left))
    }
}

impl Shut {
    fn without_standing(error: GatewayError) -> Box<Self> {
        let standing = None;
        Box::new(Self { error, standing })
    }

    /// As a response, where there is no recording that would make one.
    pub(crate) fn to_response(&self, shape: ErrorShape) -> Response<Body> {
        let mut response = self.error.to_response(shape);
        super::record::show(self.standing.as_ref(), response.headers_mut());
        response
    }
}
