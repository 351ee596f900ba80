//! Requests with bodies of 1 MB, as images and long documents are.

use super::{add_cpu, remark_on_failures};
use crate::load::{Ask, Offer};
use crate::run::figures::{BODY_CPU, BODY_RATE};
use crate::run::gateways::{Gateway, Setting};
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const BYTES: usize = 1_000_000;
const OFFER: Offer = Offer::Closed { connections: 8 };

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe::plain().start(lab)?;
    let setting = Setting::plain(&upstream);
    let contestants =
        setting.start_all(&[Gateway::Keymux, Gateway::Nginx, Gateway::Direct], lab)?;
    let rounds = lab.contest(&contestants, Ask::Large(BYTES), OFFER, lab.pace.lasts)?;
    for measured in &rounds {
        let rate = measured.report.per_second * BYTES as f64 / 1e6;
        results.add(&BODY_RATE, measured.gateway, rate);
    }
    let proxied: Vec<_> = rounds
        .iter()
        .copied()
        .filter(|m| m.gateway != Gateway::Direct)
        .collect();
    add_cpu(results, &BODY_CPU, &proxied, 1e3);
    remark_on_failures(results, "bodies", &rounds);
    Ok(())
}
