//! Checks of 10,000 keys with three models while requests come: what they add to the time of an answer. One keymux, whose
//! checks are switched on and off between rounds; while they are on, as many are due as it will ever make.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::remark_on_failures;
use crate::load::{Ask, Offer};
use crate::run::figures::{
    CHECKS_CPU, CHECKS_P50, CHECKS_P50_OFF, CHECKS_P50_ON, CHECKS_P99, CHECKS_P99_OFF,
    CHECKS_P99_ON, CHECKS_RATE,
};
use crate::run::gateways::{Checks, Contestant, Gateway, Keys, Setting, import_keys, set_checks};
use crate::run::lab::{Lab, Measured};
use crate::run::ports::get;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const KEYS: usize = 10_000;
const OFFER: Offer = Offer::Open { per_second: 500 };
/// How long a change of the settings may take to hold.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    if !lab.tools.has(Gateway::Keymux) {
        return Ok(());
    }
    let upstream = Recipe::plain().start(lab)?;
    let few = Setting::plain(&upstream);
    let folder = import_keys(&few, lab, KEYS)?;
    let setting = Setting {
        keys: Keys::Stored(&folder),
        ..few
    };
    let keymux = setting.start(Gateway::Keymux, lab)?;
    lab.drive(
        &keymux.target,
        Ask::Unary,
        OFFER,
        Duration::from_millis(300),
    )?;
    let mut rounds = Vec::new();
    for round in 0..lab.pace.rounds {
        let order = if round % 2 == 0 {
            [Checks::Off, Checks::On]
        } else {
            [Checks::On, Checks::Off]
        };
        let mut both = Vec::new();
        for checks in order {
            set_checks(&setting, &keymux, &folder, checks)?;
            wait_for(&keymux, checks)?;
            let before = (made(&keymux)?, Instant::now());
            let measured = lab.measure(0, &keymux, Ask::Unary, OFFER, lab.pace.lasts)?;
            if checks == Checks::On {
                let rate = (made(&keymux)? - before.0) / before.1.elapsed().as_secs_f64();
                results.add(&CHECKS_RATE, Gateway::Keymux, rate);
            }
            both.push((checks, measured));
        }
        add_round(&both, results);
        rounds.extend(both.into_iter().map(|(_, measured)| measured));
    }
    remark_on_failures(results, "checks", &rounds);
    Ok(())
}

fn add_round(round: &[(Checks, Measured)], results: &mut Results) {
    let of = |checks| round.iter().find(|(it, _)| *it == checks).map(|(_, it)| it);
    let (Some(off), Some(on)) = (of(Checks::Off), of(Checks::On)) else {
        return;
    };
    let (without, with) = (off.report.latency, on.report.latency);
    let cpu = |measured: &Measured| measured.cpu_seconds / measured.report.seconds * 100.0;
    for (figure, value) in [
        (&CHECKS_P50_OFF, without.p50_ms),
        (&CHECKS_P50_ON, with.p50_ms),
        (&CHECKS_P50, with.p50_ms - without.p50_ms),
        (&CHECKS_P99_OFF, without.p99_ms),
        (&CHECKS_P99_ON, with.p99_ms),
        (&CHECKS_P99, with.p99_ms - without.p99_ms),
        (&CHECKS_CPU, cpu(on) - cpu(off)),
    ] {
        results.add(figure, Gateway::Keymux, value);
    }
}

/// Waits until checks are made, or are made no more.
fn wait_for(keymux: &Contestant, checks: Checks) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let before = made(keymux)?;
        sleep(Duration::from_millis(500));
        let goes_on = made(keymux)? > before;
        if goes_on == (checks == Checks::On) {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "checks do not become {checks:?}"
        );
    }
}

/// Checks made so far.
fn made(keymux: &Contestant) -> anyhow::Result<f64> {
    let metrics = get(keymux.target.addr, "/metrics")?;
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("keymux_checks_total{"));
    Ok(lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum())
}
