//! A pool of 100,000 keys beside one of ten: start, memory, and the cost of a request.

use super::{SATURATING, program_of, remark_on_failures};
use crate::load::Ask;
use crate::run::figures::{POOL_COST, POOL_MEMORY, POOL_READY};
use crate::run::gateways::{Gateway, Keys, Setting, import_keys};
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const KEYS: usize = 100_000;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    if !lab.tools.has(Gateway::Keymux) {
        return Ok(());
    }
    let upstream = Recipe::plain().start(lab)?;
    let few = Setting::plain(&upstream);
    let folder = import_keys(&few, lab, KEYS)?;
    let many = Setting {
        keys: Keys::Stored(&folder),
        ..few
    };
    // The first start still makes what is missing.
    many.start(Gateway::Keymux, lab)?;
    for _ in 1..lab.pace.rounds {
        let ready_ms = many.start(Gateway::Keymux, lab)?.ready_ms;
        results.add(&POOL_READY, Gateway::Keymux, ready_ms);
    }
    let contestants = [
        few.start(Gateway::Keymux, lab)?,
        many.start(Gateway::Keymux, lab)?,
    ];
    results.add(&POOL_READY, Gateway::Keymux, contestants[1].ready_ms);
    let [with_few, with_many] = &contestants;
    let added = program_of(with_many)?.resident_mib()? - program_of(with_few)?.resident_mib()?;
    results.add(&POOL_MEMORY, Gateway::Keymux, added);
    let rounds = lab.contest(&contestants, Ask::Unary, SATURATING, lab.pace.lasts)?;
    for round in rounds.chunks(2) {
        let cost = |index| {
            round
                .iter()
                .find(|m| m.index == index)
                .map_or(f64::NAN, |m| m.cpu_per(1.0))
        };
        results.add(&POOL_COST, Gateway::Keymux, cost(1) / cost(0));
    }
    remark_on_failures(results, "pool", &rounds);
    Ok(())
}
