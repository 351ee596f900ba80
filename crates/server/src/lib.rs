//! The program `keymux`: everything with I/O. `main.rs` reads the command line, `boot.rs` builds the [`App`],
//! `http` listens, `gateway` is the path of a request, `jobs` is what goes on beside it.
//!
//! [`App`]: app::App

mod app;
mod boot;
pub mod cli;
mod clock;
mod egress;
mod gateway;
mod http;
mod jobs;
mod secrets;
mod serve;
mod snapshot;
mod telemetry;

pub use serve::{Running, start};
