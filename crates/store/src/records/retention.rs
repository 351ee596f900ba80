//! Keeps request records within an age and a size, in steps that writers hardly notice.

use domain::RequestId;
use sea_orm::entity::prelude::*;
use sea_orm::{DbBackend, QueryOrder as _, QuerySelect as _, Statement};

use super::{Column, Entity};
use crate::change::begin_write;
use crate::handle::Store;
use crate::{StoreError, bodies};

/// Pages that are in use. Free ones are taken again before the file grows.
const SQLITE_SIZE: &str = "SELECT (page_count - freelist_count) * page_size \
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size";

/// What live rows take. The files of PostgreSQL's tables do not shrink when rows are deleted, they have room for new
/// ones: whoever deleted until the files are small would delete all. A row has 4 bytes of pointer and some 100 in
/// indexes; large bodies lie outside of their rows.
const POSTGRES_SIZE: &str = "SELECT CAST( \
     least(pg_total_relation_size('requests'), \
         (SELECT count(*) FROM requests) * (SELECT coalesce(avg(pg_column_size(r)), 0) + 104 \
             FROM (SELECT * FROM requests ORDER BY id DESC LIMIT 1000) AS r)) \
     + least(pg_total_relation_size('request_bodies'), \
         (SELECT coalesce(sum(pg_column_size(bytes) + 100), 0) FROM request_bodies)) \
     + pg_total_relation_size('rollups') AS bigint)";

impl Store {
    /// Deletes the oldest records before `before`, at most so many, so that writers wait only shortly; says how many.
    /// Their bodies go with them.
    pub async fn delete_records_before(
        &self,
        before: RequestId,
        at_most: u64,
    ) -> Result<u64, StoreError> {
        let txn = begin_write(self).await?;
        let first_to_stay: Option<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.lt(before.0))
            .order_by_asc(Column::Id)
            .offset(at_most)
            .limit(1)
            .into_tuple()
            .one(&txn)
            .await?;
        let bound = first_to_stay.unwrap_or(before.0);
        let old = Entity::delete_many().filter(Column::Id.lt(bound));
        let deleted = old.exec(&txn).await?.rows_affected;
        // By the bound, not by the records: there may be bodies whose record was never written.
        bodies::delete_before(&txn, bound).await?;
        txn.commit().await?;
        Ok(deleted)
    }

    /// Deletes the oldest records, at most so many, and their bodies; says how many.
    pub async fn delete_oldest_records(&self, at_most: u64) -> Result<u64, StoreError> {
        self.delete_records_before(RequestId(i64::MAX), at_most)
            .await
    }

    /// How many bytes are in use: in SQLite by the whole database, of which records, their bodies and roll-ups are
    /// nearly all; in PostgreSQL by these, as an estimate. It falls when records are deleted, though files do not
    /// shrink: their room is used again.
    pub async fn size_bytes(&self) -> Result<u64, StoreError> {
        let text = match self.backend() {
            DbBackend::Postgres => POSTGRES_SIZE,
            _ => SQLITE_SIZE,
        };
        let statement = Statement::from_string(self.backend(), text);
        let row = self.reader().query_one_raw(statement).await?;
        let size: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok(size as u64)
    }
}
