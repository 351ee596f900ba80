//! Figures of outbound proxies, looked at when somebody asks for metrics: proxies come and go, so nothing of them is kept
//! here. The first of very many have lines of their own, the others share one.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts};

use crate::app::App;
use crate::egress::Member;

/// Proxies that have lines of their own.
const MOST: usize = 100;
const OTHERS: &str = "other";

/// Everything that is counted of the ways on which requests leave.
pub(super) fn families(app: &App) -> Result<Vec<MetricFamily>, prometheus::Error> {
    let mut families = standing(app)?;
    families.extend(of_proxies(&app.proxies.list())?);
    // Those without a line cannot be written.
    families.retain(|family| !family.get_metric().is_empty());
    Ok(families)
}

fn standing(app: &App) -> Result<Vec<MetricFamily>, prometheus::Error> {
    let proxies = IntGaugeVec::new(
        Opts::new(
            "keymux_egress_proxies",
            "Outbound proxies by how they stand.",
        ),
        &["state"],
    )?;
    let census = app.proxies.census();
    for (state, count) in [
        ("healthy", census.healthy),
        ("untested", census.untested),
        ("failed", census.set_aside),
    ] {
        let gauge = proxies.with_label_values(&[state]);
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let failing = IntGauge::new(
        "keymux_egress_failing_sources",
        "Lists of proxies that could not be read the last time.",
    )?;
    failing.set(i64::try_from(app.proxy_sources.failing()).unwrap_or(i64::MAX));
    Ok([proxies.collect(), failing.collect()].concat())
}

fn of_proxies(all: &[Member]) -> Result<Vec<MetricFamily>, prometheus::Error> {
    let counters = |name: &str, help: &str| IntCounterVec::new(Opts::new(name, help), &["egress"]);
    let attempts = counters(
        "keymux_egress_attempts_total",
        "Attempts that left through a proxy, checks among them.",
    )?;
    let failures = counters(
        "keymux_egress_failures_total",
        "Attempts and checks that failed by a proxy.",
    )?;
    for (place, Member { proxy, .. }) in all.iter().enumerate() {
        let label = if place < MOST { &*proxy.name } else { OTHERS };
        let figures = proxy.figures();
        attempts
            .with_label_values(&[label])
            .inc_by(figures.attempts);
        failures
            .with_label_values(&[label])
            .inc_by(figures.failures);
    }
    Ok([attempts.collect(), failures.collect()].concat())
}
