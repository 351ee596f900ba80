//! Two hundred threads that ask at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use domain::Nanodollars;

use super::*;

const THREADS: usize = 200;
const REQUESTS: usize = 50;

/// What happened when all threads asked under the same limits.
#[derive(Debug, Default)]
struct Race {
    meter: Arc<Meter>,
    admitted: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

fn race(limits: &ClientLimits, tokens: u64, cost: Nanodollars) -> Race {
    let race = Race::default();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                (0..REQUESTS).for_each(|_| race.ask(limits, tokens, cost));
            });
        }
    });
    race
}

impl Race {
    fn ask(&self, limits: &ClientLimits, tokens: u64, cost: Nanodollars) {
        let Ok((permit, _)) = self.meter.admit(limits, START) else {
            return thread::yield_now();
        };
        self.admitted.fetch_add(1, Ordering::Relaxed);
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        thread::yield_now();
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        permit.settle(tokens, cost, START);
    }
}

#[test]
fn racing_requests_never_exceed_requests_a_minute_and_a_day() {
    for (rpm, rpd) in [(Some(150), None), (None, Some(150)), (Some(150), Some(170))] {
        let limits = ClientLimits {
            rpm,
            rpd,
            ..no_limits()
        };
        let race = race(&limits, 0, Nanodollars(0));
        assert_eq!(race.admitted.into_inner(), 150, "{rpm:?} {rpd:?}");
    }
}

#[test]
fn racing_requests_never_exceed_their_places_and_give_all_back() {
    let limits = ClientLimits {
        max_concurrent: Some(7),
        ..no_limits()
    };
    let race = race(&limits, 0, Nanodollars(0));
    let most_at_once = race.most_at_once.into_inner();
    assert!((1..=7).contains(&most_at_once), "{most_at_once} at once");
    assert_eq!(race.meter.standing(&limits, START).concurrent.used, 0);
}

#[test]
fn racing_answers_exceed_tokens_and_budget_by_those_under_way_at_most() {
    let limits = ClientLimits {
        tpd: Some(1_000),
        budget_usd: Some(0.000_002),
        max_concurrent: Some(9),
        ..no_limits()
    };
    let race = race(&limits, 10, Nanodollars(10));
    let standing = race.meter.standing(&limits, START);
    let used = standing.tokens_day.used;
    assert!((1_000..1_000 + 9 * 10).contains(&used), "{used} tokens");
    assert_eq!(used, 10 * race.admitted.into_inner() as u64);
    assert_eq!(standing.budget.spent, Nanodollars(used as i64));
}
