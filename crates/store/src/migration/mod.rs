//! Brings the tables up to date, once, under a lock. One file per step, applied in the order of [`known`].
//!
//! Steps are backward compatible by one version: a program of the version before must go on working on the new
//! tables. So a step adds tables, nullable columns, columns with defaults and indexes; what is no longer used is
//! dropped one version later. Steps that were released are never edited.

mod columns;
mod m0001_first_tables;
mod m0002_people_and_money;
mod m0003_rollups_and_bodies;
mod m0004_who_banned;
mod m0005_key_files;
mod m0006_key_checks;
mod m0007_resources;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager};

use crate::StoreError;
use crate::change::begin_write;
use crate::handle::Store;

/// Any number will do, as long as it is the same in every version: `keymux` in ASCII.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_xact_lock(118083573085560)";

fn known() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m0001_first_tables::Step),
        Box::new(m0002_people_and_money::Step),
        Box::new(m0003_rollups_and_bodies::Step),
        Box::new(m0004_who_banned::Step),
        Box::new(m0005_key_files::Step),
        Box::new(m0006_key_checks::Step),
        Box::new(m0007_resources::Step),
    ]
}

/// Applies the steps that are missing. All or none: it is one transaction, whose lock others wait for.
pub(crate) async fn migrate(store: &Store) -> Result<(), StoreError> {
    let txn = begin_write(store).await?;
    if store.backend() == DbBackend::Postgres {
        txn.execute_unprepared(ADVISORY_LOCK).await?;
    }
    let steps = Steps::of(&txn).await?;
    if !steps.get_pending_migrations(&txn).await?.is_empty() {
        steps.up(&txn, None).await?;
    }
    Ok(txn.commit().await?)
}

/// The known steps, and the names of those that a newer version has applied.
#[derive(Default)]
struct Steps {
    newer: Vec<String>,
}

impl Steps {
    async fn of(txn: &DatabaseTransaction) -> Result<Self, DbErr> {
        let applied = Self::default().get_migration_models(txn).await?;
        let known = known();
        let is_newer = |name: &String| known.iter().all(|step| step.name() != name);
        let names = applied.into_iter().map(|row| row.version);
        Ok(Self {
            newer: names.filter(is_newer).collect(),
        })
    }
}

impl MigratorTraitSelf for Steps {
    /// Newer steps stand in the list because an applied step that is missing from it counts as an error.
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let newer = self.newer.iter().cloned().map(Newer);
        let newer = newer.map(|step| -> Box<dyn MigrationTrait> { Box::new(step) });
        known().into_iter().chain(newer).collect()
    }
}

/// A step of a newer version, which is applied already.
struct Newer(String);

impl MigrationName for Newer {
    fn name(&self) -> &str {
        &self.0
    }
}

#[async_trait]
impl MigrationTrait for Newer {
    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
