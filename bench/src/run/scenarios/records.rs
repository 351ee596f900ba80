//! How fast request records go into SQLite: the example of `store` that writes nothing else, if it has been built.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::run::figures::RECORD_RATE;
use crate::run::gateways::Gateway;
use crate::run::lab::Lab;
use crate::run::results::Results;

pub(super) fn run(lab: &Lab, results: &mut Results) -> anyhow::Result<()> {
    if !lab.tools.records.exists() {
        results
            .remarks
            .push("records: not measured, the example `records` of store is not built".into());
        return Ok(());
    }
    for _ in 0..lab.pace.rounds {
        let done = Command::new(&lab.tools.records).arg("100000").output()?;
        ensure!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let rate = text
            .split_once(" rows/s")
            .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
        results.add(
            &RECORD_RATE,
            Gateway::Keymux,
            rate.with_context(|| format!("no rows/s in {text:?}"))?,
        );
    }
    Ok(())
}
