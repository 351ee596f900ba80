//! What a client key has used and has left, for the admin API and for the `x-ratelimit-*` headers as OpenAI names them.
//! Source: OpenAI API, "Rate limits", "Rate limits in headers".

use std::fmt;
use std::time::Duration;

use domain::{BudgetPeriod, Nanodollars, UnixMs};

/// What is used of each limit at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The instant.
    pub at: UnixMs,
    /// Requests at the same time.
    pub concurrent: Gauge,
    /// Requests in the last minute.
    pub requests_minute: Gauge,
    /// Requests of the UTC day.
    pub requests_day: Gauge,
    /// Tokens in the last minute.
    pub tokens_minute: Gauge,
    /// Tokens of the UTC day.
    pub tokens_day: Gauge,
    /// Money of the budget's period.
    pub budget: Spending,
}

/// What is used of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// How much.
    pub used: u64,
    /// Of how much; none: without limit.
    pub limit: Option<u64>,
    /// When nothing is used any more if there are no further requests; none where time is not what frees it, or nothing is
    /// used of a minute.
    pub resets_at: Option<UnixMs>,
}

/// What is spent of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// How much, in the period that is now.
    pub spent: Nanodollars,
    /// Of how much; none: without limit.
    pub limit: Option<Nanodollars>,
    /// The period.
    pub period: BudgetPeriod,
    /// The midnight that ends it.
    pub resets_at: UnixMs,
}

/// What the headers say of requests or of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How much is allowed in the window.
    pub limit: u64,
    /// How much of it is left.
    pub remaining: u64,
    /// Until all of it is there again.
    pub resets_in: Duration,
}

impl Standing {
    /// That of whoever has no other limit than requests a minute.
    pub(crate) fn of_minute(requests_minute: Gauge, at: UnixMs) -> Self {
        let without_limit = Gauge {
            used: 0,
            limit: None,
            resets_at: None,
        };
        Self {
            at,
            concurrent: without_limit,
            requests_minute,
            requests_day: without_limit,
            tokens_minute: without_limit,
            tokens_day: without_limit,
            budget: Spending {
                spent: Nanodollars(0),
                limit: None,
                period: BudgetPeriod::default(),
                resets_at: at,
            },
        }
    }

    /// The scarcer window of requests; none where they have no limit.
    pub fn requests(&self) -> Option<Allowance> {
        self.scarcer(self.requests_minute, self.requests_day)
    }

    /// The scarcer window of tokens; none where they have no limit.
    pub fn tokens(&self) -> Option<Allowance> {
        self.scarcer(self.tokens_minute, self.tokens_day)
    }

    /// The `x-ratelimit-*` headers: three for requests, three for tokens, each where there is a limit.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let requests = self.requests().map(|allowance| {
            allowance.headers([
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ])
        });
        let tokens = self.tokens().map(|allowance| {
            allowance.headers([
                "x-ratelimit-limit-tokens",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens",
            ])
        });
        requests.into_iter().chain(tokens).flatten()
    }

    /// The headers have room for one window. A request takes the same from both, so a caller that goes on meets first the
    /// end of that of which less is left, in requests or tokens and not in per cent: 5 of 60 a minute bind before 500 of
    /// 100000 a day. With equal remainders it is the one that takes longer to come back.
    fn scarcer(&self, minute: Gauge, day: Gauge) -> Option<Allowance> {
        [minute, day]
            .into_iter()
            .filter_map(|gauge| gauge.allowance(self.at))
            .min_by_key(|window| (window.remaining, std::cmp::Reverse(window.resets_in)))
    }
}

impl Gauge {
    /// How much is left; none: without limit.
    pub fn remaining(&self) -> Option<u64> {
        self.limit.map(|limit| limit.saturating_sub(self.used))
    }

    fn allowance(self, now: UnixMs) -> Option<Allowance> {
        Some(Allowance {
            limit: self.limit?,
            remaining: self.remaining()?,
            resets_in: self.resets_at.map_or(Duration::ZERO, |at| now.until(at)),
        })
    }
}

