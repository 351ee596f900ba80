//! What a gateway is before any request: how soon it is ready, and what memory it holds.

use super::{PROXIES, program_of};
use crate::run::figures::{FIRST_READY, IDLE_MEMORY, READY};
use crate::run::gateways::{Gateway, Keys, Setting, import_keys};
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const KEYS: usize = 10;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe::plain().start(lab)?;
    let setting = Setting::plain(&upstream);
    for _ in 0..lab.pace.rounds {
        for contestant in setting.start_all(&PROXIES, lab)? {
            let gateway = contestant.gateway;
            results.add(
                &IDLE_MEMORY,
                gateway,
                program_of(&contestant)?.resident_mib()?,
            );
            // Of those that keep a database, this start is the first.
            let figure = if gateway == Gateway::Keymux {
                &FIRST_READY
            } else {
                &READY
            };
            results.add(figure, gateway, contestant.ready_ms);
        }
    }
    if lab.tools.has(Gateway::Keymux) {
        later_starts(&setting, lab, results)?;
    }
    Ok(())
}

fn later_starts(setting: &Setting<'_>, lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let folder = import_keys(setting, lab, KEYS)?;
    let again = Setting {
        keys: Keys::Stored(&folder),
        ..*setting
    };
    // The first of them still makes what is missing.
    again.start(Gateway::Keymux, lab)?;
    for _ in 0..lab.pace.rounds {
        let ready_ms = again.start(Gateway::Keymux, lab)?.ready_ms;
        results.add(&READY, Gateway::Keymux, ready_ms);
    }
    Ok(())
}
