//! Writes batches of records, and their roll-ups with them, in one transaction.
//!
//! This is the one place where the ORM is left aside: it is the most frequent write by far, so its statements are
//! constant texts that drivers keep prepared, bound by hand. Ids grow with time, so rows are appended, never sorted
//! in. SQLite takes rows of values, PostgreSQL an array for each column.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use domain::{Class, RequestRecord, Usage};
use sea_orm::entity::prelude::*;
use sea_orm::sqlx::query::Query;
use sea_orm::sqlx::sqlite::{Sqlite, SqliteArguments};
use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, SqliteConnection};
use sea_orm::{DbBackend, Iterable as _, QuerySelect as _};

use super::{Column, Entity};
use crate::batch::batches;
use crate::handle::Store;
use crate::rollups::{Gathered, add_postgres, add_sqlite};
use crate::statements::{Inserts, values_text};
use crate::{StoreError, attempts};

/// Ids that are looked up at once.
const LOOKED_UP: usize = 1_000;

/// What became of a batch.
enum Inserted {
    All,
    /// Some of its ids were there, so none was written: nobody could tell which of them the roll-ups lack.
    None,
}

impl Store {
    /// Appends records and adds them to the roll-ups: all of them or, on an error, none. One whose id is there already
    /// is passed over and not counted again, so a batch can be written again when its fate is unknown.
    /// A call of some hundred records costs little more than one of a single record.
    pub async fn write_records(&self, records: &[RequestRecord]) -> Result<(), StoreError> {
        let mut unwritten = Cow::Borrowed(records);
        while let Inserted::None = self.insert(&unwritten).await? {
            unwritten = Cow::Owned(self.unwritten(records).await?);
        }
        Ok(())
    }

    async fn insert(&self, records: &[RequestRecord]) -> Result<Inserted, StoreError> {
        if records.is_empty() {
            return Ok(Inserted::All);
        }
        let rollups = Gathered::of(records, self.model_names());
        if self.backend() == DbBackend::Postgres {
            let pool = self.writer().get_postgres_connection_pool();
            let mut txn = pool.begin().await?;
            if insert_postgres(&mut txn, records).await? < records.len() as u64 {
                return Ok(Inserted::None);
            }
            add_postgres(&mut txn, &rollups).await?;
            txn.commit().await?;
        } else {
            let texts = self.statements();
            let pool = self.writer().get_sqlite_connection_pool();
            let mut txn = pool.begin_with("BEGIN IMMEDIATE").await?;
            if insert_sqlite(&mut txn, &texts.records, records).await? < records.len() as u64 {
                return Ok(Inserted::None);
            }
            add_sqlite(&mut txn, texts, &rollups).await?;
            txn.commit().await?;
        }
        Ok(Inserted::All)
    }

    /// Those whose ids are not there; of several of one id the first.
    async fn unwritten(&self, records: &[RequestRecord]) -> Result<Vec<RequestRecord>, StoreError> {
        let mut seen: HashSet<i64> = HashSet::with_capacity(records.len());
        for some in records.chunks(LOOKED_UP) {
            let there: Vec<i64> = Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::Id.is_in(some.iter().map(|record| record.id.0)))
                .into_tuple()
                .all(self.writer())
                .await?;
            seen.extend(there);
        }
        let new = records.iter().filter(|record| seen.insert(record.id.0));
        Ok(new.cloned().collect())
    }
}

/// The text that inserts so many records into a SQLite database.
pub(crate) fn insert_text(rows: usize) -> String {
    insert_from(&values_text(rows, Column::iter().count()))
}

/// The text that inserts any number of records into a PostgreSQL database.
static INSERT_ARRAYS: LazyLock<String> = LazyLock::new(|| {
    let arrays: Vec<String> = (1..)
        .zip(Column::iter())
        .map(|(number, column)| match column {
            Column::Dialect
            | Column::Endpoint
            | Column::Provider
            | Column::Model
            | Column::Error
            | Column::Attempts => format!("${number}::text[]"),
            Column::Status => format!("${number}::smallint[]"),
            Column::Stream => format!("${number}::boolean[]"),
            _ => format!("${number}::bigint[]"),
        })
        .collect();
    insert_from(&format!("SELECT * FROM unnest({})", arrays.join(",")))
});

