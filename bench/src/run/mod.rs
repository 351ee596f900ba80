//! `bench run`: keymux beside nginx, and `LiteLLM` where it is installed, in front of the same stand-in.
//! Gateways get one core, the load and the stand-in another; all take turns within one run. `lab.rs` is the place,
//! `scenarios/` what happens there, `figures.rs` what is measured and what it should be, `report.rs` the table.

pub(crate) mod figures;
pub(crate) mod gateways;
pub(crate) mod lab;
mod machine;
mod ports;
mod process;
mod report;
pub(crate) mod results;
mod scenarios;
mod tools;
mod upstream;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};

use lab::{Lab, Pace};
use results::Results;
use scenarios::{SCENARIOS, Scenario};
use tools::Tools;

/// Sockets of 1,000 streams on both sides, with room.
const OPEN_FILES: u64 = 8_192;

/// The flags of `bench run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Only these scenarios; without any, all.
    scenarios: Vec<String>,
    /// Fewer and shorter rounds: less than two minutes in all.
    #[arg(long)]
    quick: bool,
    /// The core of the gateways.
    #[arg(long, default_value_t = 0)]
    gateway_core: usize,
    /// The core of the load and of the stand-in.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// Also write the table to this file.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Also write every sample to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Flags {
    fn pace(&self) -> Pace {
        let (rounds, ms) = if self.quick { (3, 600) } else { (5, 4_000) };
        Pace {
            rounds,
            lasts: Duration::from_millis(ms),
        }
    }

    fn chosen(&self) -> anyhow::Result<Vec<&'static Scenario>> {
        let known: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        if let Some(name) = self
            .scenarios
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            bail!(
                "there is no scenario {name:?}; known are {}",
                known.join(", ")
            );
        }
        let is_chosen = |scenario: &&Scenario| {
            self.scenarios.is_empty() || self.scenarios.iter().any(|name| name == scenario.name)
        };
        Ok(SCENARIOS.iter().filter(is_chosen).collect())
    }
}

/// Runs the scenarios and prints the table.
pub(crate) fn command(flags: &Flags) -> anyhow::Result<()> {
    let chosen = flags.chosen()?;
    ensure!(
        flags.gateway_core != flags.load_core,
        "the load needs a core of its own"
    );
    allow_open_files()?;
    process::pin_here(flags.load_core)?;
    let lab = Lab::new(Tools::find()?, flags.pace(), flags.gateway_core)?;
    let mut results = Results::default();
    for scenario in chosen {
        crate::note(&format!("{}: {}", scenario.name, scenario.about));
        run(scenario, &lab, &mut results);
    }
    let table = report::markdown(&results, &lab.tools);
    if let Some(file) = &flags.markdown {
        std::fs::write(file, &table)?;
    }
    if let Some(file) = &flags.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report::samples(&results))?)?;
    }
    crate::say(&table);
    Ok(())
}

/// One scenario that fails does not take the others with it.
fn run(scenario: &Scenario, lab: &Lab, results: &mut Results) {
    let (began, others) = (Instant::now(), machine::load_average());
    if let Err(error) = (scenario.run)(lab, results) {
        crate::note(&format!("{}: {error:#}", scenario.name));
        results
            .remarks
            .push(format!("{}: failed: {error:#}", scenario.name));
    }
    let took = began.elapsed().as_secs_f64();
    crate::note(&format!(
        "{}: {took:.0} s, load average before {others:.1}",
        scenario.name
    ));
}

fn allow_open_files() -> anyhow::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < OPEN_FILES) {
        limit.current = Some(
            limit
                .maximum
                .map_or(OPEN_FILES, |most| most.min(OPEN_FILES)),
        );
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(())
}
