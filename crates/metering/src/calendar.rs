//! Days and months of UTC, in which requests, tokens and money are counted.
//! Nothing here fails: what lies before 1970 or after the year 9999 is in the first or the last day of that time.

use domain::UnixMs;
use jiff::{Span, civil::Date};

const MS_PER_DAY: i64 = 86_400_000;
const FIRST_DATE: Date = Date::constant(1970, 1, 1);
/// 9999-12-31.
const LAST_DAY: i64 = 2_932_896;

/// Days since 1970-01-01.
pub(crate) fn day_of(now: UnixMs) -> i32 {
    (now.0 / MS_PER_DAY).clamp(0, LAST_DAY) as i32
}

/// The midnight that begins a day.
pub(crate) fn begin_of(day: i32) -> UnixMs {
    UnixMs(i64::from(day) * MS_PER_DAY)
}

/// Months since the year 0.
pub(crate) fn month_of(day: i32) -> i32 {
    let date = date_of(day);
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

/// The midnight that ends the month of a day.
pub(crate) fn end_of_month(day: i32) -> UnixMs {
    let date = date_of(day);
    let days_left = i32::from(date.days_in_month()) - i32::from(date.day()) + 1;
    begin_of(day.saturating_add(days_left))
}

fn date_of(day: i32) -> Date {
    Span::new()
        .try_days(day)
        .and_then(|span| FIRST_DATE.checked_add(span))
        .unwrap_or(if day < 0 { Date::MIN } else { Date::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> UnixMs {
        UnixMs(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn months_end_at_their_last_midnight() {
        for (now, ends) in [
            ("2026-11-20T13:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z"),
            ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2028-02-28T12:00:00Z", "2028-03-01T00:00:00Z"),
            ("1969-12-31T23:59:59Z", "1970-02-01T00:00:00Z"),
        ] {
            assert_eq!(end_of_month(day_of(ms(now))), ms(ends), "at {now}");
        }
    }

    #[test]
    fn days_and_months_are_numbered_in_order() {
        let of = |text| day_of(ms(text));
        assert_eq!(of("1970-01-01T23:59:59Z"), 0);
        assert_eq!(of("9999-12-30T00:00:00Z") + 1, LAST_DAY as i32);
        assert_eq!(
            month_of(of("2026-12-31T23:59:59Z")) + 1,
            month_of(of("2027-01-01T00:00:00Z"))
        );
    }

    #[test]
    fn instants_and_days_outside_of_the_calendar_have_a_month_too() {
        for now in [UnixMs(i64::MIN), UnixMs(i64::MAX)] {
            let day = day_of(now);
            assert!(begin_of(day) < end_of_month(day), "{now:?} is in day {day}");
        }
        assert!(month_of(i32::MIN) < month_of(i32::MAX));
    }
}