fn insert_from(source: &str) -> String {
    let columns: Vec<String> = Column::iter().map(|column| column.to_string()).collect();
    let columns = columns.join(",");
    format!("INSERT INTO requests ({columns}) {source} ON CONFLICT (id) DO NOTHING")
}

/// Says how many were not there.
async fn insert_sqlite(
    txn: &mut SqliteConnection,
    texts: &Inserts,
    records: &[RequestRecord],
) -> Result<u64, StoreError> {
    let mut inserted = 0;
    for batch in batches(records) {
        let query = sqlx::query(AssertSqlSafe(texts.of(batch.len())));
        let query = batch.iter().try_fold(query, bind)?;
        inserted += query.execute(&mut *txn).await?.rows_affected();
    }
    Ok(inserted)
}

type SqliteQuery<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Binds a record in the order of [`Column`].
fn bind<'q>(query: SqliteQuery<'q>, record: &RequestRecord) -> Result<SqliteQuery<'q>, StoreError> {
    // An `Arc<str>` is bound without copying it once more.
    Ok(query
        .bind(record.id.0)
        .bind(record.client.map(|client| client.0))
        .bind(Arc::<str>::from(record.dialect.name()))
        .bind(Arc::<str>::from(record.endpoint))
        .bind(record.provider.clone())
        .bind(record.model.clone())
        .bind(record.key.map(|key| key.0))
        .bind(record.status as i16)
        .bind(record.stream)
        .bind(record.latency_us as i64)
        .bind(record.first_byte_us.map(|us| us as i64))
        .bind(record.error.map(|class| Arc::<str>::from(class.name())))
        .bind(attempts::to_json(&record.attempts)?)
        .bind(tokens(record, |usage| usage.prompt))
        .bind(tokens(record, |usage| usage.output))
        .bind(tokens(record, |usage| usage.reasoning))
        .bind(tokens(record, |usage| usage.cached))
        .bind(tokens(record, |usage| usage.tool))
        .bind(tokens(record, |usage| usage.total))
        .bind(record.cost.map(|cost| cost.0)))
}

fn tokens(record: &RequestRecord, count: fn(Usage) -> u32) -> Option<i64> {
    record.usage.map(|usage| i64::from(count(usage)))
}

/// Says how many were not there.
async fn insert_postgres(
    txn: &mut PgConnection,
    records: &[RequestRecord],
) -> Result<u64, StoreError> {
    let attempts = records
        .iter()
        .map(|record| attempts::to_json(&record.attempts));
    let attempts: Vec<Option<String>> = attempts.collect::<Result<_, _>>()?;
    let counts = |count: fn(Usage) -> u32| column(records, |record| tokens(record, count));
    let done = sqlx::query(&**INSERT_ARRAYS)
        .bind(column(records, |record| record.id.0))
        .bind(column(records, |record| {
            record.client.map(|client| client.0)
        }))
        .bind(column(records, |record| record.dialect.name()))
        .bind(column(records, |record| record.endpoint))
        .bind(column(records, |record| record.provider.as_deref()))
        .bind(column(records, |record| {
            record.model.as_deref().map(without_nul)
        }))
        .bind(column(records, |record| record.key.map(|key| key.0)))
        .bind(column(records, |record| record.status as i16))
        .bind(column(records, |record| record.stream))
        .bind(column(records, |record| record.latency_us as i64))
        .bind(column(records, |record| {
            record.first_byte_us.map(|us| us as i64)
        }))
        .bind(column(records, |record| record.error.map(Class::name)))
        .bind(attempts)
        .bind(counts(|usage| usage.prompt))
        .bind(counts(|usage| usage.output))
        .bind(counts(|usage| usage.reasoning))
        .bind(counts(|usage| usage.cached))
        .bind(counts(|usage| usage.tool))
        .bind(counts(|usage| usage.total))
        .bind(column(records, |record| record.cost.map(|cost| cost.0)))
        .execute(txn)
        .await?;
    Ok(done.rows_affected())
}

fn column<'r, T>(records: &'r [RequestRecord], of: impl Fn(&'r RequestRecord) -> T) -> Vec<T> {
    records.iter().map(of).collect()
}

/// PostgreSQL takes no NUL in texts, and a caller may write one into the name of a model: it would refuse the batch.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        return Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    Cow::Borrowed(text)
}
