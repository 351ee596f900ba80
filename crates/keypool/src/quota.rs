//! The quota engine: what a refusal does to a (project, model) pair.
//! It walks between two traps: a `PerDay` text for what clears in a minute, and a spent day with a short retry hint.
//! So a day is believed spent only when our own count agrees, or when the pair says `PerDay` twice with no success between.

use std::time::Duration;

use domain::{Class, Cooling, PairState, UnixMs, Verdict};

use crate::PacificDay;

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The instant.
    pub(crate) now: UnixMs,
    /// The Pacific day that it is in.
    pub(crate) today: PacificDay,
    /// In 0..1: spreads what begins now over a tenth of its span, so that pairs do not all come back at once.
    pub(crate) jitter: f64,
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5 * 60);
const FIRST_BACKOFF: Duration = Duration::from_secs(5);
const LAST_BACKOFF: Duration = Duration::from_secs(60);
const SUSPECTED_DAY: Duration = Duration::from_secs(60);
const UNAVAILABLE: Duration = Duration::from_secs(60 * 60);
const PROBE_EVERY: Duration = Duration::from_secs(60 * 60);
/// How punctual midnight is upstream is not known; requests in the first minutes may still be refused.
const AFTER_MIDNIGHT: Duration = Duration::from_secs(2 * 60);

/// The pair's state after `verdict`, which is of a class that hurts the pair.
pub(crate) fn refused(pair: &PairState, verdict: &Verdict, at: &Moment) -> PairState {
    let Moment { now, today, jitter } = *at;
    let mut next = pair.clone();
    let streak = pair.cooling.map_or(0, |cooling| cooling.streak);
    let (span, locked_until) = match verdict.class {
        Class::QuotaDaily if day_is_spent(pair, verdict, today) => (
            PROBE_EVERY,
            Some(today.ends + spread(AFTER_MIDNIGHT, jitter)),
        ),
        Class::QuotaDaily => (verdict.delay.unwrap_or_default().max(SUSPECTED_DAY), None),
        Class::ModelUnavailable | Class::Billing => (verdict.delay.unwrap_or(UNAVAILABLE), None),
        _ => (
            verdict
                .delay
                .unwrap_or_else(|| backoff(streak))
                .clamp(SHORTEST, LONGEST),
            None,
        ),
    };
    next.day_suspected |= verdict.class == Class::QuotaDaily;
    let ends = now + span.mul_f64(1.0 + jitter / 10.0);
    let cooling = Cooling {
        until: locked_until.unwrap_or(ends),
        probe_at: locked_until.map_or(ends, |midnight| midnight.min(ends)),
        class: verdict.class,
        streak: streak.saturating_add(1),
    };
    next.cooling = Some(longer(pair.cooling, cooling, now));
    next
}

/// The pair's state after an answer: free again, and one more counted in its day.
pub(crate) fn answered(pair: &PairState, today: PacificDay) -> PairState {
    let day_requests = if pair.day == today.number {
        pair.day_requests
    } else {
        0
    };
    PairState {
        cooling: None,
        day: today.number,
        day_requests: day_requests.saturating_add(1),
        day_suspected: false,
    }
}

fn day_is_spent(pair: &PairState, verdict: &Verdict, today: PacificDay) -> bool {
    let counted = if pair.day == today.number {
        u64::from(pair.day_requests)
    } else {
        0
    };
    let our_count_agrees = verdict
        .quota
        .limit
        .is_some_and(|limit| limit > 0 && counted >= limit);
    our_count_agrees || pair.day_suspected
}

/// An answer that comes late and asks for less must not shorten what is already known.
fn longer(known: Option<Cooling>, new: Cooling, now: UnixMs) -> Cooling {
    match known {
        Some(known) if known.until > new.until && known.probe_at > now => Cooling {
            streak: new.streak,
            ..known
        },
        _ => new,
    }
}

fn backoff(streak: u8) -> Duration {
    LAST_BACKOFF.min(FIRST_BACKOFF * 2u32.saturating_pow(u32::from(streak.min(8))))
}

