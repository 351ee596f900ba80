//! Request records: one row for each request, its attempts as JSON in a column of it.
//!
//! Here are the row, and the ways from it to `domain`. Records are written in `insert.rs`, listed in `listing.rs` by
//! the filters of `filter.rs`, and deleted in `retention.rs`; the JSON of attempts is in `attempts.rs`.

mod filter;
mod guide;
mod insert;
mod listing;
mod retention;

use std::sync::Arc;

use domain::{Class, ClientId, Dialect, KeyId, Nanodollars, RequestId, RequestRecord, Usage};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::handle::Store;
use crate::names::{Word as _, static_name};
use crate::{StoreError, attempts};

pub use filter::{RecordFilter, StatusFilter};
pub(crate) use insert::insert_text;
pub use listing::{LARGEST_PAGE, RecordPage, SearchBudget};

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
    pub cost_nanos: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
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
        Ok(readable(newest.all(self.reader()).await?))
    }

    /// The record of one request.
    pub async fn record(&self, id: RequestId) -> Result<Option<RequestRecord>, StoreError> {
        let row = Entity::find_by_id(id.0).one(self.reader()).await?;
        row.map(record).transpose()
    }
}

/// The records of those rows that can be read.
fn readable(rows: Vec<Model>) -> Vec<RequestRecord> {
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let id = RequestId(row.id);
        match record(row) {
            Ok(record) => records.push(record),
            Err(error) => tracing::error!(request = %id, %error, "request record left out"),
        }
    }
    records
}

fn record(row: Model) -> Result<RequestRecord, StoreError> {
    let usage = usage(&row);
    Ok(RequestRecord {
        id: RequestId(row.id),
        client: row.client_id.map(ClientId),
        dialect: Dialect::from_word(&row.dialect)?,
        endpoint: static_name(&row.endpoint),
        provider: row.provider.map(Arc::from),
        model: row.model.map(Arc::from),
        key: row.key_id.map(KeyId),
        status: row.status as u16,
        stream: row.stream,
        latency_us: row.latency_us as u64,
        first_byte_us: row.first_byte_us.map(|us| us as u64),
        usage,
        cost: row.cost_nanos.map(Nanodollars),
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
