//! Checks of 10,000 keys with three models while requests come: what they add to the time of an answer. One keymux, whose
//! checks are switched on between two measurements without; while they are on, as many are due as it will ever make.
//! By how much the two without differ is the noise that the difference has to be compared with.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::remark_on_failures;
use crate::load::{Ask, Offer};
use crate::run::figures::{
    CHECKS_CPU, CHECKS_P50, CHECKS_P50_NOISE, CHECKS_P50_OFF, CHECKS_P50_ON, CHECKS_P99,
    CHECKS_P99_NOISE, CHECKS_P99_OFF, CHECKS_P99_ON, CHECKS_RATE,
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
    for _ in 0..lab.pace.rounds {
        let mut measure = |checks| -> anyhow::Result<Measured> {
            set_checks(&setting, &keymux, &folder, checks)?;
            wait_for(&keymux, checks)?;
            let before = (made(&keymux)?, Instant::now());
            let measured = lab.measure(0, &keymux, Ask::Unary, OFFER, lab.pace.lasts)?;
            if checks == Checks::On {
                let rate = (made(&keymux)? - before.0) / before.1.elapsed().as_secs_f64();
                results.add(&CHECKS_RATE, Gateway::Keymux, rate);
            }
            Ok(measured)
        };
        let round = Round {
            before: measure(Checks::Off)?,
            with: measure(Checks::On)?,
            after: measure(Checks::Off)?,
        };
        round.add(results);
        rounds.extend([round.before, round.with, round.after]);
    }
    remark_on_failures(results, "checks", &rounds);
    Ok(())
}

/// What was measured with checks, and without them before and after.
struct Round {
    before: Measured,
    with: Measured,
    after: Measured,
}

impl Round {
    fn add(&self, results: &mut Results) {
        let p50 = |measured: &Measured| measured.report.latency.p50_ms;
        let p99 = |measured: &Measured| measured.report.latency.p99_ms;
        let cpu = |measured: &Measured| measured.cpu_seconds / measured.report.seconds * 100.0;
        for (figure, value) in [
            (&CHECKS_P50_OFF, self.without(p50)),
            (&CHECKS_P50_ON, p50(&self.with)),
            (&CHECKS_P50, p50(&self.with) - self.without(p50)),
            (&CHECKS_P50_NOISE, self.noise(p50)),
            (&CHECKS_P99_OFF, self.without(p99)),
            (&CHECKS_P99_ON, p99(&self.with)),
            (&CHECKS_P99, p99(&self.with) - self.without(p99)),
            (&CHECKS_P99_NOISE, self.noise(p99)),
            (&CHECKS_CPU, cpu(&self.with) - self.without(cpu)),
        ] {
            results.add(figure, Gateway::Keymux, value);
        }
    }

    fn without(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        f64::midpoint(of(&self.before), of(&self.after))
    }

    fn noise(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        (of(&self.before) - of(&self.after)).abs()
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
