//! The scenarios by name. Each starts what it needs, lets the gateways take turns, adds its figures and stops everything.

mod bodies;
mod checks;
mod half_dead;
mod idle;
mod json;
mod latency;
mod live_sessions;
mod open_streams;
mod pool;
mod records;
mod streams;
mod tls;
mod uploads;

use super::figures::Figure;
use super::gateways::{Contestant, Gateway};
use super::lab::{Lab, Measured};
use super::results::Results;
use crate::load::Offer;

/// A scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Lab, &mut Results) -> anyhow::Result<()>,
}

/// All of them, in the order in which they run.
pub(crate) static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "idle",
        about: "idle memory, start to ready",
        run: idle::run,
    },
    Scenario {
        name: "json",
        about: "small JSON answers at saturation",
        run: json::run,
    },
    Scenario {
        name: "latency",
        about: "added latency at 500 requests/s",
        run: latency::run,
    },
    Scenario {
        name: "streams",
        about: "200 streams at a time, 50 chunks at 20 ms",
        run: streams::paced,
    },
    Scenario {
        name: "burst",
        about: "streams of 50 chunks without a pause",
        run: streams::burst,
    },
    Scenario {
        name: "open_streams",
        about: "memory of 1,000 open streams",
        run: open_streams::run,
    },
    Scenario {
        name: "live_sessions",
        about: "memory of 500 open Live sessions",
        run: live_sessions::run,
    },
    Scenario {
        name: "bodies",
        about: "request bodies of 1 MB",
        run: bodies::run,
    },
    Scenario {
        name: "uploads",
        about: "a resumable upload of 2 GiB",
        run: uploads::run,
    },
    Scenario {
        name: "pool",
        about: "a pool of 100,000 keys, in SQLite and in key files",
        run: pool::run,
    },
    Scenario {
        name: "half_dead",
        about: "a pool of which half is dead",
        run: half_dead::run,
    },
    Scenario {
        name: "checks",
        about: "10,000 keys checked with three models while requests come",
        run: checks::run,
    },
    Scenario {
        name: "tls",
        about: "TLS to the provider, HTTP/1.1 and HTTP/2",
        run: tls::run,
    },
    Scenario {
        name: "records",
        about: "request records into SQLite",
        run: records::run,
    },
    Scenario {
        name: "micro",
        about: "choosing keys, reading answers",
        run: crate::micro::run,
    },
];

/// Those that do a proxy's work.
const PROXIES: [Gateway; 3] = [Gateway::Keymux, Gateway::Nginx, Gateway::Litellm];

/// As many connections as keep a gateway's core busy.
const SATURATING: Offer = Offer::Closed { connections: 64 };

/// Adds the CPU time per `count` good answers of every round.
fn add_cpu(results: &mut Results, figure: &'static Figure, rounds: &[Measured], count: f64) {
    for measured in rounds {
        results.add(figure, measured.gateway, measured.cpu_per(count));
    }
}

/// Says which contestants gave anything but good answers.
fn remark_on_failures(results: &mut Results, scenario: &str, rounds: &[Measured]) {
    for gateway in Gateway::ALL {
        let of_gateway = rounds.iter().filter(|measured| measured.gateway == gateway);
        let (refusals, failures) = of_gateway.fold((0, 0), |(refusals, failures), measured| {
            (
                refusals + measured.report.refusals,
                failures + measured.report.failures,
            )
        });
        if refusals + failures > 0 {
            let name = gateway.name();
            results.remarks.push(format!(
                "{scenario}: {name} refused {refusals} requests and left {failures} without a whole answer"
            ));
        }
    }
}

/// The program of a contestant that has one.
fn program_of(contestant: &Contestant) -> anyhow::Result<&super::process::Program> {
    contestant
        .program
        .as_ref()
        .ok_or_else(|| anyhow::anyhow!("the stand-in itself is no contestant here"))
}
