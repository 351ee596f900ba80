//! Who banned an address, and for how many requests. The columns are described in `bans.rs`.

use sea_orm::DbErr;
use sea_orm::sea_query::{ColumnDef, Table};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::columns::maybe;

/// This step.
pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        "m0004_who_banned"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            maybe("created_by", ColumnDef::text),
            maybe("requests", ColumnDef::big_integer),
        ] {
            let mut table = Table::alter();
            manager
                .alter_table(table.table("bans").add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
