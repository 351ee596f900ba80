//! Small JSON answers, as many as the gateway's core can carry.

use super::{PROXIES, SATURATING, remark_on_failures};
use crate::load::Ask;
use crate::run::figures::{JSON_BUSY, JSON_CPU, JSON_RATE, JSON_UNRECORDED};
use crate::run::gateways::{Contestant, Gateway, Setting};
use crate::run::lab::Lab;
use crate::run::ports::get;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe::plain().start(lab)?;
    let setting = Setting::plain(&upstream);
    let mut contestants = setting.start_all(&PROXIES, lab)?;
    contestants.push(setting.start(Gateway::Direct, lab)?);
    let rounds = lab.contest(&contestants, Ask::Unary, SATURATING, lab.pace.lasts)?;
    for measured in &rounds {
        let report = measured.report;
        results.add(&JSON_RATE, measured.gateway, report.per_second);
        if measured.gateway != Gateway::Direct {
            results.add(&JSON_CPU, measured.gateway, measured.cpu_per(1e4));
            let busy = measured.cpu_seconds / report.seconds * 100.0;
            results.add(&JSON_BUSY, measured.gateway, busy.min(100.0));
        }
    }
    remark_on_failures(results, "json", &rounds);
    for contestant in contestants.iter().filter(|c| c.gateway == Gateway::Keymux) {
        add_unrecorded(contestant, results)?;
    }
    Ok(())
}

/// keymux drops records rather than let requests wait for the database. How many, it says in its metrics.
fn add_unrecorded(keymux: &Contestant, results: &mut Results) -> anyhow::Result<()> {
    let metrics = get(keymux.target.addr, "/metrics")?;
    let sum = |name: &str| -> f64 {
        let lines = metrics.lines().filter(|line| line.starts_with(name));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    let requests = sum("api_requests_total{");
    if requests > 0.0 {
        let share = sum("keymux_dropped_records{") / requests * 100.0;
        results.add(&JSON_UNRECORDED, Gateway::Keymux, share);
    }
    Ok(())
}
