//! What has been measured: samples by figure and gateway, of which the median counts.

use std::collections::BTreeMap;

use super::figures::{Better, Figure, Goal};
use super::gateways::Gateway;

/// All samples of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    samples: BTreeMap<(&'static str, Gateway), Vec<f64>>,
    /// What a reader of the figures must know.
    pub(crate) remarks: Vec<String>,
}

/// Whether a goal has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    Yes,
    No,
    /// There is no goal, or nothing was measured.
    Unknown,
}

impl Results {
    /// Adds a sample.
    pub(crate) fn add(&mut self, figure: &'static Figure, gateway: Gateway, value: f64) {
        self.samples
            .entry((figure.id, gateway))
            .or_default()
            .push(value);
    }

    /// The median of the samples.
    pub(crate) fn value(&self, figure: &Figure, gateway: Gateway) -> Option<f64> {
        self.samples
            .get(&(figure.id, gateway))
            .map(|samples| median(samples))
    }

    /// The samples themselves, in the order of the rounds.
    pub(crate) fn samples(&self, figure: &Figure, gateway: Gateway) -> &[f64] {
        self.samples
            .get(&(figure.id, gateway))
            .map_or(&[], Vec::as_slice)
    }

    /// keymux's figure relative to nginx's.
    pub(crate) fn ratio(&self, figure: &Figure) -> Option<f64> {
        let nginx = self
            .value(figure, Gateway::Nginx)
            .filter(|nginx| *nginx > 0.0)?;
        Some(self.value(figure, Gateway::Keymux)? / nginx)
    }

    /// Whether keymux has reached `goal`.
    pub(crate) fn reached(&self, figure: &Figure, goal: Goal) -> Reached {
        let (value, bound) = match goal {
            Goal::None => return Reached::Unknown,
            Goal::Ratio(bound) => (self.ratio(figure), bound),
            Goal::Value(bound) => (self.value(figure, Gateway::Keymux), bound),
        };
        match (value, figure.better) {
            (None, _) => Reached::Unknown,
            (Some(value), Better::Lower) if value <= bound => Reached::Yes,
            (Some(value), Better::Higher) if value >= bound => Reached::Yes,
            _ => Reached::No,
        }
    }
}

/// The middle one, or the mean of the two in the middle. Of nothing: not a number.
fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::figures::{BODY_RATE, JSON_CPU, READY};

    #[test]
    fn one_odd_round_does_not_count() {
        for (samples, middle) in [
            (vec![3.0], 3.0),
            (vec![1.0, 90.0, 2.0], 2.0),
            (vec![4.0, 2.0], 3.0),
        ] {
            assert!((median(&samples) - middle).abs() < 1e-9, "{samples:?}");
        }
    }

    #[test]
    fn goals_are_judged_by_ratio_or_by_value() {
        let mut results = Results::default();
        assert_eq!(results.reached(&JSON_CPU, JSON_CPU.first), Reached::Unknown);
        results.add(&JSON_CPU, Gateway::Keymux, 0.18);
        results.add(&JSON_CPU, Gateway::Nginx, 0.1);
        results.add(&BODY_RATE, Gateway::Keymux, 60.0);
        results.add(&BODY_RATE, Gateway::Nginx, 100.0);
        results.add(&READY, Gateway::Keymux, 99.0);
        assert_eq!(results.reached(&JSON_CPU, JSON_CPU.first), Reached::Yes);
        assert_eq!(results.reached(&JSON_CPU, JSON_CPU.then), Reached::No);
        assert_eq!(results.reached(&BODY_RATE, BODY_RATE.first), Reached::No);
        assert_eq!(results.reached(&READY, READY.first), Reached::Yes);
        assert_eq!(
            results.reached(&BODY_RATE, BODY_RATE.then),
            Reached::Unknown
        );
    }
}
