//! Key files: which file states a key, and which instances have folders of them. Columns are described where they are
//! used, in `keys/row.rs` and `key_places.rs`.

use sea_orm::DbErr;
use sea_orm::sea_query::{ColumnDef, Table, TableAlterStatement, TableCreateStatement};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::columns::{maybe, must, table};

/// This step.
pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        "m0005_key_files"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["file", "place"] {
            manager.alter_table(key_column(column)).await?;
        }
        manager.create_table(places()).await
    }
}

/// SQLite adds one column a statement.
fn key_column(name: &'static str) -> TableAlterStatement {
    let mut keys = Table::alter();
    keys.table("keys").add_column(maybe(name, ColumnDef::text));
    keys
}

fn places() -> TableCreateStatement {
    let mut name = must("name", ColumnDef::text);
    name.primary_key();
    table(
        "key_places",
        vec![name, must("beat", ColumnDef::big_integer)],
    )
}
