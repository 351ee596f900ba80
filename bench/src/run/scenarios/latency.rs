//! What a gateway adds to the time of an answer when nobody is in a hurry: 500 requests a second, evenly spaced.

use super::{PROXIES, remark_on_failures};
use crate::load::{Ask, Offer};
use crate::run::figures::{ADDED_P50, ADDED_P99, TOTAL_P99};
use crate::run::gateways::{Gateway, Setting};
use crate::run::lab::{Lab, Measured};
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const OFFER: Offer = Offer::Open { per_second: 500 };
/// `LiteLLM` carries less than 100 requests a second on one core.
const CONTESTANTS: [Gateway; 2] = [PROXIES[0], PROXIES[1]];

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe::plain().start(lab)?;
    let setting = Setting::plain(&upstream);
    let mut contestants = setting.start_all(&CONTESTANTS, lab)?;
    contestants.push(setting.start(Gateway::Direct, lab)?);
    let rounds = lab.contest(&contestants, Ask::Unary, OFFER, lab.pace.lasts)?;
    for round in rounds.chunks(contestants.len()) {
        add_round(round, results);
    }
    remark_on_failures(results, "latency", &rounds);
    Ok(())
}

fn add_round(round: &[Measured], results: &mut Results) {
    let Some(direct) = round
        .iter()
        .find(|measured| measured.gateway == Gateway::Direct)
    else {
        return;
    };
    let without = direct.report.latency;
    for measured in round {
        let with = measured.report.latency;
        results.add(&TOTAL_P99, measured.gateway, with.p99_ms);
        if measured.gateway != Gateway::Direct {
            results.add(&ADDED_P50, measured.gateway, with.p50_ms - without.p50_ms);
            results.add(&ADDED_P99, measured.gateway, with.p99_ms - without.p99_ms);
        }
    }
}
