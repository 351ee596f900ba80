//! The day that Google counts quotas by: it ends at midnight in `America/Los_Angeles`, daylight saving respected.
//! Source: Gemini API rate limits ("RPD quotas reset at midnight Pacific time").

use domain::UnixMs;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

static PACIFIC: TimeZone = jiff::tz::get!("America/Los_Angeles");

/// One Pacific day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacificDay {
    /// Days since 1970-01-01, by the Pacific calendar.
    pub number: i32,
    /// The midnight that ends it.
    pub ends: UnixMs,
}

impl PacificDay {
    /// The day that `now` is in.
    pub fn at(now: UnixMs) -> Self {
        let instant = Timestamp::from_millisecond(now.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let date = PACIFIC.to_datetime(instant).date();
        let ends = date
            .checked_add(1.day())
            .and_then(|tomorrow| tomorrow.to_zoned(PACIFIC.clone()))
            .map_or(UnixMs::NEVER, |midnight| {
                UnixMs(midnight.timestamp().as_millisecond())
            });
        let number = (date - Date::constant(1970, 1, 1)).get_days();
        Self { number, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> UnixMs {
        UnixMs(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn midnight_follows_daylight_saving() {
        for (now, ends) in [
            // Winter: UTC-8.
            ("2026-11-20T13:00:00Z", "2026-11-21T08:00:00Z"),
            // Summer: UTC-7.
            ("2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"),
            ("2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"),
            // The day that summer time begins has 23 hours, the one that it ends 25.
            ("2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
            ("2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"),
        ] {
            assert_eq!(PacificDay::at(ms(now)).ends, ms(ends), "at {now}");
        }
    }

    #[test]
    fn days_are_numbered_by_the_pacific_calendar() {
        let before = PacificDay::at(ms("2026-11-20T07:59:59Z"));
        let after = PacificDay::at(ms("2026-11-20T08:00:00Z"));
        assert_eq!(before.number + 1, after.number);
        assert_eq!(PacificDay::at(ms("1970-01-01T12:00:00Z")).number, 0);
    }
}
