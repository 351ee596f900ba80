//! Each limit alone and several together: what is admitted, what is refused, and until when.

use domain::{BudgetPeriod, Nanodollars};
use metering::Limit;

use super::*;

const CENT: Nanodollars = Nanodollars(10_000_000);

/// A request whose answer takes as much.
fn spend(meter: &Arc<Meter>, tokens: u64, cost: Nanodollars, now: UnixMs) {
    let (permit, _) = meter.admit(&no_limits(), now).unwrap();
    permit.settle(tokens, cost, now);
}

/// The next request is refused for a limit until a wait is over, and admitted then.
fn check(meter: &Arc<Meter>, limits: &ClientLimits, now: UnixMs, limit: Limit, wait: Duration) {
    let refusal = ask(meter, limits, now).unwrap_err();
    assert_eq!((refusal.limit, refusal.retry_after), (limit, Some(wait)));
    let just_before = now + wait - Duration::from_millis(1);
    assert!(ask(meter, limits, just_before).is_err());
    assert_eq!(ask(meter, limits, now + wait), Ok(()));
}

fn rpm(limit: u32) -> ClientLimits {
    ClientLimits {
        rpm: Some(limit),
        ..no_limits()
    }
}

#[test]
fn without_limits_everything_is_admitted() {
    let meter = Arc::<Meter>::default();
    assert_eq!(admitted(&meter, &no_limits(), START), 1_000);
}

#[test]
fn requests_a_minute_come_back_one_by_one_as_the_window_slides() {
    let meter = Arc::<Meter>::default();
    for second in 0..60 {
        assert_eq!(ask(&meter, &rpm(60), START + SECOND * second), Ok(()));
    }
    let now = START + SECOND * 59;
    check(&meter, &rpm(60), now, Limit::RequestsPerMinute, SECOND);
    assert_eq!(admitted(&meter, &rpm(60), START + MINUTE), 0);
    assert_eq!(admitted(&meter, &rpm(60), START + MINUTE + SECOND), 1);
}

#[test]
fn a_burst_cannot_be_repeated_across_the_clocks_minute() {
    let meter = Arc::<Meter>::default();
    let late_in_the_minute = START + SECOND * 59;
    assert_eq!(admitted(&meter, &rpm(60), late_in_the_minute), 60);
    let soon_after = late_in_the_minute + SECOND * 2;
    assert_eq!(admitted(&meter, &rpm(60), soon_after), 0);
    assert_eq!(admitted(&meter, &rpm(60), late_in_the_minute + MINUTE), 60);
}

#[test]
fn requests_a_day_come_back_at_midnight_utc() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        rpd: Some(100),
        ..no_limits()
    };
    assert_eq!(admitted(&meter, &limits, START), 100);
    check(&meter, &limits, START, Limit::RequestsPerDay, HOUR * 4);
}

#[test]
fn tokens_a_minute_hold_until_enough_of_them_are_a_minute_old() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        tpm: Some(100),
        ..no_limits()
    };
    spend(&meter, 30, Nanodollars(0), START);
    spend(&meter, 40, Nanodollars(0), START + SECOND * 10);
    assert_eq!(ask(&meter, &limits, START + SECOND * 20), Ok(()));
    spend(&meter, 90, Nanodollars(0), START + SECOND * 20);
    // 160 are used: 130 after the first have left, 90 after the second.
    let now = START + SECOND * 30;
    check(&meter, &limits, now, Limit::TokensPerMinute, SECOND * 40);
}

#[test]
fn tokens_a_day_come_back_at_midnight_utc() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        tpd: Some(100),
        ..no_limits()
    };
    spend(&meter, 99, Nanodollars(0), START);
    assert_eq!(ask(&meter, &limits, START), Ok(()));
    spend(&meter, 1, Nanodollars(0), START);
    check(&meter, &limits, START, Limit::TokensPerDay, HOUR * 4);
}

#[test]
fn budgets_come_back_with_their_period() {
    for (period, wait) in [
        (BudgetPeriod::Day, HOUR * 4),
        // The 1st of December.
        (BudgetPeriod::Month, HOUR * 4 + DAY * 10),
    ] {
        let meter = Arc::<Meter>::default();
        let limits = ClientLimits {
            budget_usd: Some(0.03),
            budget_period: period,
            ..no_limits()
        };
        spend(&meter, 0, Nanodollars(CENT.0 * 2), START);
        assert_eq!(ask(&meter, &limits, START), Ok(()));
        spend(&meter, 0, CENT, START);
        check(&meter, &limits, START, Limit::Budget, wait);
    }
}

#[test]
fn a_months_budget_counts_the_days_before() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        budget_usd: Some(0.03),
        ..no_limits()
    };
    for day in 0..3 {
        spend(&meter, 0, CENT, START + DAY * day);
    }
    let now = START + DAY * 2;
    check(&meter, &limits, now, Limit::Budget, HOUR * 4 + DAY * 8);
}

