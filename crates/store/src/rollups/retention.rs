//! Deletes roll-ups that are too old, in steps.

use domain::UnixMs;
use sea_orm::ConnectionTrait as _;

use super::{Dimension, Span};
use crate::StoreError;
use crate::handle::Store;
use crate::names::Word as _;
use crate::sql::Sql;

impl Store {
    /// Deletes roll-ups of that span that begin before `before`, at most so many, so that writers wait only shortly;
    /// says how many.
    pub async fn delete_rollups_before(
        &self,
        span: Span,
        before: UnixMs,
        at_most: u64,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for dimension in Dimension::ALL {
            let mut sql = Sql::new(
                self.backend(),
                "DELETE FROM rollups WHERE (span_s, dimension, start, value) IN (\
                 SELECT span_s, dimension, start, value FROM rollups WHERE span_s = ",
            );
            sql.bind(span.seconds());
            sql.push(" AND dimension = ").bind(dimension.word());
            sql.push(" AND start < ").bind(before.0);
            sql.push(" ORDER BY start, value LIMIT ")
                .bind((at_most - deleted) as i64);
            sql.push(")");
            let done = self.writer().execute_raw(sql.statement()).await?;
            deleted += done.rows_affected();
        }
        Ok(deleted)
    }
}
