//! A pool of 1,000 keys, half of which the provider calls invalid: every caller gets an answer, and the cost settles.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SATURATING, add_cpu, remark_on_failures};
use crate::load::Ask;
use crate::run::figures::{DEAD_BEGIN_CPU, DEAD_CPU, DEAD_REFUSED};
use crate::run::gateways::{Gateway, Keys, Setting, key};
use crate::run::lab::Lab;
use crate::run::results::Results;
use crate::run::upstream::Recipe;

const KEYS: usize = 1_000;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    let upstream = Recipe {
        script: Some(script()),
        ..Recipe::plain()
    }
    .start(lab)?;
    let setting = Setting {
        keys: Keys::Configured(KEYS),
        ..Setting::plain(&upstream)
    };
    let contestants = setting.start_all(&[Gateway::Keymux, Gateway::Nginx], lab)?;
    let second = Duration::from_secs(1);
    for contestant in &contestants {
        let first = lab.measure(0, contestant, Ask::Unary, SATURATING, second)?;
        results.add(&DEAD_BEGIN_CPU, contestant.gateway, first.cpu_per(1e4));
        let without = first.report.refusals + first.report.failures;
        results.add(&DEAD_REFUSED, contestant.gateway, without as f64);
    }
    let rounds = lab.contest(&contestants, Ask::Unary, SATURATING, lab.pace.lasts)?;
    add_cpu(results, &DEAD_CPU, &rounds, 1e4);
    remark_on_failures(results, "half_dead", &rounds);
    Ok(())
}

/// Every second key is dead; the first, which nginx shows, is not.
fn script() -> String {
    let keys: Vec<Value> = (0..KEYS)
        .map(|index| match index % 2 {
            0 => json!({ "key": key(index) }),
            _ => json!({ "key": key(index), "fault": "invalid" }),
        })
        .collect();
    json!({ "keys": keys }).to_string()
}
