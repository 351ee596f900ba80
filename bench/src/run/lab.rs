//! The place where scenarios run: installed programs, cores, folders, ports, and the measurement itself.
//! What is measured is decided in `scenarios/`.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::gateways::{Contestant, Gateway};
use super::process::Program;
use super::tools::Tools;
use crate::load::{Ask, Load, Offer, Report, Target, drive};

/// How long and how often is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    pub(crate) lasts: Duration,
}

/// Everything a scenario needs.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) tools: Tools,
    pub(crate) pace: Pace,
    /// Where gateways run; the load and the stand-in have the other one.
    pub(crate) gateway_core: usize,
    runtime: Runtime,
    dir: TempDir,
    folders: Cell<usize>,
}

/// What one gateway did in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Its place in the list of contestants.
    pub(crate) index: usize,
    pub(crate) gateway: Gateway,
    /// Of its processes, work in the background afterwards included; not a number for none.
    pub(crate) cpu_seconds: f64,
    pub(crate) report: Report,
}

impl Measured {
    /// CPU seconds for `count` good answers.
    pub(crate) fn cpu_per(&self, count: f64) -> f64 {
        self.cpu_seconds / self.report.answers as f64 * count
    }
}

impl Lab {
    pub(crate) fn new(tools: Tools, pace: Pace, gateway_core: usize) -> anyhow::Result<Self> {
        Ok(Self {
            tools,
            pace,
            gateway_core,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            dir: tempfile::Builder::new().prefix("keymux-bench-").tempdir()?,
            folders: Cell::new(0),
        })
    }

    /// A new folder for one program.
    pub(crate) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let number = self.folders.replace(self.folders.get() + 1);
        let folder = self.dir.path().join(format!("{name}-{number}"));
        std::fs::create_dir(&folder).with_context(|| format!("create {}", folder.display()))?;
        Ok(folder)
    }

    /// Runs asynchronous work of the load.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Drives one target.
    pub(crate) fn drive(
        &self,
        target: &Target,
        ask: Ask,
        offer: Offer,
        lasts: Duration,
    ) -> anyhow::Result<Report> {
        let load = Load {
            target: target.clone(),
            ask,
            offer,
            lasts,
        };
        self.block_on(drive(&load))
    }

    /// Lets the contestants take turns, round by round and each time in the other order.
    pub(crate) fn contest(
        &self,
        contestants: &[Contestant],
        ask: Ask,
        offer: Offer,
        lasts: Duration,
    ) -> anyhow::Result<Vec<Measured>> {
        for contestant in contestants {
            self.drive(&contestant.target, ask, offer, Duration::from_millis(300))?;
            contestant
                .program
                .as_ref()
                .map(Program::settled_cpu_seconds)
                .transpose()?;
        }
        let mut all = Vec::new();
        for round in 0..self.pace.rounds {
            for place in 0..contestants.len() {
                let index = if round % 2 == 0 {
                    place
                } else {
                    contestants.len() - 1 - place
                };
                all.push(self.measure(index, &contestants[index], ask, offer, lasts)?);
            }
        }
        Ok(all)
    }

    /// Drives one contestant and tells what that cost it.
    pub(crate) fn measure(
        &self,
        index: usize,
        contestant: &Contestant,
        ask: Ask,
        offer: Offer,
        lasts: Duration,
    ) -> anyhow::Result<Measured> {
        let program = contestant.program.as_ref();
        let before = program.map_or(Ok(f64::NAN), Program::cpu_seconds)?;
        let report = self.drive(&contestant.target, ask, offer, lasts)?;
        let after = program.map_or(Ok(f64::NAN), Program::settled_cpu_seconds)?;
        if report.answers == 0 {
            let words = program.map(Program::last_words).unwrap_or_default();
            bail!("{} gave no good answer: {words}", contestant.gateway.name());
        }
        Ok(Measured {
            index,
            gateway: contestant.gateway,
            cpu_seconds: after - before,
            report,
        })
    }
}
