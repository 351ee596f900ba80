//! How fast checks follow one another: what is due is spread over `health_checks.interval`, and when the program is busy
//! with callers, checks wait. That it is busy shows in timers that ring late.

use std::time::Duration;

/// However much is due: two hundred checks a second are some hundredths of a processor.
const SHORTEST: Duration = Duration::from_millis(5);
/// However little is due, and when nothing is: it is looked once a second.
const LONGEST: Duration = Duration::from_secs(1);
/// A timer that rings this late had to wait for others.
const LATE: Duration = Duration::from_millis(10);
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// A program that is never idle still checks its keys, slowly.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The time between two checks.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    interval: Duration,
    /// Kept until nothing is due, so that what is left is not spread over the interval again and again.
    gap: Option<Duration>,
    late: u32,
}

impl Pace {
    /// The time to the next check when so many are due, and the last timer rang so late.
    pub(crate) fn next(&mut self, due: usize, interval: Duration, lateness: Duration) -> Duration {
        let gap = self.gap(due, interval);
        if lateness < LATE {
            self.late = 0;
            return gap;
        }
        let wait = LONGEST_WAIT.min(FIRST_WAIT * 2u32.pow(self.late.min(8)));
        self.late += 1;
        wait.max(gap)
    }

    fn gap(&mut self, due: usize, interval: Duration) -> Duration {
        if due == 0 || interval != self.interval {
            self.gap = None;
        }
        self.interval = interval;
        let Ok(count @ 1..) = u32::try_from(due) else {
            return LONGEST;
        };
        let even = (interval / count).clamp(SHORTEST, LONGEST);
        let gap = self.gap.map_or(even, |gap| gap.min(even));
        self.gap = Some(gap);
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES: Duration = Duration::from_secs(300);
    const IN_TIME: Duration = Duration::from_millis(1);

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn what_is_due_is_spread_over_the_interval() {
        for (due, gap) in [
            (0, LONGEST),
            (1, LONGEST),
            (300, LONGEST),
            (3_000, ms(100)),
            (30_000, ms(10)),
            (1_000_000, SHORTEST),
        ] {
            assert_eq!(Pace::default().next(due, MINUTES, IN_TIME), gap, "{due}");
        }
    }

    #[test]
    fn thirty_thousand_are_through_after_one_interval() {
        let (mut pace, mut took) = (Pace::default(), Duration::ZERO);
        for due in (1..=30_000).rev() {
            took += pace.next(due, MINUTES, IN_TIME);
        }
        assert_eq!(took, MINUTES);
        assert_eq!(pace.next(0, MINUTES, IN_TIME), LONGEST);
        assert_eq!(pace.next(300, MINUTES, IN_TIME), LONGEST, "a new beginning");
    }

    #[test]
    fn another_interval_holds_at_once() {
        let mut pace = Pace::default();
        assert_eq!(pace.next(3_000, MINUTES, IN_TIME), ms(100));
        assert_eq!(pace.next(3_000, MINUTES * 2, IN_TIME), ms(200));
    }

    #[test]
    fn checks_wait_while_the_program_is_busy_and_never_for_ever() {
        let mut pace = Pace::default();
        let waits: Vec<u128> = (0..10)
            .map(|_| pace.next(30_000, MINUTES, ms(15)).as_millis())
            .collect();
        assert_eq!(
            waits,
            [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]
        );
        assert_eq!(pace.next(30_000, MINUTES, IN_TIME), ms(10));
        assert_eq!(pace.next(30_000, MINUTES, ms(15)), FIRST_WAIT);
    }
}
