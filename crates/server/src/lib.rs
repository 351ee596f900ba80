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
pub mod cli;
mod clock;
mod egress;
mod events;
mod figures;
mod gateway;
mod http;
mod jobs;
mod key_text;
mod live;
mod meters;
mod notices;
mod pools;
mod probe;
mod pulse;
mod saver;
mod secrets;
mod selection;
mod serve;
mod snapshot;
mod telemetry;
mod upstreams;

pub use serve::{Running, start};
