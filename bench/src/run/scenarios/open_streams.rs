//! What an open stream holds in memory: resident with 1,000 of them, less resident before.

use std::time::Duration;

use anyhow::ensure;

use super::{PROXIES, program_of};
use crate::load::{Ask, Offer, hold};
use crate::run::figures::OPEN_MEMORY;
use crate::run::gateways::Setting;
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const STREAMS: usize = 1_000;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe {
        chunks: 100,
        pause_ms: 500,
        ..Recipe::plain()
    }
    .start(lab)?;
    for gateway in PROXIES
        .into_iter()
        .filter(|gateway| lab.tools.has(*gateway))
    {
        let contestant = Setting::streaming(&upstream).start(gateway, lab)?;
        let program = program_of(&contestant)?;
        let few = Offer::Closed { connections: 4 };
        lab.drive(
            &contestant.target,
            Ask::Unary,
            few,
            Duration::from_millis(100),
        )?;
        let before = program.resident_mib()?;
        let held = lab.block_on(hold(&contestant.target, STREAMS, Duration::from_secs(20)));
        // Some chunks have passed, so that every buffer on the way has been used.
        lab.block_on(held.wait(Duration::from_millis(1500)));
        let with = program.resident_mib()?;
        ensure!(
            held.begun * 10 >= STREAMS * 9,
            "only {} streams have begun",
            held.begun
        );
        results.add(
            &OPEN_MEMORY,
            gateway,
            (with - before) * 1024.0 / held.begun as f64,
        );
    }
    Ok(())
}
