//! What an open Live session holds in memory: resident with 500 of them, less resident before. No other gateway here passes
//! them on with a pool of keys.

use std::time::Duration;

use super::program_of;
use crate::load::{Ask, Offer, Talks};
use crate::run::figures::LIVE_MEMORY;
use crate::run::gateways::{Gateway, Setting};
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const SESSIONS: usize = 500;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe::plain().start(lab)?;
    let contestant = Setting::streaming(&upstream).start(Gateway::Keymux, lab)?;
    let program = program_of(&contestant)?;
    let few = Offer::Closed { connections: 4 };
    let warm = Duration::from_millis(100);
    lab.drive(&contestant.target, Ask::Unary, few, warm)?;
    let before = program.resident_mib()?;
    let talks = lab.block_on(Talks::open(&contestant.target, SESSIONS))?;
    let with = program.resident_mib()?;
    let each = (with - before) * 1024.0 / talks.count() as f64;
    results.add(&LIVE_MEMORY, Gateway::Keymux, each);
    Ok(())
}
