//! Which of an owner's keys for a provider is used first. There is one at most, which an index guards as well.

use domain::{KeyId, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use super::row::{Column, Entity};
use crate::StoreError;
use crate::change::Change;

/// What came of selecting a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// There is no such key, or it is the shared pool's, where no key is selected.
    Impossible,
    /// It was selected already.
    Unchanged,
    /// It is selected now.
    Selected {
        /// The key that was selected until now.
        instead_of: Option<KeyId>,
    },
}

impl Change {
    /// Selects a key of an owner for its provider, in place of the one that was.
    pub async fn select_key(&self, id: KeyId) -> Result<Selection, StoreError> {
        let found: Option<(String, Option<i64>, bool)> = Entity::find_by_id(id.0)
            .select_only()
            .columns([Column::Provider, Column::OwnerId, Column::Selected])
            .into_tuple()
            .one(self.txn())
            .await?;
        let Some((provider, Some(owner), is_selected)) = found else {
            return Ok(Selection::Impossible);
        };
        if is_selected {
            return Ok(Selection::Unchanged);
        }
        let selected = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::OwnerId.eq(owner))
            .filter(Column::Provider.eq(provider))
            .filter(Column::Selected.eq(true));
        let selected: Option<i64> = selected.into_tuple().one(self.txn()).await?;
        let instead_of = selected.map(KeyId);
        if let Some(other) = instead_of {
            self.unselect_key(other).await?;
        }
        let select = Entity::update_many().col_expr(Column::Selected, Expr::value(true));
        select.filter(Column::Id.eq(id.0)).exec(self.txn()).await?;
        Ok(Selection::Selected { instead_of })
    }

    /// Makes a key its owner's selected one no longer; says whether it was.
    pub async fn unselect_key(&self, id: KeyId) -> Result<bool, StoreError> {
        let unselect = Entity::update_many()
            .col_expr(Column::Selected, Expr::value(false))
            .filter(Column::Id.eq(id.0))
            .filter(Column::Selected.eq(true));
        Ok(unselect.exec(self.txn()).await?.rows_affected > 0)
    }

    /// Selects the next of an owner's keys for a provider in order of creation after `gone`, which is deleted; the first
    /// where that was the last. Keys that are switched off are passed over. Gives it; none: there is no other.
    pub async fn select_next(
        &self,
        owner: UserId,
        provider: &str,
        gone: KeyId,
    ) -> Result<Option<KeyId>, StoreError> {
        let usable = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::OwnerId.eq(owner.0))
            .filter(Column::Provider.eq(provider))
            .filter(Column::DisabledBy.is_null())
            .order_by_asc(Column::Id);
        let later = usable.clone().filter(Column::Id.gt(gone.0));
        let mut next: Option<i64> = later.into_tuple().one(self.txn()).await?;
        if next.is_none() {
            next = usable.into_tuple().one(self.txn()).await?;
        }
        if let Some(id) = next {
            self.select_key(KeyId(id)).await?;
        }
        Ok(next.map(KeyId))
    }
}
