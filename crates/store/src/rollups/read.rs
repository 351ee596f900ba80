//! What charts and totals ask of roll-ups. How many rows are read depends on the spans and values that are asked
//! for, never on how many requests there were.

use domain::UnixMs;
use sea_orm::{ConnectionTrait as _, QueryResult};

use super::figures::{Figures, NUMBERS, SUMS, number_columns};
use super::{Dimension, Span};
use crate::StoreError;
use crate::handle::Store;
use crate::names::Word as _;
use crate::sql::Sql;

/// Which roll-ups to read: those of the spans that begin from the one `from` is in, and before `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesQuery {
    /// What requests are told apart by.
    pub dimension: Dimension,
    /// Only these values of it; none: all.
    pub values: Option<Vec<String>>,
    /// From when.
    pub from: UnixMs,
    /// Until when, itself not included.
    pub to: UnixMs,
    /// How long a time a point stands for. [`Dimension::Key`] has no minutes.
    pub span: Span,
}

/// What happened in one span, of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesPoint {
    /// When the span begins.
    pub start: UnixMs,
    /// The value, in the words of [`Dimension`].
    pub value: String,
    /// The sums.
    pub figures: Figures,
}

/// What happened in a whole time, of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// The value, in the words of [`Dimension`].
    pub value: String,
    /// The sums.
    pub figures: Figures,
}

impl Store {
    /// The points that there are, in the order of time; where nothing happened there is none.
    pub async fn timeseries(&self, query: &SeriesQuery) -> Result<Vec<SeriesPoint>, StoreError> {
        let Some(sql) = self.points(query).await? else {
            return Ok(Vec::new());
        };
        let rows = self.reader().query_all_raw(sql.statement()).await?;
        let point = |row: &QueryResult| {
            Ok(SeriesPoint {
                start: UnixMs(row.try_get_by_index(0)?),
                value: row.try_get_by_index(1)?,
                figures: figures(row, 2)?,
            })
        };
        rows.iter().map(point).collect()
    }

    /// The sums over the whole time, of the values with the most requests, at most so many, most first.
    pub async fn totals(
        &self,
        query: &SeriesQuery,
        at_most: u64,
    ) -> Result<Vec<Total>, StoreError> {
        let Some(mut sql) = self.select(query, "value", "sum({})").await? else {
            return Ok(Vec::new());
        };
        sql.push(" GROUP BY value ORDER BY sum(requests) DESC, value LIMIT ");
        sql.bind(at_most as i64);
        let rows = self.reader().query_all_raw(sql.statement()).await?;
        let total = |row: &QueryResult| {
            Ok(Total {
                value: row.try_get_by_index(0)?,
                figures: figures(row, 1)?,
            })
        };
        rows.iter().map(total).collect()
    }

    /// How the database finds such points, in its own words: for stories and for benchmarks.
    pub async fn timeseries_plan(&self, query: &SeriesQuery) -> Result<Vec<String>, StoreError> {
        match self.points(query).await? {
            Some(sql) => sql.plan(self).await,
            None => Ok(Vec::new()),
        }
    }

    async fn points(&self, query: &SeriesQuery) -> Result<Option<Sql>, StoreError> {
        let mut sql = self.select(query, "start, value", "{}").await?;
        if let Some(sql) = &mut sql {
            sql.push(" ORDER BY start, value");
        }
        Ok(sql)
    }

    /// None: nothing can be found.
    async fn select(
        &self,
        query: &SeriesQuery,
        identity: &str,
        number: &str,
    ) -> Result<Option<Sql>, StoreError> {
        let Some((first, last)) = self.rolled_up(query.span).await? else {
            return Ok(None);
        };
        let from = query.span.start_of(query.from.max(first));
        let to = query.to.min(UnixMs(last.0 + 1));
        let columns = format!("SELECT {identity}, {} FROM ", numbers_text(number));
        let mut sql = Sql::new(self.backend(), "");
        match &query.values {
            _ if from >= to => return Ok(None),
            None => {
                sql.push(&columns).push("rollups WHERE start >= ");
                sql.bind(from.0).push(" AND start < ").bind(to.0);
            }
            Some(values) if values.is_empty() => return Ok(None),
            Some(values) => {
                push_starts(&mut sql, from, to, query.span);
                sql.push(&columns);
                sql.push("starts CROSS JOIN rollups WHERE start = at AND value IN ");
                sql.list(values.iter().cloned());
            }
        }
        sql.push(" AND span_s = ").bind(query.span.seconds());
        sql.push(" AND dimension = ").bind(query.dimension.word());
        Ok(Some(sql))
    }
}

/// Every start that is asked for, so that each roll-up of few values is looked up, and those of the others that lie
/// between them are not read.
fn push_starts(sql: &mut Sql, from: UnixMs, to: UnixMs, span: Span) {
    sql.push("WITH RECURSIVE starts(at) AS (SELECT CAST(")
        .bind(from.0);
    sql.push(" AS bigint) UNION ALL SELECT at + ")
        .bind(span.ms());
    sql.push(" FROM starts WHERE at + ").bind(span.ms());
    sql.push(" < ").bind(to.0).push(") ");
}

/// Both sums and buckets come as one text each, since drivers take their time over every column.
fn numbers_text(number: &str) -> String {
    let numbers: Vec<String> = number_columns()
        .map(|column| number.replace("{}", &column))
        .collect();
    let (sums, buckets) = numbers.split_at(SUMS.len());
    let joined = |numbers: &[String]| format!("concat_ws(',', {})", numbers.join(","));
    format!("{}, {}", joined(sums), joined(buckets))
}

fn figures(row: &QueryResult, first: usize) -> Result<Figures, StoreError> {
    let mut numbers = [0; NUMBERS];
    let (sums, buckets) = numbers.split_at_mut(SUMS.len());
    for (at, part) in [sums, buckets].into_iter().enumerate() {
        let text: String = row.try_get_by_index(first + at)?;
        for (number, text) in part.iter_mut().zip(text.split_terminator(',')) {
            let parsed = text.parse();
            *number = parsed.map_err(|_| StoreError::corrupt(format!("rollups: `{text}`")))?;
        }
    }
    Ok(Figures::from_numbers(&numbers))
}
