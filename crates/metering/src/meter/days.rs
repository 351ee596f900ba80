//! What was used in each UTC day of the current month: the day's limits count one row, a month's budget all of them.
//! Rows are absolute counters, which the server saves and restores; when they are saved is its business.

use domain::{BudgetPeriod, Nanodollars, UnixMs};

use crate::calendar::{begin_of, day_of, end_of_month, month_of};

/// What was used in one UTC day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCounts {
    /// The day: days since 1970-01-01.
    pub day: i32,
    /// Requests that were admitted.
    pub requests: u64,
    /// Tokens of answers.
    pub tokens: u64,
    /// What answers cost.
    pub cost: Nanodollars,
}

/// The rows of the month, and which of them is today's.
#[derive(Debug)]
pub(crate) struct Days {
    rows: Vec<Row>,
    today: usize,
    /// Money of the month's other days.
    spent_on_others: Nanodollars,
    day_ends: UnixMs,
    month_ends: UnixMs,
}

#[derive(Debug, Default)]
struct Row {
    counts: DayCounts,
    unsaved: bool,
}

impl Default for Days {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            today: 0,
            spent_on_others: Nanodollars(0),
            // No day has been begun.
            day_ends: UnixMs(i64::MIN),
            month_ends: UnixMs(i64::MIN),
        }
    }
}

impl Days {
    /// Takes a saved row in; of a day that has counts already, the larger of each stays.
    pub(crate) fn restore(&mut self, saved: DayCounts) {
        let row = self.row_of(saved.day);
        let counts = &mut self.rows[row].counts;
        counts.requests = counts.requests.max(saved.requests);
        counts.tokens = counts.tokens.max(saved.tokens);
        counts.cost = counts.cost.max(saved.cost);
        self.day_ends = UnixMs(i64::MIN);
    }

    /// Begins the day of `now`, where it has not begun.
    pub(crate) fn roll(&mut self, now: UnixMs) {
        if now >= self.day_ends {
            self.begin(day_of(now));
        }
    }

    fn begin(&mut self, day: i32) {
        let month = month_of(day);
        // Later days are there when the clock was ahead before a restart.
        self.rows.retain(|row| {
            row.unsaved || row.counts.day >= day || month_of(row.counts.day) == month
        });
        self.today = self.row_of(day);
        self.spent_on_others = Nanodollars(0);
        for row in &self.rows {
            if row.counts.day != day && month_of(row.counts.day) == month {
                self.spent_on_others += row.counts.cost;
            }
        }
        self.day_ends = begin_of(day.saturating_add(1));
        self.month_ends = end_of_month(day);
    }

    fn row_of(&mut self, day: i32) -> usize {
        let known = self.rows.iter().position(|row| row.counts.day == day);
        known.unwrap_or_else(|| {
            let mut row = Row::default();
            row.counts.day = day;
            self.rows.push(row);
            self.rows.len() - 1
        })
    }

    /// Today's counts, as of the last call of [`Days::roll`].
    pub(crate) fn today(&self) -> DayCounts {
        let row = self.rows.get(self.today);
        row.map(|row| row.counts).unwrap_or_default()
    }

    /// Changes today's counts.
    pub(crate) fn count(&mut self, change: impl FnOnce(&mut DayCounts)) {
        if let Some(row) = self.rows.get_mut(self.today) {
            change(&mut row.counts);
            row.unsaved = true;
        }
    }

    /// Money of the period that is now.
    pub(crate) fn spent(&self, period: BudgetPeriod) -> Nanodollars {
        let mut spent = self.today().cost;
        if period == BudgetPeriod::Month {
            spent += self.spent_on_others;
        }
        spent
    }

    /// The midnight that ends the period that is now.
    pub(crate) fn ends(&self, period: BudgetPeriod) -> UnixMs {
        match period {
            BudgetPeriod::Day => self.day_ends,
            BudgetPeriod::Month => self.month_ends,
        }
    }

    /// Rows that have changed since they were last taken.
    pub(crate) fn take_unsaved(&mut self) -> Vec<DayCounts> {
        let unsaved = self.rows.iter_mut().filter(|row| row.unsaved);
        unsaved
            .map(|row| {
                row.unsaved = false;
                row.counts
            })
            .collect()
    }
}
