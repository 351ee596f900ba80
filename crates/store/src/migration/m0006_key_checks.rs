//! The last check of each key with each model, and when the next one is due. Columns are described in `key_checks.rs`.

use sea_orm::sea_query::{ColumnDef, Index, TableCreateStatement};
use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::columns::{maybe, must, table};

/// This step.
pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        "m0006_key_checks"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        manager.create_table(key_checks(backend)).await
    }
}

/// Without a foreign key: a check may end just after its key was deleted.
fn key_checks(backend: DbBackend) -> TableCreateStatement {
    let mut identity = Index::create();
    identity.col("key_id").col("model");
    let mut table = table(
        "key_checks",
        vec![
            must("key_id", ColumnDef::big_integer),
            must("model", ColumnDef::text),
            must("checked_at", ColumnDef::big_integer),
            must("next_at", ColumnDef::big_integer),
            maybe("status", ColumnDef::integer),
            must("class", ColumnDef::text),
            must("reason", ColumnDef::text),
            must("latency_ms", ColumnDef::big_integer),
        ],
    );
    table.primary_key(&mut identity);
    table.extra(match backend {
        DbBackend::Postgres => "WITH (fillfactor = 80)",
        _ => "WITHOUT ROWID",
    });
    table
}
