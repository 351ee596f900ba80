//! When a key is checked next, by what its last check found and how the key stands.

use std::time::Duration;

use domain::{CheckResult, Class, KeyHealth, UnixMs};

/// "Not valid" is confirmed when its minute is over, not all at the same moment.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(5);
/// However short the hint of a limit is: checks are in no hurry.
const AFTER_LIMIT: Duration = Duration::from_secs(60);

/// The figures of the configuration that checks follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckRules {
    /// After a success.
    pub after_ok: Duration,
    /// After a 403, and for keys that are retired.
    pub after_403: Duration,
    /// After another 4xx.
    pub after_4xx: Duration,
    /// After a 5xx, no answer, or one that cannot be read.
    pub after_5xx: Duration,
    /// At the latest, for keys that failures have taken out of use.
    pub recheck_interval: Duration,
}

/// Which figure of the rules the next check follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// None: it is an instant of its own.
    Fixed,
    /// `after_ok`.
    Ok,
    /// `after_403`.
    Forbidden,
    /// `after_4xx`.
    Refused,
    /// `after_5xx`.
    Failed,
    /// `recheck_interval`.
    Recheck,
}

/// When the next check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When.
    pub at: UnixMs,
    /// By which figure.
    pub span: Span,
    /// Before others that are due: the key is out of use until then.
    pub is_urgent: bool,
}

impl CheckRules {
    /// The next check after one at `now`; `delay` is the provider's hint, `jitter` in 0..1.
    pub fn plan(
        &self,
        result: &CheckResult,
        delay: Option<Duration>,
        health: &KeyHealth,
        jitter: f64,
        now: UnixMs,
    ) -> Planned {
        let usual = span_of(result);
        match health {
            KeyHealth::Retired { .. } => self.planned(Span::Forbidden, jitter, now),
            KeyHealth::Cooling(cooling) if cooling.class == Class::KeyInvalid => {
                confirmation(cooling.until.max(now), jitter)
            }
            KeyHealth::Cooling(_) if usual == Span::Fixed => {
                let hinted = self.limited(delay, jitter, now);
                let recheck = self.planned(Span::Recheck, jitter, now);
                Planned {
                    at: hinted.at.min(recheck.at),
                    ..hinted
                }
            }
            KeyHealth::Cooling(_) => {
                let is_sooner = self.length(usual) < self.recheck_interval;
                let span = if is_sooner { usual } else { Span::Recheck };
                Planned {
                    is_urgent: true,
                    ..self.planned(span, jitter, now)
                }
            }
            KeyHealth::Active if usual == Span::Fixed => self.limited(delay, jitter, now),
            KeyHealth::Active => self.planned(usual, jitter, now),
        }
    }

    /// So long after `now`, or up to a tenth sooner, so that what was checked together does not stay together.
    pub(crate) fn planned(&self, span: Span, jitter: f64, now: UnixMs) -> Planned {
        Planned {
            at: now + self.length(span).mul_f64(1.0 - jitter / 10.0),
            span,
            is_urgent: false,
        }
    }

    pub(crate) fn length(&self, span: Span) -> Duration {
        match span {
            Span::Fixed => Duration::ZERO,
            Span::Ok => self.after_ok,
            Span::Forbidden => self.after_403,
            Span::Refused => self.after_4xx,
            Span::Failed => self.after_5xx,
            Span::Recheck => self.recheck_interval,
        }
    }

    /// As a limit says, which is never sooner than it asks.
    fn limited(&self, delay: Option<Duration>, jitter: f64, now: UnixMs) -> Planned {
        let span = delay.unwrap_or(self.after_5xx).max(AFTER_LIMIT);
        Planned {
            at: now + span.mul_f64(1.0 + jitter / 10.0),
            span: Span::Fixed,
            is_urgent: false,
        }
    }
}

/// A "not valid" is asked about again when its minute is over.
pub(crate) fn confirmation(until: UnixMs, jitter: f64) -> Planned {
    Planned {
        at: until + CONFIRMED_WITHIN.mul_f64(jitter),
        span: Span::Fixed,
        is_urgent: true,
    }
}

/// The figure for a result, the key's standing aside; [`Span::Fixed`] for limits, which say it themselves.
pub(crate) fn span_of(result: &CheckResult) -> Span {
    match (result.class, result.status) {
        (Class::Ok, _) => Span::Ok,
        (Class::RateLimited | Class::QuotaDaily | Class::ToolQuota, _) => Span::Fixed,
        (
            Class::Overloaded
            | Class::ServerError
            | Class::Timeout
            | Class::Network
            | Class::EmptyAnswer
            | Class::Truncated,
            _,
        ) => Span::Failed,
        (_, Some(403)) => Span::Forbidden,
        // A success may tell of a fault, too: of a key that is blocked.
        (_, Some(200..=299 | 400..=499)) => Span::Refused,
        _ => Span::Failed,
    }
}

