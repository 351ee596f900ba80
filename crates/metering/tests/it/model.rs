//! The meter against a model that keeps every event and counts anew at each question.

use domain::{BudgetPeriod, Nanodollars};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use metering::{Limit, Permit};
use proptest::prelude::*;

use super::*;

/// What the meter keeps together leaves with the last of it: this much later than alone, at most.
const SLACK: Duration = Duration::from_millis(100);

#[derive(Clone, Debug)]
enum Step {
    Ask,
    /// The oldest request under way ends.
    End {
        tokens: u64,
        cost: i64,
    },
    /// The clock goes on, or back.
    Clock {
        by_ms: i64,
    },
    /// A refused caller comes back when it was told to.
    ObeyRetryAfter,
    Change(ClientLimits),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Ask),
        6 => (0u64..50, 0i64..50).prop_map(|(tokens, cost)| Step::End { tokens, cost }),
        4 => (0i64..3_000).prop_map(|by_ms| Step::Clock { by_ms }),
        2 => (0i64..90_000).prop_map(|by_ms| Step::Clock { by_ms }),
        1 => (-120_000i64..0).prop_map(|by_ms| Step::Clock { by_ms }),
        1 => (0i64..200_000_000).prop_map(|by_ms| Step::Clock { by_ms }),
        3 => Just(Step::ObeyRetryAfter),
        1 => limits().prop_map(Step::Change),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..150)
}

fn limits() -> impl Strategy<Value = ClientLimits> {
    let small = || prop::option::of(0u32..8);
    let large = || prop::option::of(0u64..200);
    let budget = (prop::option::of(0u32..200), any::<bool>());
    (small(), small(), small(), large(), large(), budget).prop_map(
        |(rpm, rpd, max_concurrent, tpm, tpd, (budget, daily))| ClientLimits {
            rpm,
            rpd: rpd.map(|limit| limit * 4),
            max_concurrent,
            tpm,
            tpd: tpd.map(|limit| limit * 3),
            budget_usd: budget.map(|nanos| f64::from(nanos) / 1e9),
            budget_period: if daily {
                BudgetPeriod::Day
            } else {
                BudgetPeriod::Month
            },
            ..no_limits()
        },
    )
}

/// Something that counts: a request has one request and no tokens, an answer tokens and a cost.
#[derive(Clone, Copy, Debug)]
struct Happened {
    at: UnixMs,
    requests: u64,
    tokens: u64,
    cost: u64,
    /// Minutes are forgotten at a restart.
    before_restart: bool,
}

#[derive(Debug)]
struct Model {
    events: Vec<Happened>,
    in_flight: u64,
    latest: UnixMs,
}

impl Model {
    fn record(&mut self, requests: u64, tokens: u64, cost: u64) {
        self.events.push(Happened {
            at: self.latest,
            requests,
            tokens,
            cost,
            before_restart: false,
        });
    }

    /// Whether every limit allows a request, where a minute has some length.
    fn allows(&self, limits: &ClientLimits, minute: Duration) -> bool {
        let recent = |event: &Happened| event.at + minute > self.latest && !event.before_restart;
        let today = |event: &Happened| date(event.at) == date(self.latest);
        let period = |event: &Happened| match limits.budget_period {
            BudgetPeriod::Day => today(event),
            BudgetPeriod::Month => {
                date(event.at).first_of_month() == date(self.latest).first_of_month()
            }
        };
        let budget = limits
            .budget_usd
            .map(|dollars| Nanodollars::from_dollars(dollars).0 as u64);
        let below = |used: u64, limit: Option<u64>| limit.is_none_or(|limit| used < limit);
        below(self.in_flight, limits.max_concurrent.map(u64::from))
            && below(
                self.sum(recent, |it| it.requests),
                limits.rpm.map(u64::from),
            )
            && below(self.sum(today, |it| it.requests), limits.rpd.map(u64::from))
            && below(self.sum(recent, |it| it.tokens), limits.tpm)
            && below(self.sum(today, |it| it.tokens), limits.tpd)
            && below(self.sum(period, |it| it.cost), budget)
    }

