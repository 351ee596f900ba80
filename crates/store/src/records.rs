//! Request records: one row for each request, its attempts as JSON in a column of it.
//!
//! Writing is the one place where the ORM is left aside: it is the most frequent write by far, so its statements are
//! constant texts that drivers keep prepared, bound by hand. Ids grow with time, so rows are appended, never sorted in.
//! Reading goes by the ORM; the JSON of attempts is in `attempts.rs`.

use std::sync::Arc;

use domain::{Class, ClientId, Dialect, KeyId, RequestId, RequestRecord, Usage};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::sqlx::{self, AssertSqlSafe};
use sea_orm::{DbBackend, Iterable as _, QueryOrder as _, QuerySelect as _};

use crate::batch::{SIZES, batches};
use crate::handle::Store;
use crate::names::{Word as _, endpoint_name};
use crate::{StoreError, attempts};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "requests")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub client_id: Option<i64>,
    pub dialect: String,
    pub endpoint: String,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub key_id: Option<i64>,
    pub status: i16,
    pub stream: bool,
    pub latency_us: i64,
    pub first_byte_us: Option<i64>,
    pub error: Option<String>,
    /// Null: none.
    pub attempts: Option<String>,
    /// Null, as the other counts: the provider did not count.
    pub prompt_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub cached_tokens: Option<i64>,
    pub tool_tokens: Option<i64>,
    pub total_tokens: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The texts that insert a batch, one for each of [`SIZES`].
#[derive(Debug)]
pub(crate) struct Statements([Arc<str>; SIZES.len()]);

impl Statements {
    /// The texts in the words of that database.
    pub(crate) fn new(backend: DbBackend) -> Self {
        Self(SIZES.map(|rows| insert_text(backend, rows).into()))
    }

    fn of(&self, rows: usize) -> Arc<str> {
        let at = SIZES.iter().position(|&size| size == rows);
        Arc::clone(&self.0[at.unwrap_or(SIZES.len() - 1)])
    }
}

fn insert_text(backend: DbBackend, rows: usize) -> String {
    let columns: Vec<String> = Column::iter().map(|column| column.to_string()).collect();
    let width = columns.len();
    let row = |row: usize| {
        // SQLite looks up the name of each numbered parameter, but not of a nameless one.
        let parameter = |column: usize| match backend {
            DbBackend::Postgres => format!("${}", row * width + column + 1),
            _ => "?".to_owned(),
        };
        let parameters: Vec<String> = (0..width).map(parameter).collect();
        format!("({})", parameters.join(","))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO requests ({}) VALUES {} ON CONFLICT (id) DO NOTHING",
        columns.join(","),
        rows.join(",")
    )
}

/// Binds records to the text of their batch in the order of [`Column`], and executes it.
macro_rules! insert_batch {
    ($connection:expr, $text:expr, $records:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($text));
        for record in $records {
            let usage = record.usage;
            let tokens = |count: fn(Usage) -> u32| usage.map(|usage| i64::from(count(usage)));
            query = query
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
                .bind(tokens(|usage| usage.prompt))
                .bind(tokens(|usage| usage.output))
                .bind(tokens(|usage| usage.reasoning))
                .bind(tokens(|usage| usage.cached))
                .bind(tokens(|usage| usage.tool))
                .bind(tokens(|usage| usage.total));
        }
        query.execute($connection).await?;
    }};
}

impl Store {
    /// Appends records: all of them or, on an error, none. One whose id is there already is passed over.
    /// A call of some hundred records costs little more than one of a single record.
    pub async fn write_records(&self, records: &[RequestRecord]) -> Result<(), StoreError> {
        if self.backend() == DbBackend::Postgres {
            let pool = self.writer().get_postgres_connection_pool();
            let mut txn = pool.begin().await?;
            for batch in batches(records) {
                insert_batch!(&mut *txn, self.statements().of(batch.len()), batch);
            }
            Ok(txn.commit().await?)
        } else {
            let pool = self.writer().get_sqlite_connection_pool();
            let mut txn = pool.begin_with("BEGIN IMMEDIATE").await?;
            for batch in batches(records) {
                insert_batch!(&mut *txn, self.statements().of(batch.len()), batch);
            }
            Ok(txn.commit().await?)
        }
    }

    /// The newest records that are older than `before`, newest first.
    /// One that cannot be read is left out, and logged as an error.
    pub async fn recent_records(
        &self,
        limit: u64,
        before: Option<RequestId>,
    ) -> Result<Vec<RequestRecord>, StoreError> {
        let mut newest = Entity::find().order_by_desc(Column::Id).limit(limit);
        if let Some(before) = before {
            newest = newest.filter(Column::Id.lt(before.0));
        }
        let rows = newest.all(self.reader()).await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let id = RequestId(row.id);
            match record(row) {
                Ok(record) => records.push(record),
                Err(error) => tracing::error!(request = %id, %error, "request record left out"),
            }
        }
        Ok(records)
    }

    /// The record of one request.
    pub async fn record(&self, id: RequestId) -> Result<Option<RequestRecord>, StoreError> {
        let row = Entity::find_by_id(id.0).one(self.reader()).await?;
        row.map(record).transpose()
    }

    /// Deletes the oldest records before `before`, at most so many, so that writers wait only shortly; says how many.
    pub async fn delete_records_before(
        &self,
        before: RequestId,
        at_most: u64,
    ) -> Result<u64, StoreError> {
        let oldest = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::Id.lt(before.0))
            .order_by(Column::Id, sea_orm::Order::Asc)
            .limit(at_most)
            .to_owned();
        let delete = Entity::delete_many().filter(Column::Id.in_subquery(oldest));
        Ok(delete.exec(self.writer()).await?.rows_affected)
    }
}

fn record(row: Model) -> Result<RequestRecord, StoreError> {
    let usage = usage(&row);
    Ok(RequestRecord {
        id: RequestId(row.id),
        client: row.client_id.map(ClientId),
        dialect: Dialect::from_word(&row.dialect)?,
        endpoint: endpoint_name(&row.endpoint),
        provider: row.provider.map(Arc::from),
        model: row.model.map(Arc::from),
        key: row.key_id.map(KeyId),
        status: row.status as u16,
        stream: row.stream,
        latency_us: row.latency_us as u64,
        first_byte_us: row.first_byte_us.map(|us| us as u64),
        usage,
        error: row.error.as_deref().map(Class::from_word).transpose()?,
        attempts: attempts::from_json(row.attempts.as_deref())?,
    })
}

fn usage(row: &Model) -> Option<Usage> {
    let tokens = |count: Option<i64>| count.map_or(0, |count| count as u32);
    row.total_tokens.map(|total| Usage {
        prompt: tokens(row.prompt_tokens),
        output: tokens(row.output_tokens),
        reasoning: tokens(row.reasoning_tokens),
        cached: tokens(row.cached_tokens),
        tool: tokens(row.tool_tokens),
        total: total as u32,
    })
}
