//! What a roll-up sums, and the columns that it lies in. All of it adds up.

use std::ops::AddAssign;

use domain::{Class, Nanodollars, RequestRecord};

use super::histogram::{BUCKETS, Histogram};

/// Sums over requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests.
    pub requests: u64,
    /// Those that went wrong; not those whose caller went away.
    pub failed: u64,
    /// Tokens of input, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of output, reasoning included.
    pub output_tokens: u64,
    /// Tokens of reasoning.
    pub reasoning_tokens: u64,
    /// Tokens of input that came from a cache.
    pub cached_tokens: u64,
    /// The providers' own totals of tokens.
    pub total_tokens: u64,
    /// What they cost, as far as their models have a price.
    pub cost: Nanodollars,
    /// From first byte to last, in microseconds.
    pub latency_us: u64,
    /// To the first useful byte, in microseconds, of those that had one.
    pub first_byte_us: u64,
    /// How latencies are spread; empty where the dimension has no histograms.
    pub latency: Histogram,
    /// How times to the first useful byte are spread; empty where the dimension has no histograms.
    pub first_byte: Histogram,
}

/// The columns of the sums, in the order of [`Figures::numbers`]; those of both histograms follow.
pub(super) const SUMS: [&str; 10] = [
    "requests",
    "failed",
    "prompt_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "total_tokens",
    "cost_nanos",
    "latency_us",
    "first_byte_us",
];

/// A sum that overflowed would make PostgreSQL refuse the whole batch, again and again: what a broken clock or price
/// makes of one request is cut to a day and to a million dollars.
const MOST_US: u64 = 86_400_000_000;
const MOST_NANOS: i64 = 1_000_000_000_000_000;

/// How many numbers there are.
pub(super) const NUMBERS: usize = SUMS.len() + 2 * BUCKETS;

/// The columns of all numbers, those of the sums first.
pub(super) fn number_columns() -> impl Iterator<Item = String> {
    let buckets = |histogram: &'static str| {
        (0..BUCKETS).map(move |bucket| format!("{histogram}_{bucket:02}"))
    };
    let sums = SUMS.into_iter().map(str::to_owned);
    sums.chain(buckets("latency")).chain(buckets("first_byte"))
}

impl Figures {
    /// Counts one request.
    pub(super) fn count(&mut self, record: &RequestRecord) {
        let latency_us = record.latency_us.min(MOST_US);
        let is_failure = record.error.is_some_and(|class| class != Class::ClientGone);
        self.requests += 1;
        self.failed += u64::from(is_failure);
        self.latency_us += latency_us;
        self.latency.add_us(latency_us);
        if let Some(us) = record.first_byte_us {
            self.first_byte_us += us.min(MOST_US);
            self.first_byte.add_us(us);
        }
        if let Some(usage) = record.usage {
            self.prompt_tokens += u64::from(usage.prompt);
            self.output_tokens += u64::from(usage.output);
            self.reasoning_tokens += u64::from(usage.reasoning);
            self.cached_tokens += u64::from(usage.cached);
            self.total_tokens += u64::from(usage.total);
        }
        if let Some(cost) = record.cost {
            self.cost += Nanodollars(cost.0.clamp(-MOST_NANOS, MOST_NANOS));
        }
    }

    /// As they are stored, in the order of [`number_columns`].
    pub(super) fn numbers(&self) -> impl Iterator<Item = i64> {
        let sums = [
            self.requests,
            self.failed,
            self.prompt_tokens,
            self.output_tokens,
            self.reasoning_tokens,
            self.cached_tokens,
            self.total_tokens,
            self.cost.0 as u64,
            self.latency_us,
            self.first_byte_us,
        ];
        let buckets = self.latency.counts().into_iter();
        let buckets = buckets.chain(self.first_byte.counts());
        sums.into_iter().chain(buckets).map(|number| number as i64)
    }

    /// As they were stored.
    pub(super) fn from_numbers(numbers: &[i64; NUMBERS]) -> Self {
        let sum = |at: usize| numbers[at] as u64;
        let buckets = |histogram: usize| {
            let first = SUMS.len() + histogram * BUCKETS;
            Histogram::from_counts(std::array::from_fn(|bucket| sum(first + bucket)))
        };
        Self {
            requests: sum(0),
            failed: sum(1),
            prompt_tokens: sum(2),
            output_tokens: sum(3),
            reasoning_tokens: sum(4),
            cached_tokens: sum(5),
            total_tokens: sum(6),
            cost: Nanodollars(numbers[7]),
            latency_us: sum(8),
            first_byte_us: sum(9),
            latency: buckets(0),
            first_byte: buckets(1),
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.prompt_tokens += other.prompt_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.cached_tokens += other.cached_tokens;
        self.total_tokens += other.total_tokens;
        self.cost += other.cost;
        self.latency_us += other.latency_us;
        self.first_byte_us += other.first_byte_us;
        self.latency += other.latency;
        self.first_byte += other.first_byte;
    }
}
