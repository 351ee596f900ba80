//! A file of 2 GiB, uploaded in one piece: what the gateway holds of it at most, and what passing it on costs. The stand-in
//! keeps none of it either, and tells by its digest that all of it has come.

use super::program_of;
use crate::load::{Ask, File, Offer};
use crate::run::figures::{UPLOAD_CPU, UPLOAD_GROWN, UPLOAD_PEAK, UPLOAD_RATE};
use crate::run::gateways::{Gateway, Setting};
use crate::run::lab::Lab;
use crate::run::process::Program;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

/// As much as `server.max_upload` allows.
const BYTES: u64 = 2 << 30;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe::plain().start(lab)?;
    let setting = Setting::plain(&upstream);
    let file = File::new(BYTES);
    for round in 0..lab.pace.rounds.div_ceil(2) {
        let mut turn = [Gateway::Keymux, Gateway::Nginx, Gateway::Direct];
        turn.rotate_left(round % 3);
        for gateway in turn.into_iter().filter(|gateway| lab.tools.has(*gateway)) {
            one(&setting, gateway, &file, lab, results)?;
        }
    }
    Ok(())
}

fn one(
    setting: &Setting<'_>,
    gateway: Gateway,
    file: &File,
    lab: &Lab,
    results: &mut Results,
) -> anyhow::Result<()> {
    let contestant = setting.start(gateway, lab)?;
    let few = Offer::Closed { connections: 4 };
    let warm = std::time::Duration::from_millis(100);
    lab.drive(&contestant.target, Ask::Unary, few, warm)?;
    let program = contestant.program.as_ref();
    program.map(Program::settled_cpu_seconds).transpose()?;
    let cpu_before = program.map(Program::cpu_seconds).transpose()?;
    let before = program.map(Program::resident_mib).transpose()?;
    program.map(Program::forget_peak).transpose()?;
    let took = file.upload(&contestant.target)?;
    results.add(
        &UPLOAD_RATE,
        gateway,
        BYTES as f64 / 1e6 / took.as_secs_f64(),
    );
    if let (Some(cpu_before), Some(before)) = (cpu_before, before) {
        let program = program_of(&contestant)?;
        let cpu = program.settled_cpu_seconds()? - cpu_before;
        let peak = program.peak_mib()?;
        results.add(&UPLOAD_CPU, gateway, cpu);
        results.add(&UPLOAD_PEAK, gateway, peak);
        results.add(&UPLOAD_GROWN, gateway, peak - before);
    }
    Ok(())
}
