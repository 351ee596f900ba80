//! How durations are spread: counts by buckets of a log scale, five a decade from a millisecond to 100 seconds.
//! Counts of the same bucket add up, so histograms of minutes, clients and instances can be merged.

use std::ops::AddAssign;
use std::time::Duration;

/// The first bucket is below the first bound, the last one from the last bound on.
pub(crate) const BUCKETS: usize = BOUNDS_US.len() + 1;

/// Where buckets end and the next begin, in microseconds. They never change: rows outlive programs.
const BOUNDS_US: [u64; 26] = [
    1_000,
    1_585,
    2_512,
    3_981,
    6_310, //
    10_000,
    15_849,
    25_119,
    39_811,
    63_096, //
    100_000,
    158_489,
    251_189,
    398_107,
    630_957, //
    1_000_000,
    1_584_893,
    2_511_886,
    3_981_072,
    6_309_573, //
    10_000_000,
    15_848_932,
    25_118_864,
    39_810_717,
    63_095_734, //
    100_000_000,
];

/// Counts of durations by buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
}

impl Histogram {
    pub(crate) fn from_counts(counts: [u64; BUCKETS]) -> Self {
        Self { counts }
    }

    pub(crate) fn counts(&self) -> [u64; BUCKETS] {
        self.counts
    }

    /// Counts one duration.
    pub fn add_us(&mut self, us: u64) {
        self.counts[BOUNDS_US.partition_point(|&bound| bound <= us)] += 1;
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Below what `percent` of the durations are; none: there are none. It is interpolated within a bucket, so it
    /// is at most a bucket's width off: it lies between the true value's 63 and 159 %. What is longer than 100
    /// seconds counts as 100 seconds.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let total = self.count();
        if total == 0 {
            return None;
        }
        let wanted = (percent.clamp(0.0, 100.0) / 100.0 * total as f64).max(f64::MIN_POSITIVE);
        let mut below = 0.0;
        for (bucket, &count) in self.counts.iter().enumerate() {
            let count = count as f64;
            if below + count >= wanted {
                return Some(within(bucket, (wanted - below) / count));
            }
            below += count;
        }
        Some(within(BUCKETS - 1, 1.0))
    }
}

/// What lies at that share of a bucket's width.
fn within(bucket: usize, share: f64) -> Duration {
    let from = bucket.checked_sub(1).map_or(0, |before| BOUNDS_US[before]);
    let to = BOUNDS_US.get(bucket).copied().unwrap_or(from);
    let us = from as f64 + (to - from) as f64 * share;
    Duration::from_micros(us.round() as u64)
}

impl AddAssign for Histogram {
    fn add_assign(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(us: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        us.into_iter().for_each(|us| histogram.add_us(us));
        histogram
    }

    fn check(us: &[u64], percent: f64, expected_us: u64) {
        let found = of(us.iter().copied()).percentile(percent);
        assert_eq!(found, Some(Duration::from_micros(expected_us)), "{us:?}");
    }

    #[test]
    fn percentile_is_interpolated_within_its_bucket() {
        check(&[0], 100.0, 1_000);
        check(&[0, 999], 50.0, 500);
        check(&[1_000, 1_001, 1_500, 1_584], 50.0, 1_293);
        check(&[1_000, 10_000], 50.0, 1_585);
        check(&[1_000, 10_000], 50.1, 10_012);
        check(&[99_999_999, 100_000_000, u64::MAX], 100.0, 100_000_000);
        check(&[5_000], -1.0, 3_981);
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Histogram::default().percentile(50.0), None);
    }

    #[test]
    fn percentile_is_near_the_true_one() {
        let mut us: Vec<u64> = (0..5_000).map(|step| 1_000 + step * step * 3).collect();
        us.sort_unstable();
        for percent in [1.0, 25.0, 50.0, 90.0, 95.0, 99.0, 99.9] {
            let exact = us[(percent / 100.0 * 4_999.0) as usize] as f64;
            let found = of(us.iter().copied()).percentile(percent).unwrap();
            let ratio = found.as_micros() as f64 / exact;
            assert!((0.63..1.59).contains(&ratio), "{percent}: {ratio}");
        }
    }

    #[test]
    fn merged_histograms_are_those_of_all_durations() {
        let (some, others) = ([3, 70_000, 5_000_000], [70_001, 200_000_000]);
        let mut merged = of(some);
        merged += of(others);
        assert_eq!(merged, of(some.into_iter().chain(others)));
        assert_eq!(merged.count(), 5);
    }
}
