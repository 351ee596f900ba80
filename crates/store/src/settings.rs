//! Settings that were changed while running, by name. What they mean, and which values are right, others know.

use std::collections::BTreeMap;

use domain::UnixMs;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use serde_json::Value;

use crate::StoreError;
use crate::change::Change;
use crate::handle::Store;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settings")]
pub(crate) struct Model {
    /// For example `retry.max_attempts`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// JSON.
    pub value: String,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Every setting that has a value of its own. One that cannot be read is left out, and logged as an error.
    pub async fn load_settings(&self) -> Result<BTreeMap<String, Value>, StoreError> {
        load(self.reader()).await
    }
}

async fn load<C: ConnectionTrait>(db: &C) -> Result<BTreeMap<String, Value>, StoreError> {
    let mut settings = BTreeMap::new();
    for row in Entity::find().all(db).await? {
        match serde_json::from_str(&row.value) {
            Ok(value) => drop(settings.insert(row.name, value)),
            Err(error) => tracing::error!(setting = row.name, %error, "setting left out"),
        }
    }
    Ok(settings)
}

impl Change {
    /// Every setting as it will be when the change is published.
    pub async fn settings(&self) -> Result<BTreeMap<String, Value>, StoreError> {
        load(self.txn()).await
    }

    /// Gives settings their values; none returns one to its default. Others stay as they are.
    pub async fn put_settings(
        &self,
        settings: &BTreeMap<String, Option<Value>>,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let overwrite = OnConflict::column(Column::Name)
            .update_columns([Column::Value, Column::UpdatedAt])
            .to_owned();
        for (name, value) in settings {
            let Some(value) = value else {
                Entity::delete_by_id(name).exec(self.txn()).await?;
                continue;
            };
            let row = ActiveModel {
                name: Set(name.clone()),
                value: Set(value.to_string()),
                updated_at: Set(now.0),
            };
            Entity::insert(row)
                .on_conflict(overwrite.clone())
                .exec_without_returning(self.txn())
                .await?;
        }
        Ok(())
    }
}
