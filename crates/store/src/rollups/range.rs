//! What times there are roll-ups of: of a span at all, and of one value by the hour.

use domain::UnixMs;
use sea_orm::ConnectionTrait as _;

use super::{Dimension, Span};
use crate::StoreError;
use crate::handle::Store;
use crate::names::Word as _;
use crate::sql::Sql;

impl Store {
    /// When the first and the last roll-up of that span begin.
    pub(crate) async fn rolled_up(
        &self,
        span: Span,
    ) -> Result<Option<(UnixMs, UnixMs)>, StoreError> {
        let start = |extreme: &str| {
            let text = format!("SELECT {extreme}(start) FROM rollups WHERE span_s = ");
            let mut sql = Sql::new(self.backend(), &text);
            sql.bind(span.seconds());
            sql.push(" AND dimension = ").bind(Dimension::All.word());
            self.start(sql)
        };
        Ok(start("min").await?.zip(start("max").await?))
    }

    /// The last hour, of those from `oldest` to `newest`, in which there was such a request.
    pub(crate) async fn last_hour(
        &self,
        dimension: Dimension,
        value: &str,
        oldest: UnixMs,
        newest: UnixMs,
    ) -> Result<Option<UnixMs>, StoreError> {
        let hour = Span::Hour;
        let mut sql = Sql::new(self.backend(), "WITH RECURSIVE hours(at) AS (SELECT CAST(");
        sql.bind(hour.start_of(newest).0);
        sql.push(" AS bigint) UNION ALL SELECT at - ")
            .bind(hour.ms());
        sql.push(" FROM hours WHERE at > ")
            .bind(hour.start_of(oldest).0);
        sql.push(") SELECT at FROM hours WHERE EXISTS (SELECT 1 FROM rollups WHERE start = at");
        sql.push(" AND span_s = ").bind(hour.seconds());
        sql.push(" AND dimension = ").bind(dimension.word());
        sql.push(" AND value = ").bind(value).push(") LIMIT 1");
        self.start(sql).await
    }

    async fn start(&self, sql: Sql) -> Result<Option<UnixMs>, StoreError> {
        let row = self.reader().query_one_raw(sql.statement()).await?;
        let start: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by_index(0))?;
        Ok(start.map(UnixMs))
    }
}