#[test]
fn places_are_free_again_when_permits_are_dropped() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        max_concurrent: Some(2),
        ..no_limits()
    };
    let first = meter.admit(&limits, START).unwrap();
    let _second = meter.admit(&limits, START).unwrap();
    let refusal = ask(&meter, &limits, START).unwrap_err();
    assert_eq!(
        (refusal.limit, refusal.retry_after, refusal.retry_after_s()),
        (Limit::Concurrency, None, Some(1))
    );
    drop(first);
    assert_eq!(ask(&meter, &limits, START), Ok(()));
}

#[test]
fn of_several_limits_the_one_that_holds_longest_is_told_of() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        rpm: Some(1),
        rpd: Some(1),
        tpm: Some(1),
        budget_usd: Some(0.01),
        max_concurrent: Some(1),
        ..no_limits()
    };
    spend(&meter, 5, CENT, START);
    let wait = HOUR * 4 + DAY * 10;
    check(&meter, &limits, START, Limit::Budget, wait);
}

#[test]
fn refused_requests_are_not_counted() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        rpd: Some(50),
        ..rpm(5)
    };
    assert_eq!(admitted(&meter, &limits, START), 5);
    let standing = meter.standing(&limits, START);
    assert_eq!(standing.requests_minute.used, 5);
    assert_eq!(standing.requests_day.remaining(), Some(45));
    assert_eq!(standing.concurrent.used, 0);
}

#[test]
fn limits_of_nothing_hold_for_ever() {
    for limits in [
        rpm(0),
        ClientLimits {
            tpd: Some(0),
            rpm: Some(1),
            ..no_limits()
        },
        ClientLimits {
            budget_usd: Some(0.0),
            ..no_limits()
        },
        ClientLimits {
            budget_usd: Some(-1.0),
            ..no_limits()
        },
        ClientLimits {
            budget_usd: Some(f64::NAN),
            ..no_limits()
        },
        ClientLimits {
            max_concurrent: Some(0),
            ..no_limits()
        },
    ] {
        let meter = Arc::<Meter>::default();
        let refusal = ask(&meter, &limits, START).unwrap_err();
        assert_eq!((refusal.allowed, refusal.retry_after_s()), (0, None));
    }
}

#[test]
fn changed_limits_hold_at_once_and_counters_stay() {
    let meter = Arc::<Meter>::default();
    assert_eq!(admitted(&meter, &no_limits(), START), 1_000);
    assert_eq!(admitted(&meter, &rpm(900), START + SECOND), 0);
    assert_eq!(admitted(&meter, &rpm(1_010), START + SECOND), 10);
    assert_eq!(admitted(&meter, &rpm(5), START + SECOND), 0);
    assert_eq!(admitted(&meter, &rpm(5), START + MINUTE), 0);
    assert_eq!(admitted(&meter, &rpm(15), START + MINUTE), 5);
}

#[test]
fn a_clock_that_steps_back_frees_nothing() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        rpd: Some(100),
        ..rpm(10)
    };
    assert_eq!(admitted(&meter, &limits, START), 10);
    for back in [SECOND, MINUTE, DAY, DAY * 40] {
        assert_eq!(admitted(&meter, &limits, START - back), 0, "{back:?} back");
    }
    let refusal = ask(&meter, &limits, START - HOUR).unwrap_err();
    assert_eq!(refusal.retry_after, Some(HOUR + MINUTE));
    assert_eq!(admitted(&meter, &limits, START + MINUTE), 10);
}

#[test]
fn instants_at_the_ends_of_time_are_no_error() {
    for now in [UnixMs(i64::MIN), UnixMs(0), UnixMs::NEVER] {
        let meter = Arc::<Meter>::default();
        assert_eq!(admitted(&meter, &rpm(3), now), 3, "at {now:?}");
        meter.standing(&rpm(3), now);
    }
}

#[test]
fn money_that_comes_back_frees_nothing() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        budget_usd: Some(0.01),
        ..no_limits()
    };
    spend(&meter, u64::MAX, CENT, START);
    spend(&meter, u64::MAX, Nanodollars(-CENT.0), START);
    assert_eq!(
        ask(&meter, &limits, START).unwrap_err().limit,
        Limit::Budget
    );
}

#[test]
fn admission_comes_with_the_standing_after_it() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        rpd: Some(1_000),
        tpm: Some(500),
        ..rpm(60)
    };
    spend(&meter, 120, CENT, START - SECOND);
    let (_permit, standing) = meter.admit(&limits, START).unwrap();
    let headers: Vec<_> = standing.headers().map(|(_, value)| value).collect();
    assert_eq!(headers, ["60", "58", "1m0s", "500", "380", "59s"]);
    assert_eq!(standing.concurrent.used, 1);
    assert_eq!(standing.requests_day.resets_at, Some(START + HOUR * 4));
    assert_eq!((standing.budget.spent, standing.budget.limit), (CENT, None));
}