fn spread(span: Duration, jitter: f64) -> Duration {
    span + span.mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-20T20:00:00Z, noon in Los Angeles.
    const NOON: UnixMs = UnixMs(1_795_204_800_000);

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn per_day(limit: Option<u64>, delay: Option<Duration>) -> Verdict {
        let mut verdict = Verdict::new(Class::QuotaDaily, "per_day").delay(delay);
        verdict.quota.limit = limit;
        verdict
    }

    fn refuse(pair: &PairState, verdict: &Verdict, now: UnixMs) -> PairState {
        refused(
            pair,
            verdict,
            &Moment {
                now,
                today: PacificDay::at(now),
                jitter: 0.0,
            },
        )
    }

    fn cooled_for(pair: &PairState, now: UnixMs) -> u64 {
        now.until(pair.cooling.unwrap().until).as_secs()
    }

    #[test]
    fn cools_as_long_as_the_provider_says_within_bounds() {
        for (delay, seconds) in [
            (Some(secs(26)), 26),
            (Some(Duration::ZERO), 1),
            (Some(secs(3_600)), 300),
            (None, 5),
        ] {
            let verdict = Verdict::new(Class::RateLimited, "per_minute").delay(delay);
            let pair = refuse(&PairState::default(), &verdict, NOON);
            assert_eq!(cooled_for(&pair, NOON), seconds, "{delay:?}");
        }
    }

    #[test]
    fn without_a_hint_it_doubles_up_to_a_minute() {
        let mut pair = PairState::default();
        let mut now = NOON;
        let mut spans = Vec::new();
        for _ in 0..6 {
            pair = refuse(&pair, &Verdict::new(Class::RateLimited, "bare"), now);
            spans.push(cooled_for(&pair, now));
            now = pair.cooling.unwrap().until;
        }
        assert_eq!(spans, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn a_first_per_day_answer_is_only_suspected() {
        for (delay, seconds) in [(Some(secs(38)), 60), (Some(secs(90)), 90), (None, 60)] {
            let pair = refuse(&PairState::default(), &per_day(Some(20), delay), NOON);
            assert_eq!(cooled_for(&pair, NOON), seconds, "{delay:?}");
            assert!(pair.day_suspected);
        }
    }

    #[test]
    fn a_second_per_day_answer_locks_until_pacific_midnight_with_a_probe_an_hour() {
        let once = refuse(&PairState::default(), &per_day(None, Some(secs(38))), NOON);
        let later = once.cooling.unwrap().until;
        let twice = refuse(&once, &per_day(None, Some(secs(38))), later)
            .cooling
            .unwrap();
        assert_eq!(twice.until, PacificDay::at(NOON).ends + AFTER_MIDNIGHT);
        assert_eq!(later.until(twice.probe_at), PROBE_EVERY);
    }

    #[test]
    fn our_own_count_of_the_day_makes_the_first_answer_believed() {
        let today = PacificDay::at(NOON).number;
        for (day, day_requests, locked) in [
            (today, 20, true),
            (today, 19, false),
            (today - 1, 500, false),
        ] {
            let pair = PairState {
                day,
                day_requests,
                ..PairState::default()
            };
            let pair = refuse(&pair, &per_day(Some(20), Some(secs(38))), NOON);
            let until_midnight = pair.cooling.unwrap().until > PacificDay::at(NOON).ends;
            assert_eq!(until_midnight, locked, "{day_requests} of 20 on day {day}");
        }
    }

    #[test]
    fn an_answer_between_clears_the_suspicion() {
        let today = PacificDay::at(NOON);
        let once = refuse(&PairState::default(), &per_day(None, Some(secs(38))), NOON);
        let free = answered(&once, today);
        assert_eq!(free.cooling, None);
        let again = refuse(&free, &per_day(None, Some(secs(38))), NOON);
        assert_eq!(cooled_for(&again, NOON), 60);
    }

    #[test]
    fn the_probe_never_comes_after_midnight() {
        let late = PacificDay::at(NOON).ends - Duration::from_secs(60);
        let pair = PairState {
            day_suspected: true,
            ..PairState::default()
        };
        let cooling = refuse(&pair, &per_day(None, None), late).cooling.unwrap();
        assert_eq!(cooling.probe_at, cooling.until);
    }

    #[test]
    fn a_late_answer_does_not_shorten_a_lock() {
        let locked = PairState {
            day_suspected: true,
            ..PairState::default()
        };
        let locked = refuse(&locked, &per_day(None, None), NOON);
        let minute = Verdict::new(Class::RateLimited, "per_minute").delay(Some(secs(5)));
        let after = refuse(&locked, &minute, NOON + Duration::from_secs(1));
        assert_eq!(after.cooling.unwrap().until, locked.cooling.unwrap().until);
    }

    #[test]
    fn the_day_counter_starts_anew_each_pacific_day() {
        let today = PacificDay::at(NOON);
        let tomorrow = PacificDay::at(today.ends);
        let pair = answered(&answered(&PairState::default(), today), today);
        assert_eq!(pair.day_requests, 2);
        assert_eq!(answered(&pair, tomorrow).day_requests, 1);
    }

    proptest! {
        #[test]
        fn cooling_is_always_ahead_and_never_past_the_day_or_a_week(
            class in prop::sample::select(vec![
                Class::RateLimited, Class::QuotaDaily, Class::ModelUnavailable, Class::Billing,
            ]),
            delay in prop::option::of(0u64..700_000),
            limit in prop::option::of(0u64..50),
            requests in 0u32..50,
            suspected: bool,
            jitter in 0.0f64..1.0,
        ) {
            let today = PacificDay::at(NOON);
            let pair = PairState {
                day: today.number, day_requests: requests, day_suspected: suspected, cooling: None,
            };
            let mut verdict = Verdict::new(class, "any").delay(delay.map(Duration::from_secs));
            verdict.quota.limit = limit;
            let at = Moment { now: NOON, today, jitter };
            let cooling = refused(&pair, &verdict, &at).cooling.unwrap();
            prop_assert!(NOON < cooling.probe_at && cooling.probe_at <= cooling.until);
            prop_assert!(NOON.until(cooling.until) <= Duration::from_secs(9 * 86_400));
        }
    }
}
