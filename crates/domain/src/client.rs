//! A client key: what a caller shows to keymux, what it may do, and what it has used.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ClientId, Fingerprint, KeySource, Nanodollars, UnixMs, UserId};

/// A client key without its secret, of which only the fingerprint is kept.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its row.
    pub id: ClientId,
    /// The operator's name for it.
    pub name: String,
    /// What a shown secret is compared with.
    pub fingerprint: Fingerprint,
    /// The secret as operators see it, for example `sk-a…1f2e`.
    pub masked: String,
    /// False: refused with 401.
    pub enabled: bool,
    /// Refused with 401 from then on.
    pub expires_at: Option<UnixMs>,
    /// The user whom it belongs to: their provider keys are used before the pool's.
    pub owner: Option<UserId>,
    /// What it may do, and how much.
    pub limits: ClientLimits,
    /// Where it came from.
    pub source: KeySource,
    /// When it was made.
    pub created_at: UnixMs,
}

/// A client key before it has a row; its secret is handed over beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientDraft {
    /// The operator's name for it.
    pub name: String,
    /// False: refused with 401.
    pub enabled: bool,
    /// Refused with 401 from then on.
    pub expires_at: Option<UnixMs>,
    /// The user whom it belongs to.
    pub owner: Option<UserId>,
    /// What it may do, and how much.
    pub limits: ClientLimits,
    /// Where it comes from.
    pub source: KeySource,
}

impl ClientDraft {
    /// A client key that is nobody's, does not expire and has no limits.
    pub fn plain(name: &str, source: KeySource) -> Self {
        Self {
            name: name.to_owned(),
            enabled: true,
            expires_at: None,
            owner: None,
            limits: ClientLimits::default(),
            source,
        }
    }
}

/// What a client key may do; an absent limit is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientLimits {
    /// Requests a minute.
    pub rpm: Option<u32>,
    /// Requests a day.
    pub rpd: Option<u32>,
    /// Tokens a minute.
    pub tpm: Option<u64>,
    /// Tokens a day.
    pub tpd: Option<u64>,
    /// Requests at the same time.
    pub max_concurrent: Option<u32>,
    /// Providers by name; empty: any.
    pub allowed_providers: BTreeSet<String>,
    /// Models by id; empty: any.
    pub allowed_models: BTreeSet<String>,
    /// Endpoints by name; empty: any.
    pub allowed_endpoints: BTreeSet<String>,
    /// CIDRs; empty: any.
    pub allowed_ips: BTreeSet<String>,
    /// What it may cost in a period, in US dollars.
    pub budget_usd: Option<f64>,
    /// The period of the budget.
    pub budget_period: BudgetPeriod,
}

/// The period of a budget; both are those of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    /// A day.
    Day,
    /// A calendar month.
    #[default]
    Month,
}

/// What a client key has used in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientDay {
    /// The client key.
    pub client: ClientId,
    /// The UTC day, in days since 1970-01-01.
    pub day: i32,
    /// Requests.
    pub requests: u64,
    /// Tokens, in and out.
    pub tokens: u64,
    /// What they cost.
    pub cost: Nanodollars,
}
