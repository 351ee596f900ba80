//! One file per section of `keymux.yaml`; each is the struct, its defaults and its documentation at once.

mod admin;
mod affinity;
mod aliases;
mod clients;
mod egress;
mod health_checks;
mod ip_limits;
mod logs;
mod pool;
mod providers;
mod retry;
mod server;
mod shedding;
mod simple;
mod storage;

use std::collections::BTreeMap;

pub use admin::Admin;
pub use affinity::{Affinity, Isolation};
pub use aliases::Chain;
pub use clients::{BudgetPeriod, ClientKey};
pub use egress::{
    Egress, EgressHealthCheck, ProxyPreset, ProxyProtocol, ProxySource, SourceFields, SourceFormat,
};
pub use health_checks::HealthChecks;
pub use ip_limits::{BanFor, IpLimits};
pub use logs::{Bodies, LogFormat, LogLevel, Logs};
pub use pool::{ExhaustedStatus, Pool, Strategy};
pub use providers::{Kind, Provider, ProviderHealthCheck, ProviderKey};
pub use retry::Retry;
pub use server::{Auth, Server};
pub use shedding::Shedding;
pub use simple::Simple;
pub use storage::{Database, Redis};

use crate::section::section;
use crate::value::Placed;

section! {
    /// All sections of `keymux.yaml`. Every one may be left out.
    pub struct Sections {
        /// Where keymux listens, whom it lets in, and what it bears.
        server: Server = "{}",
        /// The first administrator.
        admin: Admin = "{}",
        /// Where keys, settings and records are kept.
        database: Database = "{}"; restart,
        /// What several instances share. Set it when there are several.
        redis: Redis = "{}"; restart,
        /// Client keys, with which callers authenticate. More can be made at run time.
        clients: Vec<Placed<ClientKey>> = "[]",
        /// Upstream APIs by name: lower-case letters, digits, `-` and `_`. `google`, `xai`, `perplexity` and `gigachat` are built in; what is set for them is merged with what is known.
        providers: BTreeMap<String, Provider> = "{}",
        /// Other names for models. A list is a fallback chain.
        aliases: BTreeMap<String, Chain> = "{}"; live,
        /// How keys are chosen and set aside.
        pool: Pool = "{}"; live,
        /// How often and how long a request is tried.
        retry: Retry = "{}"; live,
        /// What is done with the project that made or remembers something.
        affinity: Affinity = "{}"; live,
        /// Regular checks of all keys.
        health_checks: HealthChecks = "{}"; live,
        /// Refusing anonymous callers while few keys are usable.
        shedding: Shedding = "{}"; live,
        /// Limits for each address of callers without a valid client key.
        ip_limits: IpLimits = "{}"; live,
        /// Outbound proxies.
        egress: Egress = "{}"; live,
        /// The simple endpoints.
        simple: Simple = "{}"; live,
        /// Logs and request records.
        logs: Logs = "{}",
    }
}
