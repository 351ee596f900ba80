//! What is behind a meter's lock: everything that one client key has used, and which limits that exceeds.
//! Whoever looks something up advances the ledger first; the lock is in `mod.rs`.

use domain::{BudgetPeriod, ClientLimits, Nanodollars, UnixMs};

use super::days::{DayCounts, Days};
use super::limit::{Limit, Refusal};
use super::standing::{Gauge, Spending, Standing};
use super::window::Window;

/// All that is counted of one client key.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The latest instant that it was told of.
    latest: Option<UnixMs>,
    in_flight: u64,
    requests: Window,
    tokens: Window,
    days: Days,
}

/// How long a limit holds; the longest is the one to tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    UntilARequestEnds,
    Until(UnixMs),
    Forever,
}

/// What is used of a limit, and what it allows; none: without limit.
struct Use {
    limit: Limit,
    used: u64,
    allowed: Option<u64>,
}

impl Ledger {
    /// Lets time pass.
    pub(super) fn advance(&mut self, now: UnixMs) {
        let now = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(now);
        self.requests.slide(now);
        self.tokens.slide(now);
        self.days.roll(now);
    }

    /// Why a request is not admitted; none: it is.
    pub(super) fn refusal(&self, limits: &ClientLimits, now: UnixMs) -> Option<Refusal> {
        let period = limits.budget_period;
        let exceeded = self.uses(limits).into_iter().filter_map(|usage| {
            let allowed = usage.allowed.filter(|&allowed| usage.used >= allowed)?;
            Some((
                usage.limit,
                allowed,
                self.holds(usage.limit, allowed, period),
            ))
        });
        let (limit, allowed, holds) = exceeded.max_by_key(|(.., holds)| *holds)?;
        Some(Refusal {
            limit,
            allowed,
            retry_after: match holds {
                Holds::Until(end) => Some(now.until(end)),
                Holds::UntilARequestEnds | Holds::Forever => None,
            },
            period,
        })
    }

    fn uses(&self, limits: &ClientLimits) -> [Use; 6] {
        let today = self.days.today();
        let spent = magnitude(self.days.spent(limits.budget_period));
        let of = |limit, used, allowed| Use {
            limit,
            used,
            allowed,
        };
        let count = |allowed: Option<u32>| allowed.map(u64::from);
        [
            of(
                Limit::Concurrency,
                self.in_flight,
                count(limits.max_concurrent),
            ),
            of(
                Limit::RequestsPerMinute,
                self.requests.used(),
                count(limits.rpm),
            ),
            of(Limit::RequestsPerDay, today.requests, count(limits.rpd)),
            of(Limit::TokensPerMinute, self.tokens.used(), limits.tpm),
            of(Limit::TokensPerDay, today.tokens, limits.tpd),
            of(Limit::Budget, spent, budget(limits).map(magnitude)),
        ]
    }

    /// How long a limit that is exceeded holds, if there are no further requests.
    fn holds(&self, limit: Limit, allowed: u64, period: BudgetPeriod) -> Holds {
        if allowed == 0 {
            return Holds::Forever;
        }
        let below = |window: &Window| {
            let end = window.is_below_at(allowed);
            end.map_or(Holds::Forever, Holds::Until)
        };
        match limit {
            Limit::Concurrency => Holds::UntilARequestEnds,
            Limit::RequestsPerMinute => below(&self.requests),
            Limit::TokensPerMinute => below(&self.tokens),
            Limit::RequestsPerDay | Limit::TokensPerDay => {
                Holds::Until(self.days.ends(BudgetPeriod::Day))
            }
            Limit::Budget => Holds::Until(self.days.ends(period)),
        }
    }

    /// Counts a request that begins.
    pub(super) fn begin(&mut self) {
        self.in_flight += 1;
        self.requests.add(1, self.now());
        self.days
            .count(|today| today.requests = today.requests.saturating_add(1));
    }

    /// Frees the place of a request that has ended.
    pub(super) fn end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Counts what an answer took; a negative cost is none.
    pub(super) fn settle(&mut self, tokens: u64, cost: Nanodollars) {
        self.tokens.add(tokens, self.now());
        self.days.count(|today| {
            today.tokens = today.tokens.saturating_add(tokens);
            today.cost += cost.max(Nanodollars(0));
        });
    }

    /// What is used of each limit.
    pub(super) fn standing(&self, limits: &ClientLimits, now: UnixMs) -> Standing {
        let today = self.days.today();
        let day_ends = Some(self.days.ends(BudgetPeriod::Day));
        let gauge = |used, limit, resets_at| Gauge {
            used,
            limit,
            resets_at,
        };
        let minute = |window: &Window, limit| gauge(window.used(), limit, window.is_empty_at());
        Standing {
            at: now,
            concurrent: gauge(self.in_flight, limits.max_concurrent.map(u64::from), None),
            requests_minute: minute(&self.requests, limits.rpm.map(u64::from)),
            requests_day: gauge(today.requests, limits.rpd.map(u64::from), day_ends),
            tokens_minute: minute(&self.tokens, limits.tpm),
            tokens_day: gauge(today.tokens, limits.tpd, day_ends),
            budget: Spending {
                spent: self.days.spent(limits.budget_period),
                limit: budget(limits),
                period: limits.budget_period,
                resets_at: self.days.ends(limits.budget_period),
            },
        }
    }

    /// Takes in what was saved of a day; negative money is none.
    pub(super) fn restore(&mut self, saved: DayCounts) {
        self.days.restore(DayCounts {
            cost: saved.cost.max(Nanodollars(0)),
            ..saved
        });
    }

    /// Days that have changed since they were last taken.
    pub(super) fn take_unsaved(&mut self) -> Vec<DayCounts> {
        self.days.take_unsaved()
    }

    fn now(&self) -> UnixMs {
        self.latest.unwrap_or_default()
    }
}

fn budget(limits: &ClientLimits) -> Option<Nanodollars> {
    limits.budget_usd.map(Nanodollars::from_dollars)
}

/// Below zero is zero.
fn magnitude(money: Nanodollars) -> u64 {
    u64::try_from(money.0).unwrap_or(0)
}
