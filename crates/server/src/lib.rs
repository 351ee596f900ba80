//! The program `keymux`: everything with I/O. `main.rs` reads the command line, `boot.rs` builds the [`App`],
//! `http` listens, `gateway` is the path of a request, `admin` is what operators use, `jobs` is what goes on beside it,
//! `live.rs` is how changes arrive.
//!
//! [`App`]: app::App

mod activity;
#[expect(
    unused_qualifications,
    reason = "utoipa's macros write paths out in full"
)]
mod admin;
mod app;
mod boot;
mod catalog;
mod checks;
pub mod cli;
mod clock;
mod egress;
mod events;
mod figures;
mod files;
mod fresh_bans;
mod gateway;
mod http;
mod inquiry;
mod jobs;
mod key_files;
mod key_text;
mod live;
mod live_sessions;
mod meters;
mod notices;
mod pools;
mod proxy_checks;
mod proxy_sources;
mod pulse;
mod resources;
mod saver;
mod secrets;
mod selection;
mod serve;
mod snapshot;
mod telemetry;
#[cfg(test)]
mod test_server;
mod tokens;
mod turns;
mod upstreams;

pub use serve::{Running, start};
