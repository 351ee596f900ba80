//! Who has which resource of a provider's. Columns are described in `resources.rs`.

use sea_orm::DbErr;
use sea_orm::sea_query::{ColumnDef, Index};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::columns::{maybe, must, table};

/// This step.
pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        "m0007_resources"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut identity = Index::create();
        identity.col("provider").col("name");
        let mut resources = table(
            "resources",
            vec![
                must("provider", ColumnDef::text),
                must("name", ColumnDef::text),
                must("collection", ColumnDef::text),
                must("project", ColumnDef::text),
                maybe("client_id", ColumnDef::big_integer),
                maybe("owner_id", ColumnDef::big_integer),
                must("created_at", ColumnDef::big_integer),
                maybe("expires_at", ColumnDef::big_integer),
            ],
        );
        resources.primary_key(&mut identity);
        manager.create_table(resources).await?;
        for (name, columns) in [
            ("resources_by_expiry", &["expires_at"][..]),
            (
                "resources_by_client",
                &["client_id", "collection", "created_at"],
            ),
            (
                "resources_by_owner",
                &["owner_id", "collection", "created_at"],
            ),
            ("resources_by_age", &["created_at"]),
        ] {
            let mut index = Index::create();
            index.name(name).table("resources");
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
