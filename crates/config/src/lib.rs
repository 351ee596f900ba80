//! Everything between files, the environment and one typed, checked [`Config`].
//! No other crate reads the environment or `keymux.yaml`. Start at `config.rs`, then `layers.rs` (sources), `reader.rs` (values),
//! `check/` (what fields mean together), `settings.rs` and `stored.rs` (what changes while running).
//! A new setting is one line in a file of `sections/`; its documentation and its form follow.

mod check;
mod config;
mod dotenv;
mod env;
mod files;
mod findings;
mod interpolate;
mod layers;
mod leaves;
mod masked;
mod not_yet;
mod origin;
mod override_name;
mod reader;
mod reference;
mod schema;
mod section;
mod sections;
mod settings;
mod shape;
mod shown;
mod sources;
mod stored;
mod table;
mod tree;
mod value;
mod yaml;

pub use check::{is_link_local_address, is_link_local_host};
pub use config::{Config, load};
pub use env::Env;
pub use findings::{ConfigErrors, Problem, Warning};
pub use leaves::{Bytes, Credentials, HttpUrl, ProxyUrl};
pub use origin::Origin;
pub use reference::reference;
pub use schema::json_schema;
pub use sections::{
    Admin, Affinity, Auth, BanFor, Bodies, BudgetPeriod, Chain, ClientKey, Database, Egress,
    EgressHealthCheck, ExhaustedStatus, HealthChecks, IpLimits, Isolation, Kind, LogFormat,
    LogLevel, Logs, Pool, Provider, ProviderHealthCheck, ProviderKey, ProxyPreset, ProxyProtocol,
    ProxySource, Redis, Retry, Sections, Server, Shedding, Simple, SourceFields, SourceFormat,
    Strategy,
};
pub use settings::{Form, Setting};
pub use shape::Shape;
pub use sources::LoadOptions;
pub use table::is_setting;
pub use value::Placed;
