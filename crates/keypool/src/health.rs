//! What a verdict about a key does to the key: retire it, set it aside for a while, or count it.
//! A key that has worked is not retired by a single "not valid": such answers have been seen to pass.

use std::time::Duration;

use domain::{Certainty, Class, Cooling, KeyHealth, KeyState, RetiredReason, UnixMs, Verdict};

const CONFIRM_AFTER: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const LONGEST_RESTRICTION: Duration = Duration::from_secs(6 * 60 * 60);

/// The figures of the configuration that key health follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HealthRules {
    /// Counted failures in a row that take a key out of use.
    pub(crate) max_failures: u16,
    /// How long it stays out before one request tries it.
    pub(crate) recheck_interval: Duration,
}

/// The key's state after `verdict`, which speaks against the key.
pub(crate) fn failed(
    state: &KeyState,
    verdict: &Verdict,
    rules: HealthRules,
    now: UnixMs,
) -> KeyState {
    let mut next = state.clone();
    if matches!(state.health, KeyHealth::Retired { .. }) {
        // Only what shows that it works brings it back, not even into cooling.
        return next;
    }
    if verdict.certainty == Certainty::Counted {
        next.failures = state.failures.saturating_add(1);
        if next.failures < rules.max_failures {
            return next;
        }
        next.health = cooling(state, verdict.class, rules.recheck_interval, now);
        return next;
    }
    next.health = match verdict.class {
        Class::KeyInvalid if verdict.certainty == Certainty::Suspected && is_first(state) => {
            cooling(state, verdict.class, CONFIRM_AFTER, now)
        }
        Class::KeyInvalid => retired(RetiredReason::Invalid, now),
        Class::KeyRestricted if verdict.certainty == Certainty::Decisive => {
            retired(RetiredReason::Restricted, now)
        }
        Class::KeyRestricted => {
            let span = HOUR * 2u32.pow(u32::from(streak(state).min(3)));
            cooling(state, verdict.class, span.min(LONGEST_RESTRICTION), now)
        }
        Class::AcctSuspended => retired(RetiredReason::Suspended, now),
        class => cooling(state, class, verdict.delay.unwrap_or(HOUR), now),
    };
    next
}

/// The key's state after an answer.
pub(crate) fn answered() -> KeyState {
    KeyState {
        health: KeyHealth::Active,
        failures: 0,
        has_worked: true,
    }
}

/// Whether this is the first "not valid" of a key that has worked.
fn is_first(state: &KeyState) -> bool {
    let was_suspected = matches!(
        state.health,
        KeyHealth::Cooling(Cooling {
            class: Class::KeyInvalid,
            ..
        })
    );
    state.has_worked && !was_suspected
}

fn streak(state: &KeyState) -> u8 {
    match state.health {
        KeyHealth::Cooling(cooling) => cooling.streak,
        _ => 0,
    }
}

fn cooling(state: &KeyState, class: Class, span: Duration, now: UnixMs) -> KeyHealth {
    let until = now + span;
    KeyHealth::Cooling(Cooling {
        until,
        probe_at: until,
        class,
        streak: streak(state).saturating_add(1),
    })
}

fn retired(reason: RetiredReason, since: UnixMs) -> KeyHealth {
    KeyHealth::Retired { reason, since }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);
    const RULES: HealthRules = HealthRules {
        max_failures: 3,
        recheck_interval: HOUR,
    };

    fn worked() -> KeyState {
        answered()
    }

    fn check(state: &KeyState, verdict: &Verdict, expected: &str) {
        let health = failed(state, verdict, RULES, NOW).health;
        let text = match health {
            KeyHealth::Active => "active".to_owned(),
            KeyHealth::Cooling(cooling) => {
                format!("cooling {}s", NOW.until(cooling.until).as_secs())
            }
            KeyHealth::Retired { reason, .. } => format!("retired {reason:?}"),
        };
        assert_eq!(text, expected, "{verdict:?}");
    }

    #[test]
    fn not_valid_retires_a_new_key_at_once_and_a_proven_one_when_confirmed() {
        let verdict = Verdict::new(Class::KeyInvalid, "api_key_invalid");
        check(&KeyState::default(), &verdict, "retired Invalid");
        check(&worked(), &verdict, "cooling 60s");
        let suspected = failed(&worked(), &verdict, RULES, NOW);
        check(&suspected, &verdict, "retired Invalid");
    }

    #[test]
    fn decisive_verdicts_retire_even_a_proven_key() {
        for (class, expected) in [
            (Class::KeyInvalid, "retired Invalid"),
            (Class::KeyRestricted, "retired Restricted"),
            (Class::AcctSuspended, "retired Suspended"),
        ] {
            let verdict = Verdict::new(class, "any").certainty(Certainty::Decisive);
            check(&worked(), &verdict, expected);
        }
    }

    #[test]
    fn a_retired_key_stays_retired_whatever_else_is_said_of_it() {
        let verdict = Verdict::new(Class::KeyInvalid, "any").certainty(Certainty::Decisive);
        let retired = failed(&worked(), &verdict, RULES, NOW);
        let later = NOW + HOUR;
        for class in [Class::KeyInvalid, Class::Billing, Class::AcctSuspended] {
            let verdict = Verdict::new(class, "any");
            assert_eq!(
                failed(&retired, &verdict, RULES, later),
                retired,
                "{class:?}"
            );
        }
    }

    #[test]
    fn unpaid_accounts_are_tried_each_hour_or_as_the_provider_says() {
        let verdict = Verdict::new(Class::Billing, "prepayment_depleted");
        check(&worked(), &verdict, "cooling 3600s");
        let rolling = verdict.delay(Some(Duration::from_secs(600)));
        check(&worked(), &rolling, "cooling 600s");
    }

    #[test]
    fn a_switched_off_api_is_tried_after_one_two_four_and_six_hours() {
        let verdict = Verdict::new(Class::KeyRestricted, "service_disabled");
        let mut state = worked();
        for hours in [1, 2, 4, 6, 6] {
            check(&state, &verdict, &format!("cooling {}s", hours * 3600));
            state = failed(&state, &verdict, RULES, NOW);
        }
    }

    #[test]
    fn counted_failures_take_the_key_out_at_the_limit() {
        let verdict =
            Verdict::new(Class::KeyRestricted, "permission_denied").certainty(Certainty::Counted);
        let mut state = worked();
        for expected in ["active", "active", "cooling 3600s"] {
            check(&state, &verdict, expected);
            state = failed(&state, &verdict, RULES, NOW);
        }
        assert_eq!(answered().failures, 0);
    }
}
