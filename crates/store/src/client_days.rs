//! What client keys have used, by day. Counted elsewhere and saved in the background; read once at start.

use std::collections::BTreeMap;

use domain::{ClientDay, ClientId, Nanodollars};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, OnConflict, Query};
use sea_orm::{Order, QueryOrder as _};

use crate::StoreError;
use crate::batch::insert_all;
use crate::change::begin_write;
use crate::handle::Store;

/// One client key's day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_days")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: i64,
    /// Days since 1970-01-01, in UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i32,
    pub requests: i64,
    pub tokens: i64,
    pub cost_nanos: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Writes days over those that are kept: all of them or, on an error, none. Of two for one day the last counts.
    pub async fn save_client_days(&self, days: &[ClientDay]) -> Result<(), StoreError> {
        if days.is_empty() {
            return Ok(());
        }
        // In their order: instances that save at once wait for each other instead of deadlocking.
        let days: BTreeMap<(ClientId, i32), &ClientDay> = days
            .iter()
            .map(|day| ((day.client, day.day), day))
            .collect();
        let rows: Vec<ActiveModel> = days.into_values().map(row).collect();
        let overwrite = OnConflict::columns([Column::ClientId, Column::Day])
            .update_columns([Column::Requests, Column::Tokens, Column::CostNanos])
            .to_owned();
        let txn = begin_write(self).await?;
        insert_all(&txn, &rows, &overwrite).await?;
        Ok(txn.commit().await?)
    }

    /// What was used on that day and later, in order of client key and day.
    pub async fn load_client_days(&self, since_day: i32) -> Result<Vec<ClientDay>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Day.gte(since_day))
            .order_by_asc(Column::ClientId)
            .order_by_asc(Column::Day)
            .all(self.reader())
            .await?;
        Ok(rows.iter().map(client_day).collect())
    }

    /// Deletes the oldest days before `day`, at most so many, so that writers wait only shortly; says how many.
    pub async fn delete_client_days_before(
        &self,
        day: i32,
        at_most: u64,
    ) -> Result<u64, StoreError> {
        let oldest = Query::select()
            .columns([Column::ClientId, Column::Day])
            .from(Entity)
            .and_where(Column::Day.lt(day))
            .order_by(Column::Day, Order::Asc)
            .limit(at_most)
            .to_owned();
        let identity = Expr::tuple([Expr::col(Column::ClientId), Expr::col(Column::Day)]);
        let delete = Entity::delete_many().filter(identity.in_subquery(oldest));
        Ok(delete.exec(self.writer()).await?.rows_affected)
    }
}

/// Deletes the days of a client key.
pub(crate) async fn forget<C: ConnectionTrait>(db: &C, client: ClientId) -> Result<(), StoreError> {
    let days = Entity::delete_many().filter(Column::ClientId.eq(client.0));
    days.exec(db).await?;
    Ok(())
}

fn row(day: &ClientDay) -> ActiveModel {
    ActiveModel {
        client_id: Set(day.client.0),
        day: Set(day.day),
        requests: Set(stored(day.requests)),
        tokens: Set(stored(day.tokens)),
        cost_nanos: Set(day.cost.0),
    }
}

/// The largest number of a column is far beyond what a day can count.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn client_day(row: &Model) -> ClientDay {
    ClientDay {
        client: ClientId(row.client_id),
        day: row.day,
        requests: u64::try_from(row.requests).unwrap_or(0),
        tokens: u64::try_from(row.tokens).unwrap_or(0),
        cost: Nanodollars(row.cost_nanos),
    }
}
