//! How many retries the whole program may make, so that an outage upstream is not answered with a storm:
//! over ten seconds at most 20 % of the requests, with a floor of ten a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::UnixMs;

const SECONDS: usize = 10;
const FLOOR: u64 = 10 * SECONDS as u64;
const ONE_IN: u64 = 5;

/// Counts requests and retries second by second, without a lock.
///
/// A slot is told stale by the second that it carries, so nothing has to be cleared as time passes.
#[derive(Debug, Default)]
pub struct RetryBudget {
    requests: [Second; SECONDS],
    retries: [Second; SECONDS],
}

/// One second's count: the second in the upper half, the count in the lower.
#[derive(Debug, Default)]
struct Second(AtomicU64);

impl RetryBudget {
    /// Counts a request.
    pub fn request(&self, now: UnixMs) {
        add(&self.requests, now);
    }

    /// Counts a retry if there is budget for it; says whether it may be made.
    pub fn retry(&self, now: UnixMs) -> bool {
        let allowed = FLOOR.max(sum(&self.requests, now) / ONE_IN);
        if sum(&self.retries, now) >= allowed {
            return false;
        }
        add(&self.retries, now);
        true
    }

    /// The span that it looks back over.
    pub const WINDOW: Duration = Duration::from_secs(SECONDS as u64);
}

fn second(now: UnixMs) -> u64 {
    (now.0 / 1000) as u64 & 0xffff_ffff
}

fn add(ring: &[Second; SECONDS], now: UnixMs) {
    let second = second(now);
    let slot = &ring[second as usize % SECONDS].0;
    // A lost race only loses the counts of the moment in which a second begins.
    if slot.load(Ordering::Relaxed) >> 32 == second {
        slot.fetch_add(1, Ordering::Relaxed);
    } else {
        slot.store(second << 32 | 1, Ordering::Relaxed);
    }
}

fn sum(ring: &[Second; SECONDS], now: UnixMs) -> u64 {
    let second = second(now);
    ring.iter()
        .map(|slot| slot.0.load(Ordering::Relaxed))
        .filter(|slot| second.wrapping_sub(slot >> 32) < SECONDS as u64)
        .map(|slot| slot & 0xffff_ffff)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMs = UnixMs(1_763_640_000_000);

    fn spend(budget: &RetryBudget, now: UnixMs) -> usize {
        (0..100_000).take_while(|_| budget.retry(now)).count()
    }

    #[test]
    fn idle_programs_have_the_floor() {
        assert_eq!(spend(&RetryBudget::default(), START), 100);
    }

    #[test]
    fn busy_programs_have_a_fifth_of_their_requests() {
        let budget = RetryBudget::default();
        (0..5_000).for_each(|_| budget.request(START));
        assert_eq!(spend(&budget, START), 1_000);
    }

    #[test]
    fn what_was_spent_comes_back_after_the_window() {
        let budget = RetryBudget::default();
        assert_eq!(spend(&budget, START), 100);
        assert_eq!(spend(&budget, START + Duration::from_secs(9)), 0);
        assert_eq!(spend(&budget, START + RetryBudget::WINDOW), 100);
    }
}
