//! Times to wait, as providers write them: proto durations, Go durations, sentences, `Retry-After`.
//! Dates are not read: that takes a clock. Every result is at most [`LONGEST`].

use std::time::Duration;

/// Nothing longer is believed.
pub const LONGEST: Duration = Duration::from_secs(48 * 3600);

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Units, the longer of two that begin alike first.
const UNITS: &[(&str, u128)] = &[
    ("milliseconds", 1_000_000),
    ("millisecond", 1_000_000),
    ("minutes", 60 * NANOS_PER_SECOND),
    ("minute", 60 * NANOS_PER_SECOND),
    ("seconds", NANOS_PER_SECOND),
    ("second", NANOS_PER_SECOND),
    ("hours", 3600 * NANOS_PER_SECOND),
    ("hour", 3600 * NANOS_PER_SECOND),
    ("mins", 60 * NANOS_PER_SECOND),
    ("days", 86_400 * NANOS_PER_SECOND),
    ("secs", NANOS_PER_SECOND),
    ("min", 60 * NANOS_PER_SECOND),
    ("sec", NANOS_PER_SECOND),
    ("day", 86_400 * NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
    ("d", 86_400 * NANOS_PER_SECOND),
    ("h", 3600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
];

/// What comes before a time to wait in a sentence, in lower case.
const LEADS: &[&str] = &["retry in ", "retry after ", "try again in "];

/// A duration with units, for example `26s`, `25.465784708s`, `1m2.5s`, `340ms`; nothing may follow it.
pub fn read(text: &str) -> Option<Duration> {
    let (duration, rest) = leading(text.trim())?;
    rest.is_empty().then_some(duration)
}

/// The time in a sentence such as `Please retry in 25.46s.` or `try again in 30 seconds`.
pub fn in_text(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    LEADS.iter().find_map(|lead| {
        let at = lower.find(lead)? + lead.len();
        leading(lower[at..].trim_start()).map(|(duration, _)| duration)
    })
}

/// The seconds of a `Retry-After` header, fractions allowed; a date is none.
pub fn retry_after(value: &str) -> Option<Duration> {
    let (nanos, rest) = number(value.trim(), NANOS_PER_SECOND)?;
    rest.is_empty().then(|| capped(nanos))
}

/// The duration that a text begins with, and what follows it.
fn leading(text: &str) -> Option<(Duration, &str)> {
    let (mut total, mut rest) = quantity(text)?;
    while let Some((nanos, after)) = quantity(rest) {
        total = total.saturating_add(nanos);
        rest = after;
    }
    Some((capped(total), rest))
}

/// A number with its unit, in nanoseconds.
fn quantity(text: &str) -> Option<(u128, &str)> {
    let (_, after) = number(text, 1)?;
    let after = after.trim_start_matches(' ');
    let (unit, nanos) = UNITS.iter().find(|(unit, _)| {
        let follows = after
            .strip_prefix(unit)
            .and_then(|rest| rest.chars().next());
        after.starts_with(unit) && !follows.is_some_and(char::is_alphabetic)
    })?;
    let (total, _) = number(text, *nanos)?;
    Some((total, &after[unit.len()..]))
}

/// A decimal number times `scale`, digits beyond what `scale` resolves cut off.
fn number(text: &str, scale: u128) -> Option<(u128, &str)> {
    let (whole, rest) = digits(text);
    if whole.is_empty() {
        return None;
    }
    let total = whole.bytes().fold(0_u128, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u128::from(digit - b'0'))
    });
    let total = total.saturating_mul(scale);
    let Some((fraction, rest)) = rest
        .strip_prefix('.')
        .map(digits)
        .filter(|f| !f.0.is_empty())
    else {
        return Some((total, rest));
    };
    let mut unit = scale;
    let fraction = fraction.bytes().fold(0, |sum, digit| {
        unit /= 10;
        sum + u128::from(digit - b'0') * unit
    });
    Some((total.saturating_add(fraction), rest))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

fn capped(nanos: u128) -> Duration {
    let nanos = nanos.min(LONGEST.as_nanos());
    Duration::new(
        (nanos / NANOS_PER_SECOND) as u64,
        (nanos % NANOS_PER_SECOND) as u32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reader: fn(&str) -> Option<Duration>, cases: &[(&str, Option<u64>)]) {
        for (text, millis) in cases {
            assert_eq!(reader(text), millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn durations_with_units_are_read() {
        check(
            read,
            &[
                ("26s", Some(26_000)),
                ("0s", Some(0)),
                ("51.2s", Some(51_200)),
                ("1m2.5s", Some(62_500)),
                ("6m0s", Some(360_000)),
                ("1h", Some(3_600_000)),
                ("340ms", Some(340)),
                ("30 seconds", Some(30_000)),
                ("", None),
                ("s", None),
                ("12", None),
                ("-3s", None),
                ("5 sheep", None),
                ("1s later", None),
            ],
        );
        assert_eq!(read("25.465784708s"), Some(Duration::new(25, 465_784_708)));
    }

    #[test]
    fn absurd_durations_are_capped() {
        let digits = "9".repeat(500);
        assert_eq!(read(&format!("{digits}s")), Some(LONGEST));
        assert_eq!(retry_after(&digits), Some(LONGEST));
        assert_eq!(read(&format!("0.{digits}s")).map(|d| d.as_secs()), Some(0));
    }

    #[test]
    fn sentences_are_read() {
        check(
            in_text,
            &[
                ("Quota. Please retry in 25.46s.", Some(25_460)),
                ("please Retry in 1m2.5s", Some(62_500)),
                ("Please retry in 340ms.", Some(340)),
                ("Please try again in 30 seconds.", Some(30_000)),
                ("retry after 2 minutes, please", Some(120_000)),
                ("Please try again later.", None),
                ("retry in ", None),
                ("retry in 5", None),
            ],
        );
    }

    #[test]
    fn retry_after_is_seconds_only() {
        check(
            retry_after,
            &[
                ("7", Some(7_000)),
                (" 1.5 ", Some(1_500)),
                ("Wed, 21 Oct 2026 07:28:00 GMT", None),
                ("", None),
            ],
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = (read(&text), in_text(&text), retry_after(&text));
            let _ = in_text(&format!("retry in {text}"));
        }
    }
}
