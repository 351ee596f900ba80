//! What makes millions of request records usable: indexes to list them by, sums of them to draw charts from, and
//! their bodies. Columns are described where they are used, in `records/`, `rollups/` and `bodies.rs`.

use sea_orm::sea_query::{
    ColumnDef, Expr, ExprTrait as _, Index, IndexCreateStatement, TableCreateStatement,
};
use sea_orm::{ConditionalStatement as _, DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::columns::{must, table};

/// Of each of the two histograms of a roll-up.
const BUCKETS: usize = 27;

/// This step.
pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        "m0003_rollups_and_bodies"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        manager.create_table(rollups(backend)).await?;
        manager.create_table(request_bodies()).await?;
        for index in [
            requests_by("client_id").col("status"),
            &mut requests_by("model"),
            &mut requests_by_status(),
        ] {
            manager.create_index(index.to_owned()).await?;
        }
        Ok(())
    }
}

/// Buckets are null where a dimension has no histograms.
///
/// Rows are found by their whole identity, so they lie in its order; they are updated all the time, so PostgreSQL
/// leaves room for the next version of each beside it.
fn rollups(backend: DbBackend) -> TableCreateStatement {
    let mut columns = vec![
        must("span_s", ColumnDef::integer),
        must("dimension", ColumnDef::text),
        must("start", ColumnDef::big_integer),
        must("value", ColumnDef::text),
    ];
    let sums = [
        "requests",
        "failed",
        "prompt_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cached_tokens",
        "total_tokens",
        "cost_nanos",
        "latency_us",
        "first_byte_us",
    ];
    columns.extend(sums.map(|name| must(name, ColumnDef::big_integer)));
    for histogram in ["latency", "first_byte"] {
        columns.extend((0..BUCKETS).map(|bucket| {
            let mut column = ColumnDef::new(format!("{histogram}_{bucket:02}"));
            column.integer();
            column
        }));
    }
    let mut identity = Index::create();
    identity
        .col("span_s")
        .col("dimension")
        .col("start")
        .col("value");
    let mut table = table("rollups", columns);
    table.primary_key(&mut identity);
    table.extra(match backend {
        DbBackend::Postgres => "WITH (fillfactor = 70)",
        _ => "WITHOUT ROWID",
    });
    table
}

/// Without a foreign key: bodies and records are written apart, in any order.
fn request_bodies() -> TableCreateStatement {
    let mut identity = Index::create();
    identity.col("request_id").col("side");
    let mut table = table(
        "request_bodies",
        vec![
            must("request_id", ColumnDef::big_integer),
            must("side", ColumnDef::text),
            must("encoding", ColumnDef::text),
            must("original_len", ColumnDef::big_integer),
            must("truncated", ColumnDef::boolean),
            must("bytes", ColumnDef::blob),
        ],
    );
    table.primary_key(&mut identity);
    table
}

/// With the id, so that what is found comes in the order of time; some also with the status, so that a search for a
/// rare one does not visit every row of a client.
fn requests_by(column: &'static str) -> IndexCreateStatement {
    Index::create()
        .name(format!("requests_{column}"))
        .table("requests")
        .col(column)
        .col("id")
        .to_owned()
}

/// Rows of successes are not in it: it costs them nothing.
fn requests_by_status() -> IndexCreateStatement {
    Index::create()
        .name("requests_status")
        .table("requests")
        .col("status")
        .col("id")
        .and_where(Expr::col("status").gte(400))
        .to_owned()
}
