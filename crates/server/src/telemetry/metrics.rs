//! Prometheus metrics. Label sets are bounded: endpoints, classes and providers are finite, and of models only the
//! first some hundred get a name of their own.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use domain::{Class, RequestRecord};
use prometheus::{
    CounterVec, Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::turned_away::TurnedAway;
use super::ways;
use crate::app::App;

const MOST_MODELS: usize = 200;
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: Histogram,
    attempts: IntCounterVec,
    first_byte: HistogramVec,
    tokens: IntCounterVec,
    cost: CounterVec,
    cooling: IntCounterVec,
    checks: IntCounterVec,
    check_backlog: IntGaugeVec,
    live_sessions: IntGaugeVec,
    live_closes: IntCounterVec,
    pub(crate) retries: IntCounter,
    pub(crate) turned_away: TurnedAway,
    keys: IntGaugeVec,
    in_queue: IntGaugeVec,
    pub(crate) dropped_records: IntCounter,
    pub(crate) dropped_bodies: IntCounter,
    models: RwLock<HashSet<Arc<str>>>,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        let seconds =
            |name: &str, help: &str| HistogramOpts::new(name, help).buckets(SECONDS.into());
        let cost = CounterVec::new(
            Opts::new(
                "keymux_cost_usd_total",
                "What answers cost, in US dollars, where the model has a price.",
            ),
            &["provider", "model"],
        )?;
        registry.register(Box::new(cost.clone()))?;
        let duration = Histogram::with_opts(seconds(
            "api_request_duration_seconds",
            "Time from the first byte of a request to the last of its answer.",
        ))?;
        let first_byte = HistogramVec::new(
            seconds(
                "keymux_first_byte_seconds",
                "Time to the first useful byte of an answer.",
            ),
            &["provider"],
        )?;
        registry.register(Box::new(duration.clone()))?;
        registry.register(Box::new(first_byte.clone()))?;
        Ok(Self {
            requests: counters(
                "api_requests_total",
                "Requests of callers.",
                &["endpoint", "status"],
            )?,
            attempts: counters(
                "keymux_attempts_total",
                "Attempts by what became of them.",
                &["provider", "model", "outcome"],
            )?,
            tokens: counters(
                "keymux_tokens_total",
                "Tokens as providers counted them.",
                &["provider", "model", "kind"],
            )?,
            cost,
            cooling: counters(
                "keymux_cooling_events_total",
                "Refusals that took a key, or a key for a model, out of use.",
                &["provider", "reason"],
            )?,
            turned_away: TurnedAway::new(&registry)?,
            checks: counters(
                "keymux_checks_total",
                "Checks of keys by what they found.",
                &["provider", "outcome"],
            )?,
            check_backlog: gauges(
                "keymux_check_backlog",
                "Checks of keys that are due.",
                &["provider"],
            )?,
            live_sessions: gauges("keymux_live_sessions", "Live sessions.", &["provider"])?,
            live_closes: counters(
                "keymux_live_closes_total",
                "Live sessions that are over, by how they ended.",
                &["provider", "class"],
            )?,
            keys: gauges("keymux_keys", "Keys by state.", &["provider", "state"])?,
            in_queue: gauges(
                "keymux_queue_depth",
                "What waits to be written.",
                &["queue"],
            )?,
            dropped_records: counter(
                "keymux_dropped_records_total",
                "Request records lost because the database could not follow.",
            )?,
            dropped_bodies: counter(
                "keymux_dropped_bodies_total",
                "Kept bodies lost because the database could not follow.",
            )?,
            retries: counter("keymux_retries_total", "Attempts after the first.")?,
            duration,
            first_byte,
            registry,
            models: RwLock::default(),
        })
    }

    /// Counts a request that is over.
    pub(crate) fn request(&self, record: &RequestRecord) {
        let mut status = [0u8; 3];
        let status = three_digits(record.status, &mut status);
        self.requests
            .with_label_values(&[record.endpoint, status])
            .inc();
        self.duration.observe(seconds(record.latency_us));
        let Some(provider) = record.provider.as_deref() else {
            return;
        };
        if let Some(first_byte_us) = record.first_byte_us {
            self.first_byte
                .with_label_values(&[provider])
                .observe(seconds(first_byte_us));
        }
        if let Some(usage) = &record.usage {
            let model = record.model.as_deref().unwrap_or_default();
            let model = self.model_label(model, true);
            self.count_tokens(provider, model, usage);
            if let Some(cost) = record.cost {
                self.cost
                    .with_label_values(&[provider, model])
                    .inc_by(cost.dollars());
            }
        }
    }

    /// Counts an attempt.
    pub(crate) fn attempt(&self, provider: &str, model: &str, class: Class) {
        let model = self.model_label(model, class == Class::Ok);
        self.attempts
            .with_label_values(&[provider, model, class.name()])
            .inc();
        if matches!(class.harm(), domain::Harm::Key | domain::Harm::Pair) {
            self.cooling
                .with_label_values(&[provider, class.name()])
                .inc();
        }
    }

    /// Counts a check.
    pub(crate) fn check(&self, provider: &str, class: Class) {
        let counter = self.checks.with_label_values(&[provider, class.name()]);
        counter.inc();
    }

    /// Counts a Live session that is over.
    pub(crate) fn live_close(&self, provider: &str, class: Class) {
        let counter = self
            .live_closes
            .with_label_values(&[provider, class.name()]);
        counter.inc();
    }

    /// Everything in Prometheus's text format.
    pub(crate) fn render(&self, app: &App) -> Vec<u8> {
        self.look(app);
        let mut text = Vec::new();
        let families = ways::families(app).map(|ways| [self.registry.gather(), ways].concat());
        let encoded = families.and_then(|all| TextEncoder::new().encode(&all, &mut text));
        if let Err(error) = encoded {
            tracing::error!(%error, "metrics could not be encoded");
        }
        text
    }

    /// Reads what is not counted but looked at.
    fn look(&self, app: &App) {
        for provider in app.snapshot.load().providers.iter() {
            let census = provider.pools.census(app.clock.now());
            for (state, count) in [
                ("active", census.active),
                ("cooling", census.cooling),
                ("invalid", census.invalid),
                ("disabled", census.disabled),
            ] {
                let gauge = self.keys.with_label_values(&[&*provider.name, state]);
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
        let open = app.live_sessions.all();
        for provider in app.snapshot.load().providers.iter() {
            let own = open.iter().filter(|it| it.provider == provider.name);
            let gauge = self.live_sessions.with_label_values(&[&*provider.name]);
            gauge.set(i64::try_from(own.count()).unwrap_or(i64::MAX));
        }
        self.turned_away.look(app);
        for (provider, due) in app.checks.backlog(app.clock.now()) {
            let gauge = self.check_backlog.with_label_values(&[&*provider]);
            gauge.set(i64::try_from(due).unwrap_or(i64::MAX));
        }
        let depth = i64::try_from(app.records.depth()).unwrap_or(i64::MAX);
        self.in_queue.with_label_values(&["request_log"]).set(depth);
    }

    fn count_tokens(&self, provider: &str, model: &str, usage: &domain::Usage) {
        for (kind, count) in [
            ("prompt", usage.prompt),
            ("output", usage.output),
            ("reasoning", usage.reasoning),
            ("cached", usage.cached),
        ] {
            if count > 0 {
                self.tokens
                    .with_label_values(&[provider, model, kind])
                    .inc_by(u64::from(count));
            }
        }
    }

    /// The model's name, or `other`: callers invent names, so only models that have answered get a label.
    fn model_label<'a>(&self, model: &'a str, has_answered: bool) -> &'a str {
        let known = self.models.read().unwrap_or_else(PoisonError::into_inner);
        if model.is_empty() || known.contains(model) {
            return model;
        }
        if !has_answered || known.len() >= MOST_MODELS {
            return "other";
        }
        drop(known);
        self.models
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(model.into());
        model
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn three_digits(status: u16, text: &mut [u8; 3]) -> &str {
    for (place, digit) in [status / 100 % 10, status / 10 % 10, status % 10]
        .into_iter()
        .enumerate()
    {
        text[place] = b'0' + digit as u8;
    }
    std::str::from_utf8(text).unwrap_or("000")
}