    fn sum(&self, which: impl Fn(&Happened) -> bool, what: impl Fn(&Happened) -> u64) -> u64 {
        let events = self.events.iter().filter(|event| which(event));
        events.map(what).sum()
    }
}

fn date(at: UnixMs) -> Date {
    let instant = Timestamp::from_millisecond(at.0).unwrap();
    TimeZone::UTC.to_datetime(instant).date()
}

/// Both, side by side.
struct Both {
    meter: Arc<Meter>,
    model: Model,
    limits: ClientLimits,
    permits: Vec<Permit>,
    saved: Vec<metering::DayCounts>,
    now: UnixMs,
}

impl Both {
    fn new(limits: ClientLimits) -> Self {
        Self {
            meter: Arc::default(),
            model: Model {
                events: Vec::new(),
                in_flight: 0,
                latest: UnixMs(i64::MIN),
            },
            limits,
            permits: Vec::new(),
            saved: Vec::new(),
            now: START,
        }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask => self.ask().map(drop),
            Step::End { tokens, cost } => {
                self.end(tokens, cost);
                Ok(())
            }
            Step::Clock { by_ms } => {
                self.now.0 += by_ms;
                Ok(())
            }
            Step::ObeyRetryAfter => self.obey_retry_after(),
            Step::Change(limits) => {
                self.limits = limits;
                Ok(())
            }
            Step::Restart => {
                self.restart();
                Ok(())
            }
        }
    }

    fn ask(&mut self) -> Result<Option<Refusal>, TestCaseError> {
        self.tell_time();
        match self.meter.admit(&self.limits, self.now) {
            Ok((permit, _)) => {
                prop_assert!(
                    self.model.allows(&self.limits, MINUTE),
                    "too many are admitted"
                );
                self.permits.push(permit);
                self.model.in_flight += 1;
                self.model.record(1, 0, 0);
                Ok(None)
            }
            Err(refusal) => {
                prop_assert!(
                    !self.model.allows(&self.limits, MINUTE + SLACK),
                    "refused for nothing: {refusal}"
                );
                Ok(Some(refusal))
            }
        }
    }

    fn end(&mut self, tokens: u64, cost: i64) {
        if self.permits.is_empty() {
            return;
        }
        self.tell_time();
        let permit = self.permits.remove(0);
        permit.settle(tokens, Nanodollars(cost), self.now);
        self.model.in_flight -= 1;
        self.model.record(0, tokens, cost as u64);
    }

    /// The meter knows of the clock what it is told.
    fn tell_time(&mut self) {
        self.model.latest = self.model.latest.max(self.now);
    }

    fn obey_retry_after(&mut self) -> Result<(), TestCaseError> {
        let Some(refusal) = self.ask()? else {
            return Ok(());
        };
        let Some(wait) = refusal.retry_after else {
            prop_assert!(refusal.allowed == 0 || refusal.limit == Limit::Concurrency);
            return Ok(());
        };
        let free_at = self.now + wait;
        // Places are not freed by waiting.
        self.permits.clear();
        self.model.in_flight = 0;
        self.now = free_at - Duration::from_millis(1);
        prop_assert!(self.ask()?.is_some(), "admitted before the wait was over");
        self.now = free_at;
        prop_assert!(self.ask()?.is_none(), "refused after the wait");
        Ok(())
    }

    /// Requests under way are lost, and so is the last minute; days are not.
    fn restart(&mut self) {
        for row in self.meter.take_unsaved() {
            self.saved.retain(|saved| saved.day != row.day);
            self.saved.push(row);
        }
        self.permits.clear();
        self.meter = Arc::default();
        self.meter.restore(self.saved.iter().copied());
        // How late it was is not saved: a new meter learns it from the first who asks.
        self.now = self.now.max(self.model.latest);
        self.tell_time();
        self.meter.standing(&self.limits, self.now);
        self.model.in_flight = 0;
        let events = self.model.events.iter_mut();
        events.for_each(|event| event.before_restart = true);
    }
}

proptest! {
    /// Never more than the limits allow; never refused without a reason; a wait is exactly as long as it has to be.
    #[test]
    fn the_meter_agrees_with_the_model(limits in limits(), steps in steps()) {
        let mut both = Both::new(limits);
        for step in steps {
            both.step(step)?;
        }
    }
}
