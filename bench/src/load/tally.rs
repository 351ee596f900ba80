//! What a load has seen: counts, and times in histograms of microseconds with three digits.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time that is told apart from longer ones: ten minutes.
const LONGEST_US: u64 = 600_000_000;

/// What is counted while a load runs.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) answers: u64,
    pub(crate) refusals: u64,
    pub(crate) failures: u64,
    pub(crate) body_bytes: u64,
    pub(crate) events: u64,
    pub(crate) latency: Histogram<u64>,
    pub(crate) first_byte: Histogram<u64>,
    pub(crate) gap: Histogram<u64>,
}

impl Tally {
    /// Fails only when the histogram's bounds are impossible, which they are not.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let histogram = || Histogram::new_with_max(LONGEST_US, 3);
        Ok(Self {
            answers: 0,
            refusals: 0,
            failures: 0,
            body_bytes: 0,
            events: 0,
            latency: histogram()?,
            first_byte: histogram()?,
            gap: histogram()?,
        })
    }

    /// Sums up after so long.
    pub(crate) fn report(&self, took: Duration) -> Report {
        let seconds = took.as_secs_f64();
        Report {
            answers: self.answers,
            refusals: self.refusals,
            failures: self.failures,
            seconds,
            per_second: self.answers as f64 / seconds,
            body_bytes: self.body_bytes,
            events: self.events,
            latency: Quantiles::of(&self.latency),
            first_byte: Quantiles::of(&self.first_byte),
            gap: Quantiles::of(&self.gap),
        }
    }
}

/// Notes a time.
pub(crate) fn observe(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
}

/// The result of a load.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Report {
    /// Answers with status 200.
    pub(crate) answers: u64,
    /// Answers with any other status.
    pub(crate) refusals: u64,
    /// Requests without a whole answer.
    pub(crate) failures: u64,
    /// Until the last answer was over.
    pub(crate) seconds: f64,
    /// Answers a second.
    pub(crate) per_second: f64,
    /// Bytes of all bodies.
    pub(crate) body_bytes: u64,
    /// Server-sent events.
    pub(crate) events: u64,
    /// Until an answer was over.
    pub(crate) latency: Quantiles,
    /// Until the first byte of a body.
    pub(crate) first_byte: Quantiles,
    /// Between two pieces of a stream.
    pub(crate) gap: Quantiles,
}

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Quantiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: histogram.max() as f64 / 1e3,
        }
    }
}
