//! Lists records, newest first, in bounded time however many there are.
//!
//! A search goes along the path of its filter (`filter.rs`) in windows of ids, back in time. The first query of a
//! window counts so many candidates along an index; the second reads those of them that match. Where an index finds
//! just what is asked for, the first window holds the page. Anything else takes windows, each larger than the one
//! before, until the page is full or the budget spent: it may be short, or empty, and still have a cursor to go on.

use std::time::{Duration, Instant};

use domain::{RequestId, RequestRecord};
use sea_orm::entity::prelude::*;
use sea_orm::{DbBackend, Iterable as _};

use super::filter::{Indexed, Path, RecordFilter};
use super::guide::Guide;
use super::{Column, Entity, Model, readable};
use crate::StoreError;
use crate::handle::Store;
use crate::sql::Sql;

/// Candidates of the first window.
const FIRST_WINDOW: u64 = 1_000;
/// How much larger each window is than the one before.
const GROWTH: u64 = 4;
/// What SQLite reads in some 100 ms.
const LARGEST_WINDOW: u64 = 64_000;

/// The most records that one page has.
pub const LARGEST_PAGE: u64 = 10_000;

/// How far one call searches before it gives back what it found. At least one window is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchBudget {
    /// No window is begun after that time.
    pub time: Duration,
    /// No window is begun after so many candidates.
    pub candidates: u64,
}

/// Records, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordPage {
    /// What was found.
    pub records: Vec<RequestRecord>,
    /// The `before` of the next page; none: there are no more.
    pub next: Option<RequestId>,
}

impl Store {
    /// The newest records that match and are older than `before`, at most `limit`, which counts as [`LARGEST_PAGE`] at
    /// most. One that cannot be read is left out, and logged as an error.
    pub async fn records_page(
        &self,
        filter: &RecordFilter,
        before: Option<RequestId>,
        limit: u64,
        budget: SearchBudget,
    ) -> Result<RecordPage, StoreError> {
        let (from, to) = filter.ids(before);
        if filter.is_empty() || limit == 0 {
            return Ok(RecordPage::default());
        }
        let search = Search::begin(self, filter, (from, to), limit).await?;
        let (mut rows, next) = search.windows(from, to, budget).await?;
        let next = search.cut(&mut rows).or(next);
        Ok(RecordPage {
            records: readable(rows),
            next,
        })
    }

    /// How the database finds such a page, in its own words: for stories and for benchmarks.
    pub async fn records_plan(
        &self,
        filter: &RecordFilter,
        limit: u64,
    ) -> Result<Vec<String>, StoreError> {
        let (from, to) = filter.ids(None);
        let search = Search::begin(self, filter, (from, to), limit).await?;
        let window = search.first_window();
        let low = search.candidate(from, to, window).await?.unwrap_or(from);
        let mut plan = search.candidate_sql(from, to, window).plan(self).await?;
        let rows = search.rows_sql(low, to, search.limit + 1);
        plan.extend(rows.plan(self).await?);
        Ok(plan)
    }
}

/// One call.
struct Search<'a> {
    store: &'a Store,
    filter: &'a RecordFilter,
    path: Path,
    limit: u64,
}

impl<'a> Search<'a> {
    /// Of several paths it takes the one whose first so many candidates reach back furthest: there are the fewest on it.
    async fn begin(
        store: &'a Store,
        filter: &'a RecordFilter,
        (from, to): (i64, i64),
        limit: u64,
    ) -> Result<Self, StoreError> {
        let mut paths = filter.paths();
        let mut search = Self {
            store,
            filter,
            path: paths.swap_remove(0),
            limit: limit.min(LARGEST_PAGE),
        };
        if paths.is_empty() {
            return Ok(search);
        }
        let mut lowest = search.candidate(from, to, FIRST_WINDOW).await?;
        for path in paths {
            let other = Self { path, ..search };
            let low = other.candidate(from, to, FIRST_WINDOW).await?;
            // None is the least: there are no more candidates than these.
            if low < lowest {
                (search, lowest) = (other, low);
            }
        }
        Ok(search)
    }

    /// Where the path finds just what is asked for, the page is in it.
    fn first_window(&self) -> u64 {
        if self.filter.is_answered_by(&self.path) {
            self.limit
        } else {
            FIRST_WINDOW
        }
    }

