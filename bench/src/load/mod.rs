//! The load generator: how requests are offered, and the `bench load` command.
//! It keeps to one thread and to prepared bytes, so that it costs less than what it measures.
//! `drive.rs` offers the load, `connection.rs` speaks HTTP, `tally.rs` counts.

mod chunked;
mod connection;
mod drive;
mod events;
mod live;
mod tally;
mod target;
mod upload;

use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use connection::Connection;
pub(crate) use drive::{drive, hold};
pub(crate) use live::Talks;
pub(crate) use tally::Report;
pub(crate) use target::{Ask, MODEL, Target};
pub(crate) use upload::File;

/// How requests are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// So many connections, each asking again once it has its answer.
    Closed {
        /// How many.
        connections: usize,
    },
    /// So many requests a second, whether or not earlier ones have been answered.
    Open {
        /// How many.
        per_second: u32,
    },
}

/// One measurement's load.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) target: Target,
    pub(crate) ask: Ask,
    pub(crate) offer: Offer,
    /// No request begins later than this; those that have begun are waited for.
    pub(crate) lasts: Duration,
}

/// The flags of `bench load`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Where to send requests.
    #[arg(long)]
    to: SocketAddr,
    /// The key that is shown.
    #[arg(long, default_value = "bench")]
    key: String,
    /// Speak OpenAI's API instead of Google's.
    #[arg(long)]
    openai: bool,
    /// Ask for streams.
    #[arg(long)]
    stream: bool,
    /// The size of each prompt in bytes.
    #[arg(long, conflicts_with = "stream")]
    body_bytes: Option<usize>,
    /// Connections that ask one request after the other.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Requests a second instead, whether or not earlier ones have been answered.
    #[arg(long)]
    rate: Option<u32>,
    /// How long to begin new requests.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

impl Flags {
    fn load(&self) -> Load {
        let target = if self.openai {
            Target::openai(self.to, &self.key)
        } else {
            Target::gemini(self.to, &self.key)
        };
        let ask = match (self.stream, self.body_bytes) {
            (true, _) => Ask::Stream,
            (false, Some(bytes)) => Ask::Large(bytes),
            (false, None) => Ask::Unary,
        };
        let offer = match self.rate {
            Some(per_second) => Offer::Open { per_second },
            None => Offer::Closed {
                connections: self.connections,
            },
        };
        Load {
            target,
            ask,
            offer,
            lasts: Duration::from_secs_f64(self.seconds),
        }
    }
}

/// Drives one address and prints the report.
pub(crate) fn command(flags: &Flags) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(drive(&flags.load()))?;
    crate::say(&serde_json::to_string_pretty(&report)?);
    Ok(())
}