impl Allowance {
    fn headers(self, names: [&'static str; 3]) -> [(&'static str, String); 3] {
        let [limit, remaining, reset] = names;
        [
            (limit, self.limit.to_string()),
            (remaining, self.remaining.to_string()),
            (reset, Reset(self.resets_in).to_string()),
        ]
    }
}

/// A time to wait as OpenAI writes it, which is Go's way: `0s`, `120ms`, `1.5s`, `6m0s`, `23h59m0.25s`.
struct Reset(Duration);

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, ms) = (self.0.as_secs(), self.0.subsec_millis());
        if seconds == 0 && ms > 0 {
            return write!(f, "{ms}ms");
        }
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        match ms {
            0 => write!(f, "{seconds}s"),
            _ => write!(f, "{seconds}.{}s", format!("{ms:03}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);

    fn gauge(used: u64, limit: Option<u64>, resets_in_s: u64) -> Gauge {
        Gauge {
            used,
            limit,
            resets_at: (resets_in_s > 0).then(|| NOW + Duration::from_secs(resets_in_s)),
        }
    }

    fn standing(requests: [Gauge; 2], tokens: [Gauge; 2]) -> Standing {
        Standing {
            at: NOW,
            concurrent: gauge(0, None, 0),
            requests_minute: requests[0],
            requests_day: requests[1],
            tokens_minute: tokens[0],
            tokens_day: tokens[1],
            budget: Spending {
                spent: Nanodollars(0),
                limit: None,
                period: BudgetPeriod::Month,
                resets_at: NOW,
            },
        }
    }

    #[test]
    fn resets_are_written_as_openai_writes_them() {
        for (ms, text) in [
            (0, "0s"),
            (120, "120ms"),
            (1_000, "1s"),
            (7_660, "7.66s"),
            (59_999, "59.999s"),
            (60_000, "1m0s"),
            (360_000, "6m0s"),
            (3_600_000, "1h0m0s"),
            (86_340_250, "23h59m0.25s"),
        ] {
            assert_eq!(Reset(Duration::from_millis(ms)).to_string(), text);
        }
    }

    #[test]
    fn headers_show_the_window_that_ends_first() {
        let none = gauge(9, None, 9);
        for (minute, day, expected) in [
            (
                gauge(1, Some(60), 20),
                gauge(500, Some(1000), 3600),
                Some((60, 59, 20)),
            ),
            (
                gauge(1, Some(60), 20),
                gauge(990, Some(1000), 3600),
                Some((1000, 10, 3600)),
            ),
            // A smaller share of the day is left, but the minute ends first.
            (
                gauge(55, Some(60), 20),
                gauge(99_500, Some(100_000), 3600),
                Some((60, 5, 20)),
            ),
            (
                gauge(60, Some(60), 20),
                gauge(70, Some(70), 3600),
                Some((70, 0, 3600)),
            ),
            // A limit that was lowered below what is used.
            (gauge(60, Some(6), 20), none, Some((6, 0, 20))),
            (none, gauge(0, Some(6), 3600), Some((6, 6, 3600))),
            (none, none, None),
        ] {
            let shown = standing([minute, day], [none; 2]).requests();
            let shown = shown.map(|it| (it.limit, it.remaining, it.resets_in.as_secs()));
            assert_eq!(shown, expected, "{minute:?} {day:?}");
        }
    }

    #[test]
    fn headers_are_there_where_there_is_a_limit() {
        let none = gauge(0, None, 0);
        let tokens = [gauge(100, Some(1000), 6 * 60), none];
        let headers: Vec<_> = standing([none; 2], tokens).headers().collect();
        let expected = [
            ("x-ratelimit-limit-tokens", "1000".to_owned()),
            ("x-ratelimit-remaining-tokens", "900".to_owned()),
            ("x-ratelimit-reset-tokens", "6m0s".to_owned()),
        ];
        assert_eq!(headers, expected);
        assert_eq!(standing([none; 2], [none; 2]).headers().count(), 0);
    }
}
