//! What becomes of callers without a valid client key, counted: refused for their address or their key, banned, or
//! turned away because few keys were usable.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::app::App;

/// Why a request is refused at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtTheDoor {
    /// Its address has asked too often in the last minute.
    TooMany,
    /// Its address is banned.
    Banned,
    /// Its client key is not known.
    WrongKey,
}

impl AtTheDoor {
    const ALL: [Self; 3] = [Self::TooMany, Self::Banned, Self::WrongKey];

    const fn label(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::Banned => "banned",
            Self::WrongKey => "wrong_key",
        }
    }
}

/// The counters.
#[derive(Debug)]
pub(crate) struct TurnedAway {
    shed: IntCounterVec,
    ip_limited: IntCounterVec,
    bans: IntCounter,
    banned: IntGauge,
}

impl TurnedAway {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let all = Self {
            shed: IntCounterVec::new(
                Opts::new(
                    "keymux_shed_total",
                    "Requests without a client key that were refused because few keys were usable.",
                ),
                &["provider"],
            )?,
            ip_limited: IntCounterVec::new(
                Opts::new(
                    "keymux_ip_limited_total",
                    "Requests that were refused for their address, or for a wrong client key.",
                ),
                &["reason"],
            )?,
            bans: IntCounter::new(
                "keymux_bans_total",
                "Addresses that this instance has banned for too many requests.",
            )?,
            banned: IntGauge::new("keymux_bans", "Bans that are in force, by hand or not.")?,
        };
        // There from the start: what is missing makes no rate, and no alert.
        for reason in AtTheDoor::ALL {
            all.ip_limited.with_label_values(&[reason.label()]);
        }
        registry.register(Box::new(all.shed.clone()))?;
        registry.register(Box::new(all.ip_limited.clone()))?;
        registry.register(Box::new(all.bans.clone()))?;
        registry.register(Box::new(all.banned.clone()))?;
        Ok(all)
    }

    /// A request was refused because few keys were usable.
    pub(crate) fn shed(&self, provider: &str) {
        self.shed.with_label_values(&[provider]).inc();
    }

    /// A request was refused at the door.
    pub(crate) fn at_the_door(&self, reason: AtTheDoor) {
        self.ip_limited.with_label_values(&[reason.label()]).inc();
    }

    /// An address was banned.
    pub(crate) fn banned(&self) {
        self.bans.inc();
    }

    /// Reads what is not counted but looked at.
    pub(super) fn look(&self, app: &App) {
        let now = app.clock.now();
        let snapshot = app.snapshot.load();
        let banned = snapshot.bans.values().filter(|ban| ban.is_in_force(now));
        self.banned
            .set(i64::try_from(banned.count()).unwrap_or(i64::MAX));
        for provider in snapshot.providers.iter() {
            self.shed.with_label_values(&[&*provider.name]);
        }
    }
}
