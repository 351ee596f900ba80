//! Prices of models that an operator has set. Those that keymux knows by itself are elsewhere.

use domain::{Price, UnixMs};
use sea_orm::ActiveValue::Set;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::StoreError;
use crate::change::Change;
use crate::handle::Store;

/// The price of one model.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prices")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: String,
    /// `Price` as JSON.
    pub price: String,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Every price by provider and model, in their order.
    /// One that cannot be read is left out, and logged as an error.
    pub async fn load_prices(&self) -> Result<Vec<(String, String, Price)>, StoreError> {
        let rows = Entity::find()
            .order_by_asc(Column::Provider)
            .order_by_asc(Column::Model)
            .all(self.reader())
            .await?;
        let mut prices = Vec::with_capacity(rows.len());
        for Model {
            provider,
            model,
            price,
            ..
        } in rows
        {
            match serde_json::from_str(&price) {
                Ok(price) => prices.push((provider, model, price)),
                Err(error) => tracing::error!(provider, model, %error, "price left out"),
            }
        }
        Ok(prices)
    }
}

impl Change {
    /// Sets the price of a model, over the one that it had.
    pub async fn put_price(
        &self,
        provider: &str,
        model: &str,
        price: &Price,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let price = serde_json::to_string(price)
            .map_err(|error| StoreError::corrupt(format!("prices.price: {error}")))?;
        let row = ActiveModel {
            provider: Set(provider.to_owned()),
            model: Set(model.to_owned()),
            price: Set(price),
            updated_at: Set(now.0),
        };
        let overwrite = OnConflict::columns([Column::Provider, Column::Model])
            .update_columns([Column::Price, Column::UpdatedAt])
            .to_owned();
        Entity::insert(row)
            .on_conflict(overwrite)
            .exec_without_returning(self.txn())
            .await?;
        Ok(())
    }

    /// Forgets the price of a model; says whether it had one.
    pub async fn delete_price(&self, provider: &str, model: &str) -> Result<bool, StoreError> {
        let row = Entity::delete_by_id((provider.to_owned(), model.to_owned()));
        Ok(row.exec(self.txn()).await?.rows_affected > 0)
    }
}