    /// Searches window by window. The cursor says where it stopped; none: it came to the end.
    async fn windows(
        &self,
        from: i64,
        mut to: i64,
        budget: SearchBudget,
    ) -> Result<(Vec<Model>, Option<RequestId>), StoreError> {
        let began = Instant::now();
        let guide = Guide::of(self.store, self.filter).await?;
        let (mut rows, mut searched, mut window) = (Vec::new(), 0, self.first_window());
        while let Some((low, high)) = guide.stretch(self.store, from, to).await? {
            let low = self.candidate(low, high, window).await?.unwrap_or(low);
            let missing = self.limit + 1 - rows.len() as u64;
            rows.extend(self.rows(low, high, missing).await?);
            searched += window;
            let is_full = rows.len() as u64 > self.limit;
            if is_full || searched >= budget.candidates || began.elapsed() >= budget.time {
                return Ok((rows, Some(RequestId(low)).filter(|_| low > from)));
            }
            to = low;
            window = (window * GROWTH).min(LARGEST_WINDOW);
        }
        Ok((rows, None))
    }

    /// The id of the candidate that so many others come before; none: there are no more than these.
    /// Of several arms the nearest, so that a window has no more candidates of any.
    async fn candidate(&self, from: i64, to: i64, skip: u64) -> Result<Option<i64>, StoreError> {
        let sql = self.candidate_sql(from, to, skip);
        let row = self.store.reader().query_one_raw(sql.statement()).await?;
        Ok(row.map_or(Ok(None), |row| row.try_get_by_index(0))?)
    }

    fn candidate_sql(&self, from: i64, to: i64, skip: u64) -> Sql {
        let mut sql = Sql::new(self.store.backend(), "SELECT max(id) FROM (");
        self.push_arms(&mut sql, |search, sql, arm| {
            sql.push("SELECT * FROM (SELECT id FROM requests");
            search.push_arm(sql, arm, from, to);
            sql.push(" ORDER BY id DESC LIMIT 1 OFFSET ")
                .bind(skip as i64);
            sql.push(") AS arm");
        });
        sql.push(") AS arms");
        sql
    }

    /// The newest matching rows of a window.
    async fn rows(&self, from: i64, to: i64, at_most: u64) -> Result<Vec<Model>, StoreError> {
        let sql = self.rows_sql(from, to, at_most);
        let found = Entity::find().from_raw_sql(sql.statement());
        Ok(found.all(self.store.reader()).await?)
    }

    fn rows_sql(&self, from: i64, to: i64, at_most: u64) -> Sql {
        let columns: Vec<String> = Column::iter().map(|column| column.to_string()).collect();
        let columns = columns.join(",");
        // PostgreSQL would walk the ids for the sake of their order, though what it looks for is not among the newest.
        let order = match self.store.backend() {
            DbBackend::Postgres => " ORDER BY id + 0 DESC",
            _ => " ORDER BY id DESC",
        };
        let mut sql = Sql::new(self.store.backend(), &format!("SELECT {columns} FROM ("));
        self.push_arms(&mut sql, |search, sql, arm| {
            sql.push(&format!("SELECT * FROM (SELECT {columns} FROM requests"));
            search.push_arm(sql, arm, from, to);
            search.filter.push_rest(&search.path, sql);
            sql.push(order).push(" LIMIT ").bind(at_most as i64);
            sql.push(") AS arm");
        });
        sql.push(") AS arms ORDER BY id DESC LIMIT ")
            .bind(at_most as i64);
        sql
    }

    fn push_arms(&self, sql: &mut Sql, push: impl Fn(&Self, &mut Sql, Option<&Arm<'_>>)) {
        let Path::Arms(indexed, values) = &self.path else {
            return push(self, sql, None);
        };
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                sql.push(" UNION ALL ");
            }
            push(self, sql, Some(&(*indexed, value)));
        }
    }

    /// Appends which index to use, and what it finds. SQLite knows nothing of how values are spread, and is told.
    fn push_arm(&self, sql: &mut Sql, arm: Option<&Arm<'_>>, from: i64, to: i64) {
        let index = match (arm, &self.path) {
            _ if sql.is_postgres() => String::new(),
            (Some((indexed, _)), _) => format!(" INDEXED BY {}", indexed.index()),
            (None, Path::Failures) => " INDEXED BY requests_failed".to_owned(),
            (None, _) => " NOT INDEXED".to_owned(),
        };
        sql.push(&index).push(" WHERE id < ").bind(to);
        sql.push(" AND id >= ").bind(from);
        if let Some((indexed, value)) = arm {
            let column = indexed.column();
            sql.push(&format!(" AND {column} = "))
                .bind((*value).clone());
        }
        // As they stand in the conditions of the partial indexes.
        sql.push(match (arm, &self.path) {
            (Some((Indexed::Status, _)), _) => " AND status >= 400",
            (_, Path::Failures) => " AND error IS NOT NULL",
            _ => "",
        });
    }

    /// Cuts the row that is one too many, and says where the next page begins.
    fn cut(&self, rows: &mut Vec<Model>) -> Option<RequestId> {
        let is_more = rows.len() as u64 > self.limit;
        rows.truncate(self.limit as usize);
        rows.last().filter(|_| is_more).map(|row| RequestId(row.id))
    }
}

/// One value of an indexed column.
type Arm<'a> = (Indexed, &'a Value);
