//! What is saved, what is restored, and that a restart is not noticed.

use domain::Nanodollars;
use metering::{DayCounts, Limit};

use super::*;

/// 2026-11-20, as days since 1970-01-01.
const TODAY: i32 = 20_777;

fn row(day: i32, requests: u64, tokens: u64, cost: i64) -> DayCounts {
    DayCounts {
        day,
        requests,
        tokens,
        cost: Nanodollars(cost),
    }
}

fn spend(meter: &Arc<Meter>, tokens: u64, cost: i64, now: UnixMs) {
    let (permit, _) = meter.admit(&no_limits(), now).unwrap();
    permit.settle(tokens, Nanodollars(cost), now);
}

#[test]
fn counters_are_absolute_and_handed_over_once() {
    let meter = Arc::<Meter>::default();
    spend(&meter, 10, 3, START);
    assert_eq!(meter.take_unsaved(), [row(TODAY, 1, 10, 3)]);
    assert_eq!(meter.take_unsaved(), []);
    spend(&meter, 5, 4, START);
    assert_eq!(meter.take_unsaved(), [row(TODAY, 2, 15, 7)]);
}

#[test]
fn looking_and_being_refused_leave_nothing_to_save() {
    let meter = Arc::<Meter>::default();
    let limits = ClientLimits {
        rpm: Some(0),
        ..no_limits()
    };
    meter.standing(&limits, START);
    assert!(ask(&meter, &limits, START).is_err());
    assert_eq!(meter.take_unsaved(), []);
}

#[test]
fn yesterday_is_handed_over_after_midnight_too() {
    let meter = Arc::<Meter>::default();
    spend(&meter, 10, 3, START);
    spend(&meter, 20, 4, START + HOUR * 5);
    let mut unsaved = meter.take_unsaved();
    unsaved.sort_by_key(|row| row.day);
    assert_eq!(unsaved, [row(TODAY, 1, 10, 3), row(TODAY + 1, 1, 20, 4)]);
}

#[test]
fn the_last_day_of_a_month_is_handed_over_in_the_next() {
    let meter = Arc::<Meter>::default();
    spend(&meter, 10, 3, START + DAY * 10);
    assert_eq!(ask(&meter, &no_limits(), START + DAY * 11), Ok(()));
    let unsaved = meter.take_unsaved();
    assert!(unsaved.contains(&row(TODAY + 10, 1, 10, 3)), "{unsaved:?}");
}

#[test]
fn answers_after_midnight_count_for_the_day_they_end_in() {
    let meter = Arc::<Meter>::default();
    let (permit, _) = meter.admit(&no_limits(), START).unwrap();
    permit.settle(9, Nanodollars(2), START + HOUR * 5);
    let mut unsaved = meter.take_unsaved();
    unsaved.sort_by_key(|row| row.day);
    assert_eq!(unsaved, [row(TODAY, 1, 0, 0), row(TODAY + 1, 0, 9, 2)]);
}

#[test]
fn restored_counters_go_on_where_they_were() {
    let meter = Arc::<Meter>::default();
    meter.restore([
        row(TODAY - 40, 9, 9, 1_000_000_000),
        row(TODAY - 1, 9, 9, 400),
        row(TODAY, 7, 70, 50),
    ]);
    let standing = meter.standing(&no_limits(), START);
    assert_eq!(standing.requests_day.used, 7);
    assert_eq!(standing.tokens_day.used, 70);
    assert_eq!(standing.budget.spent, Nanodollars(450));
    assert_eq!(meter.take_unsaved(), []);
    spend(&meter, 1, 1, START);
    assert_eq!(meter.take_unsaved(), [row(TODAY, 8, 71, 51)]);
}

#[test]
fn restored_days_hold_their_limits() {
    let meter = Arc::<Meter>::default();
    meter.restore([row(TODAY, 7, 0, 0)]);
    let limits = ClientLimits {
        rpd: Some(8),
        ..no_limits()
    };
    assert_eq!(admitted(&meter, &limits, START), 1);
    let refusal = ask(&meter, &limits, START).unwrap_err();
    assert_eq!(refusal.limit, Limit::RequestsPerDay);
}

#[test]
fn a_restore_after_the_first_request_frees_nothing() {
    let meter = Arc::<Meter>::default();
    spend(&meter, 10, 3, START);
    meter.restore([row(TODAY - 1, 1, 1, 400), row(TODAY, 7, 5, 2)]);
    let standing = meter.standing(&no_limits(), START);
    let used = (standing.requests_day.used, standing.tokens_day.used);
    assert_eq!((used, standing.budget.spent), ((7, 10), Nanodollars(403)));
}

#[test]
fn days_of_a_clock_that_was_ahead_count_for_the_month_and_for_their_own_day() {
    let meter = Arc::<Meter>::default();
    meter.restore([row(TODAY + 1, 7, 70, 50), row(TODAY + 20, 3, 0, 0)]);
    let standing = |now| meter.standing(&no_limits(), now);
    let today = standing(START);
    assert_eq!((today.requests_day.used, today.budget.spent.0), (0, 50));
    assert_eq!(standing(START + DAY).requests_day.used, 7);
    assert_eq!(standing(START + DAY * 20).requests_day.used, 3);
}

#[test]
fn malformed_rows_are_harmless() {
    let meter = Arc::<Meter>::default();
    meter.restore([
        row(i32::MIN, u64::MAX, u64::MAX, i64::MIN),
        row(i32::MAX, u64::MAX, u64::MAX, i64::MAX),
        row(TODAY, u64::MAX, u64::MAX, -5),
    ]);
    spend(&meter, 1, 1, START);
    let unsaved = meter.take_unsaved();
    assert_eq!(unsaved, [row(TODAY, u64::MAX, u64::MAX, 1)]);
}
