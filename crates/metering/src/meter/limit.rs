//! Which limit refused a request, and how that is said to the caller. The status and the dialect are the server's.

use std::fmt;
use std::time::Duration;

use domain::{BudgetPeriod, Nanodollars};

/// A limit that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Requests at the same time.
    Concurrency,
    /// Requests in the last minute.
    RequestsPerMinute,
    /// Requests of the UTC day.
    RequestsPerDay,
    /// Tokens in the last minute.
    TokensPerMinute,
    /// Tokens of the UTC day.
    TokensPerDay,
    /// Money of the budget's period.
    Budget,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 6] = [
        Self::Concurrency,
        Self::RequestsPerMinute,
        Self::RequestsPerDay,
        Self::TokensPerMinute,
        Self::TokensPerDay,
        Self::Budget,
    ];

    /// Its field in the configuration and the admin API, for example `rpm`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "max_concurrent",
            Self::RequestsPerMinute => "rpm",
            Self::RequestsPerDay => "rpd",
            Self::TokensPerMinute => "tpm",
            Self::TokensPerDay => "tpd",
            Self::Budget => "budget_usd",
        }
    }
}

/// Why a request was not admitted. Shown, it is a sentence for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The limit that holds longest.
    pub limit: Limit,
    /// What it allows: requests or tokens; of a budget, billionths of a dollar.
    pub allowed: u64,
    /// Until a request is admitted if there are no others; none where time alone does not help:
    /// requests have to end first, or nothing is allowed at all.
    pub retry_after: Option<Duration>,
    /// The period of the budget, where it is one.
    pub period: BudgetPeriod,
}

/// A place may be free as soon as any other request ends.
const RETRY_FOR_A_PLACE_S: u64 = 1;

impl Refusal {
    /// Whole seconds for `Retry-After`, rounded up; none: trying again is of no use.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self.retry_after {
            Some(wait) => Some(wait.as_millis().div_ceil(1000) as u64),
            None if self.limit == Limit::Concurrency && self.allowed > 0 => {
                Some(RETRY_FOR_A_PLACE_S)
            }
            None => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, span) = match self.limit {
            Limit::Concurrency => ("request", "at the same time"),
            Limit::RequestsPerMinute => ("request", "a minute"),
            Limit::RequestsPerDay => ("request", "a day"),
            Limit::TokensPerMinute => ("token", "a minute"),
            Limit::TokensPerDay => ("token", "a day"),
            Limit::Budget => return self.write_budget(f),
        };
        let (ending, verb) = if self.allowed == 1 {
            ("", "is")
        } else {
            ("s", "are")
        };
        write!(f, "{} {what}{ending} {span} {verb} allowed", self.allowed)?;
        self.write_wait(f)
    }
}

impl Refusal {
    fn write_budget(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = Nanodollars(i64::try_from(self.allowed).unwrap_or(i64::MAX)).dollars();
        let period = match self.period {
            BudgetPeriod::Day => "day",
            BudgetPeriod::Month => "month",
        };
        write!(f, "the budget of {dollars} USD a {period} is spent")?;
        self.write_wait(f)
    }

    fn write_wait(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retry_after_s() {
            Some(seconds) => write!(f, "; try again in {}", Wait(seconds)),
            None => Ok(()),
        }
    }
}

/// Seconds as people write them: the two largest units, rounded up.
struct Wait(u64);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 3_600;
        const DAY: u64 = 86_400;
        let seconds = self.0;
        let (large, large_name, small, small_name) = match seconds {
            ..MINUTE => return write!(f, "{seconds} s"),
            MINUTE..HOUR => (MINUTE, "min", 1, "s"),
            HOUR..DAY => (HOUR, "h", MINUTE, "min"),
            DAY.. => (DAY, "d", HOUR, "h"),
        };
        let rounded = seconds.div_ceil(small).saturating_mul(small);
        write!(f, "{} {large_name}", rounded / large)?;
        match rounded % large / small {
            0 => Ok(()),
            rest => write!(f, " {rest} {small_name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: Limit, allowed: u64, wait_ms: Option<u64>, sentence: &str) {
        let refusal = Refusal {
            limit,
            allowed,
            retry_after: wait_ms.map(Duration::from_millis),
            period: BudgetPeriod::Month,
        };
        assert_eq!(refusal.to_string(), sentence);
    }

    #[test]
    fn sentences_say_what_is_allowed_and_when_to_come_back() {
        use Limit::{
            Budget, Concurrency, RequestsPerDay, RequestsPerMinute, TokensPerDay, TokensPerMinute,
        };
        for (limit, allowed, wait_ms, sentence) in [
            (
                RequestsPerMinute,
                60,
                Some(11_001),
                "60 requests a minute are allowed; try again in 12 s",
            ),
            (
                RequestsPerMinute,
                1,
                Some(60_000),
                "1 request a minute is allowed; try again in 1 min",
            ),
            (
                RequestsPerDay,
                1_000,
                Some(18_671_000),
                "1000 requests a day are allowed; try again in 5 h 12 min",
            ),
            (
                TokensPerMinute,
                9_000,
                Some(59_999),
                "9000 tokens a minute are allowed; try again in 1 min",
            ),
            (
                TokensPerDay,
                5,
                Some(61_000),
                "5 tokens a day are allowed; try again in 1 min 1 s",
            ),
            (TokensPerDay, 0, None, "0 tokens a day are allowed"),
            (
                Concurrency,
                2,
                None,
                "2 requests at the same time are allowed; try again in 1 s",
            ),
            (
                Concurrency,
                0,
                None,
                "0 requests at the same time are allowed",
            ),
            (
                Budget,
                2_500_000_000,
                Some(864_000_001),
                "the budget of 2.5 USD a month is spent; try again in 10 d 1 h",
            ),
            (Budget, 0, None, "the budget of 0 USD a month is spent"),
        ] {
            check(limit, allowed, wait_ms, sentence);
        }
    }

    #[test]
    fn names_are_the_fields_of_a_client_key() {
        let names = Limit::ALL.map(Limit::name);
        assert_eq!(
            names,
            ["max_concurrent", "rpm", "rpd", "tpm", "tpd", "budget_usd"]
        );
    }
}
