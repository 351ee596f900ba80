//! A client key: what a caller shows to keymux.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{ClientId, Fingerprint, KeySource, UnixMs};

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
    /// What it may do, and how much.
    pub limits: ClientLimits,
    /// Where it came from.
    pub source: KeySource,
    /// When it was made.
    pub created_at: UnixMs,
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
}
