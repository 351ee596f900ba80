//! Addresses that are shut out. Whom to ban is decided elsewhere; here bans are kept.

use domain::{Ban, UnixMs};
use sea_orm::ActiveValue::Set;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::StoreError;
use crate::change::Change;
use crate::handle::Store;

/// One ban.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bans")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: String,
    pub reason: String,
    pub created_at: i64,
    /// Null: until it is lifted.
    pub until: Option<i64>,
    /// Null: it is not known.
    pub created_by: Option<String>,
    /// Null: it was not for a number of them.
    pub requests: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Every ban that is kept, in order of address; some may be over.
    pub async fn load_bans(&self) -> Result<Vec<Ban>, StoreError> {
        let rows = Entity::find().order_by_asc(Column::Address);
        let rows = rows.all(self.reader()).await?;
        Ok(rows.into_iter().map(ban).collect())
    }
}

impl Change {
    /// Bans an address, in place of a ban that it has.
    pub async fn ban(&self, ban: &Ban) -> Result<(), StoreError> {
        let row = ActiveModel {
            address: Set(ban.address.clone()),
            reason: Set(ban.reason.clone()),
            created_at: Set(ban.created_at.0),
            until: Set(ban.until.map(|until| until.0)),
            created_by: Set(ban.created_by.clone()),
            requests: Set(ban.requests.map(|requests| requests as i64)),
        };
        let overwrite = OnConflict::column(Column::Address)
            .update_columns([
                Column::Reason,
                Column::CreatedAt,
                Column::Until,
                Column::CreatedBy,
                Column::Requests,
            ])
            .to_owned();
        Entity::insert(row)
            .on_conflict(overwrite)
            .exec_without_returning(self.txn())
            .await?;
        Ok(())
    }

    /// The ban that an address has; it may be over.
    pub async fn ban_of(&self, address: &str) -> Result<Option<Ban>, StoreError> {
        let row = Entity::find_by_id(address).one(self.txn()).await?;
        Ok(row.map(ban))
    }

    /// Lifts the ban of an address; says whether there was one.
    pub async fn lift_ban(&self, address: &str) -> Result<bool, StoreError> {
        let row = Entity::delete_by_id(address);
        Ok(row.exec(self.txn()).await?.rows_affected > 0)
    }

    /// Deletes the bans that are over; says how many. Where there was none, there is nothing to publish.
    pub async fn delete_expired_bans(&self, now: UnixMs) -> Result<u64, StoreError> {
        let expired = Entity::delete_many().filter(Column::Until.lte(now.0));
        Ok(expired.exec(self.txn()).await?.rows_affected)
    }
}

fn ban(row: Model) -> Ban {
    Ban {
        address: row.address,
        reason: row.reason,
        created_at: UnixMs(row.created_at),
        until: row.until.map(UnixMs),
        created_by: row.created_by,
        requests: row.requests.and_then(|requests| requests.try_into().ok()),
    }
}
