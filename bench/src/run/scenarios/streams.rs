//! Streams of 50 chunks: at the pace of a model, and all at once.

use std::time::Duration;

use super::{PROXIES, SATURATING, add_cpu, remark_on_failures};
use crate::load::{Ask, Offer};
use crate::run::figures::{BURST_CPU, STREAM_CPU, STREAM_FIRST, STREAM_GAP};
use crate::run::gateways::{Gateway, Setting};
use crate::run::lab::{Lab, Measured};
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const CHUNKS: u64 = 50;
const AT_A_TIME: usize = 200;

pub(super) fn paced(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe {
        pause_ms: 20,
        ..Recipe::plain()
    }
    .start(lab)?;
    let setting = Setting::streaming(&upstream);
    let contestants = setting.start_all(&PROXIES, lab)?;
    // Streams last a second, and begin within the first.
    let lasts = lab.pace.lasts + Duration::from_secs(1);
    let offer = Offer::Closed {
        connections: AT_A_TIME,
    };
    let rounds = lab.contest(&contestants, Ask::Stream, offer, lasts)?;
    for measured in &rounds {
        results.add(
            &STREAM_FIRST,
            measured.gateway,
            measured.report.first_byte.p50_ms,
        );
        results.add(&STREAM_GAP, measured.gateway, measured.report.gap.p99_ms);
    }
    add_cpu(results, &STREAM_CPU, &rounds, 1e3);
    remark_on_failures(results, "streams", &rounds);
    remark_on_missing_events(results, "streams", &rounds);
    Ok(())
}

pub(super) fn burst(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe::plain().start(lab)?;
    let contestants = Setting::streaming(&upstream).start_all(&PROXIES, lab)?;
    let rounds = lab.contest(&contestants, Ask::Stream, SATURATING, lab.pace.lasts)?;
    add_cpu(results, &BURST_CPU, &rounds, 1e3);
    remark_on_failures(results, "burst", &rounds);
    remark_on_missing_events(results, "burst", &rounds);
    Ok(())
}

fn remark_on_missing_events(results: &mut Results, scenario: &str, rounds: &[Measured]) {
    for gateway in [Gateway::Keymux, Gateway::Nginx] {
        let of_gateway = || rounds.iter().filter(|measured| measured.gateway == gateway);
        let events: u64 = of_gateway().map(|measured| measured.report.events).sum();
        let expected: u64 = of_gateway()
            .map(|measured| measured.report.answers * CHUNKS)
            .sum();
        if events < expected {
            let name = gateway.name();
            results.remarks.push(format!(
                "{scenario}: {name} passed on {events} of {expected} events"
            ));
        }
    }
}
