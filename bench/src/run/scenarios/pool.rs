//! A pool of 100,000 keys beside one of ten: start, memory, and the cost of a request. Start also with the keys in files,
//! which are read and compared with the database each time.

use super::{SATURATING, program_of, remark_on_failures};
use crate::load::Ask;
use crate::run::figures::{
    FILES_FIRST, FILES_RATIO, FILES_READY, POOL_COST, POOL_MEMORY, POOL_READY,
};
use crate::run::gateways::{Gateway, Keys, Setting, import_keys, write_key_files};
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const KEYS: usize = 100_000;
const FILES: usize = 100;

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
    starts(&many, lab, results)?;
    let contestants = [
        few.start(Gateway::Keymux, lab)?,
        many.start(Gateway::Keymux, lab)?,
    ];
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

/// Starts keymux with its keys in the database and in files, in turns.
fn starts(stored: &Setting<'_>, lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let folder = write_key_files(lab, FILES, KEYS)?;
    let filed = Setting {
        keys: Keys::Filed(&folder),
        ..*stored
    };
    let start = |setting: &Setting<'_>| -> anyhow::Result<f64> {
        Ok(setting.start(Gateway::Keymux, lab)?.ready_ms)
    };
    // The first start still makes what is missing.
    start(stored)?;
    results.add(&FILES_FIRST, Gateway::Keymux, start(&filed)?);
    for _ in 0..lab.pace.rounds {
        let (with_store, with_files) = (start(stored)?, start(&filed)?);
        results.add(&POOL_READY, Gateway::Keymux, with_store);
        results.add(&FILES_READY, Gateway::Keymux, with_files);
        results.add(&FILES_RATIO, Gateway::Keymux, with_files / with_store);
    }
    Ok(())
}
