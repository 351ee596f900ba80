//! Durations: `30s`, `5m`, `1h30m`, `30d`, `250ms`, and a bare `0`.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value as Json;

use crate::Shape;
use crate::value::{Leaf, is_between};

impl Leaf for Duration {
    fn shape() -> Shape {
        Shape::Duration { or: None }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let duration = if text == "0" {
            Some(Self::ZERO)
        } else {
            sum_of_parts(text)
        };
        duration.ok_or_else(|| "is not a duration such as 250ms, 30s, 5m, 1h30m or 30d".to_owned())
    }

    fn listed(&self) -> Json {
        written(*self).into()
    }

    fn is_within(&self, low: &str, high: &str) -> bool {
        is_between(self, low, high)
    }
}

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The text in its shortest form, for example `1h30m`.
fn written(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, ms) in UNITS {
        if rest >= ms {
            let _ = write!(text, "{}{unit}", rest / ms);
            rest %= ms;
        }
    }
    text
}

/// The sum of numbers with units, from the largest unit to the smallest.
fn sum_of_parts(text: &str) -> Option<Duration> {
    let mut total = 0u64;
    let mut last_unit = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let end = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let unit = unit_ms(&tail[..end])?;
        if unit >= last_unit {
            return None;
        }
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        (last_unit, rest) = (unit, &tail[end..]);
    }
    (last_unit != u64::MAX).then(|| Duration::from_millis(total))
}

fn unit_ms(unit: &str) -> Option<u64> {
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    known.map(|(_, ms)| *ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected_ms: Option<u64>) {
        assert_eq!(
            Duration::parse(text).ok(),
            expected_ms.map(Duration::from_millis),
            "{text}"
        );
    }

    #[test]
    fn numbers_with_units_add_up() {
        check("0", Some(0));
        check("0s", Some(0));
        check("250ms", Some(250));
        check("30s", Some(30_000));
        check("1h30m", Some(5_400_000));
        check("30d", Some(2_592_000_000));
        check("1d2h3m4s5ms", Some(93_784_005));
    }

    #[test]
    fn a_duration_is_written_in_its_shortest_form() {
        for text in ["0s", "250ms", "30s", "1h30m", "30d", "1d2h3m4s5ms"] {
            assert_eq!(Duration::parse(text).map(written).as_deref(), Ok(text));
        }
        assert_eq!(written(Duration::from_secs(120)), "2m");
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in [
            "",
            "30",
            "s",
            "1.5h",
            "-1s",
            "5m1h",
            "5m5m",
            "1 h",
            "1w",
            "99999999999999999d",
        ] {
            check(text, None);
        }
    }
}
