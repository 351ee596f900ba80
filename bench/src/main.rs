//! Measures keymux: `load` drives any address, `run` compares gateways side by side, `micro` times the inner loops,
//! `prefixes` simulates what prompt caches save.
//! It measures programs from outside and is never linked into keymux. Start at `run/mod.rs`; how it is done and what
//! came out is in docs/BENCHMARKS.md.

mod load;
mod micro;
mod prefixes;
mod run;

use std::io::Write as _;

use clap::{Parser, Subcommand};

/// The benchmarks of keymux.
#[derive(Debug, Parser)]
struct Flags {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Drive one HTTP/1.1 address and print what was seen as JSON.
    Load(load::Flags),
    /// Compare keymux with other gateways in front of the same stand-in, scenario by scenario.
    Run(run::Flags),
    /// Time the choice of a key and the reading of answers.
    Micro,
    /// Simulate chats over twenty projects: how often a provider's cache is hit, with and without going back.
    Prefixes,
}

fn main() -> anyhow::Result<()> {
    match Flags::parse().what {
        What::Load(flags) => load::command(&flags),
        What::Run(flags) => run::command(&flags),
        What::Micro => micro::command(),
        What::Prefixes => {
            prefixes::command();
            Ok(())
        }
    }
}

/// Writes to standard output what the user asked for.
fn say(text: &str) {
    // A reader that went away has read enough.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Writes to standard error how far the work has come.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
