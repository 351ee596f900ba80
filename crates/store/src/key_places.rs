//! Instances that have folders of key files. Each raises its own counter every few seconds, so that others see that it
//! runs without comparing clocks. A key that only an instance which is gone had in its folder is nobody's any more:
//! what becomes of it is in `keys/files.rs`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ExprTrait as _, QuerySelect as _};

use crate::StoreError;
use crate::handle::Store;

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_places")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub beat: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Raises the counter of a place. Gives the counters of all places.
    pub async fn beat_place(&self, place: &str) -> Result<Vec<(String, i64)>, StoreError> {
        let first = ActiveModel {
            name: Set(place.to_owned()),
            beat: Set(1),
        };
        let raise = OnConflict::column(Column::Name)
            .value(Column::Beat, Expr::col((Entity, Column::Beat)).add(1))
            .to_owned();
        Entity::insert(first)
            .on_conflict(raise)
            .exec_without_returning(self.writer())
            .await?;
        let rows = Entity::find().all(self.reader()).await?;
        Ok(rows.into_iter().map(|row| (row.name, row.beat)).collect())
    }

    /// Forgets a place whose counter still stands there: it is gone.
    pub async fn forget_place(&self, place: &str, beat: i64) -> Result<(), StoreError> {
        Entity::delete_by_id(place)
            .filter(Column::Beat.eq(beat))
            .exec(self.writer())
            .await?;
        Ok(())
    }
}

/// The names of the places that are there.
pub(crate) async fn names(store: &Store) -> Result<Vec<String>, StoreError> {
    let names = Entity::find().select_only().column(Column::Name);
    Ok(names.into_tuple().all(store.reader()).await?)
}