#[cfg(test)]
mod tests {
    use domain::{Cooling, RetiredReason};
    use proptest::prelude::*;

    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);
    const RULES: CheckRules = CheckRules {
        after_ok: Duration::from_secs(12 * 3600),
        after_403: Duration::from_secs(10 * 86_400),
        after_4xx: Duration::from_secs(86_400),
        after_5xx: Duration::from_secs(600),
        recheck_interval: Duration::from_secs(3600),
    };

    fn result(status: impl Into<Option<u16>>, class: Class) -> CheckResult {
        CheckResult {
            status: status.into(),
            class,
            reason: "any",
            latency_ms: 1,
        }
    }

    fn cooling(class: Class, seconds: u64) -> KeyHealth {
        let until = NOW + Duration::from_secs(seconds);
        KeyHealth::Cooling(Cooling {
            until,
            probe_at: until,
            class,
            streak: 1,
        })
    }

    fn retired() -> KeyHealth {
        KeyHealth::Retired {
            reason: RetiredReason::Invalid,
            since: NOW,
        }
    }

    fn check(result: CheckResult, health: &KeyHealth, seconds: u64) {
        let planned = RULES.plan(&result, None, health, 0.0, NOW);
        assert_eq!(
            NOW.until(planned.at).as_secs(),
            seconds,
            "{result:?} {health:?}"
        );
    }

    #[test]
    fn the_result_says_when_the_next_check_is() {
        let active = KeyHealth::Active;
        for (status, class, seconds) in [
            (Some(200), Class::Ok, 12 * 3600),
            (Some(403), Class::KeyRestricted, 10 * 86_400),
            (Some(403), Class::ModelUnavailable, 10 * 86_400),
            (Some(400), Class::Region, 86_400),
            (Some(404), Class::ModelUnavailable, 86_400),
            (Some(500), Class::ServerError, 600),
            (Some(503), Class::Overloaded, 600),
            (None, Class::Network, 600),
            (None, Class::Timeout, 600),
            (Some(200), Class::ServerError, 600),
            // A challenge of what stands before the provider.
            (Some(403), Class::Network, 600),
            (Some(429), Class::RateLimited, 600),
        ] {
            check(result(status, class), &active, seconds);
        }
    }

    #[test]
    fn a_limit_is_waited_for_as_it_asks_and_a_minute_at_least() {
        for (hint, seconds) in [(2, 60), (90, 90), (7200, 7200)] {
            let limited = result(429, Class::RateLimited);
            let delay = Some(Duration::from_secs(hint));
            let planned = RULES.plan(&limited, delay, &KeyHealth::Active, 0.0, NOW);
            assert_eq!(NOW.until(planned.at).as_secs(), seconds, "{hint}");
        }
    }

    #[test]
    fn a_key_that_failures_took_out_is_checked_after_the_recheck_interval_at_the_latest() {
        let out = cooling(Class::KeyRestricted, 6 * 3600);
        check(result(403, Class::KeyRestricted), &out, 3600);
        check(result(200, Class::Ok), &out, 3600);
        check(result(500, Class::ServerError), &out, 600);
        check(result(429, Class::RateLimited), &out, 600);
    }

    #[test]
    fn a_retired_key_is_checked_after_a_403() {
        check(result(400, Class::KeyInvalid), &retired(), 10 * 86_400);
        check(result(500, Class::ServerError), &retired(), 10 * 86_400);
    }

    #[test]
    fn a_suspected_not_valid_is_confirmed_when_its_minute_is_over() {
        let suspected = cooling(Class::KeyInvalid, 60);
        check(result(400, Class::KeyInvalid), &suspected, 60);
        let planned = RULES.plan(&result(400, Class::KeyInvalid), None, &suspected, 0.9, NOW);
        assert!(planned.is_urgent);
        assert!((60..=65).contains(&NOW.until(planned.at).as_secs()));
    }

    proptest! {
        #[test]
        fn the_next_check_is_ahead_and_no_later_than_the_longest_figure(
            status in prop::option::of(100u16..600),
            class in prop::sample::select(Class::ALL.to_vec()),
            delay in prop::option::of(0u64..1_000_000),
            standing in 0..4,
            jitter in 0.0f64..1.0,
        ) {
            let health = match standing {
                0 => KeyHealth::Active,
                1 => retired(),
                2 => cooling(Class::KeyInvalid, 60),
                _ => cooling(Class::Billing, 3600),
            };
            let delay = delay.map(Duration::from_secs);
            let planned = RULES.plan(&result(status, class), delay, &health, jitter, NOW);
            let longest = RULES.after_403.max(delay.unwrap_or_default().mul_f64(1.1));
            prop_assert!(planned.at > NOW && NOW.until(planned.at) <= longest);
            if standing == 3 {
                prop_assert!(NOW.until(planned.at) <= RULES.recheck_interval);
            }
        }
    }
}
