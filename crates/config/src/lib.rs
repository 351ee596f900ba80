//! Everything between files, the environment and one typed, checked [`Config`].
//! No other crate reads the environment or `keymux.yaml`. Start at `load.rs`, then `layers.rs` (sources), `reader.rs` (values),
//! `check/` (what fields mean together). A new setting is one line in a file of `sections/`; its documentation follows.

mod check;
mod dotenv;
mod env;
mod findings;
mod interpolate;
mod layers;
mod leaves;
mod load;
mod not_yet;
mod origin;
mod override_name;
mod reader;
mod reference;
mod section;
mod sections;
mod shown;
mod tree;
mod value;
mod yaml;

pub use check::is_link_local_address;
pub use env::Env;
pub use findings::{ConfigErrors, Problem, Warning};
pub use leaves::{Bytes, HttpUrl, ProxyUrl};
pub use load::{Config, LoadOptions, load};
pub use origin::Origin;
pub use reference::reference;
pub use sections::{
    Admin, Auth, BanFor, Bodies, BudgetPeriod, Chain, ClientKey, Database, Egress,
    EgressHealthCheck, ExhaustedStatus, HealthChecks, IpLimits, Kind, LogFormat, LogLevel, Logs,
    Pool, Provider, ProviderHealthCheck, ProviderKey, ProxyProtocol, ProxySource, Redis, Retry,
    Sections, Server, Shedding, Simple, SourceFields, SourceFormat, Strategy,
};
pub use value::Placed;
