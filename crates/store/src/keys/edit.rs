//! Operators change and delete keys, one or thousands at once.

use std::collections::{BTreeMap, BTreeSet};

use domain::{KeyId, KeySource, Secret};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{ExprTrait as _, QuerySelect as _};

use super::row::{ActiveModel, Column, Entity, seal_egress, stored_weight};
use crate::batch::batches;
use crate::change::Change;
use crate::names::{DisabledBy, Word as _};
use crate::{StoreError, key_checks, key_states, pair_states};

/// What to change of a key; what is none stays as it is, and what is some none is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPatch {
    /// The operator's name for it.
    pub label: Option<Option<String>>,
    /// The provider-side account that its quota belongs to.
    pub project: Option<Option<String>>,
    /// Its share relative to its peers.
    pub weight: Option<u16>,
    /// Lower values are used first.
    pub priority: Option<i16>,
    /// A proxy URL of its own.
    pub egress: Option<Option<Secret>>,
    /// False: off in an operator's name, so that no source switches it on again. True: on, whoever switched it off; one
    /// that no source states any more is the operator's from then on.
    pub enabled: Option<bool>,
}

impl KeyPatch {
    /// The columns that are the same for every row, which a proxy URL is not: it is sealed for its row.
    fn columns(&self) -> ActiveModel {
        let mut columns = <ActiveModel as Default>::default();
        if let Some(label) = &self.label {
            columns.label = Set(label.clone());
        }
        if let Some(project) = &self.project {
            columns.project = Set(project.clone());
        }
        if let Some(weight) = self.weight {
            columns.weight = Set(stored_weight(weight));
        }
        if let Some(priority) = self.priority {
            columns.priority = Set(priority);
        }
        if let Some(None) = &self.egress {
            columns.egress = Set(None);
        }
        if let Some(enabled) = self.enabled {
            let off = (!enabled).then(|| DisabledBy::Operator.word().to_owned());
            columns.disabled_by = Set(off);
        }
        columns
    }
}

/// What a row's sealed values are bound to, after its id.
type RowPlace = (i64, String, Vec<u8>);

impl Change {
    /// Changes keys; says how many of them there were.
    pub async fn update_keys(&self, keys: &[KeyId], patch: &KeyPatch) -> Result<u64, StoreError> {
        let columns = patch.columns();
        let mut updated = 0;
        for batch in batches(&sorted(keys)) {
            if patch.enabled == Some(true) {
                self.adopt(batch).await?;
            }
            let update = Entity::update_many().set(columns.clone());
            let update = update.filter(Column::Id.is_in(batch.iter().copied()));
            update.exec(self.txn()).await?;
            let rows = self.places(batch).await?;
            if let Some(Some(url)) = &patch.egress {
                self.set_egress(&rows, url).await?;
            }
            updated += rows.len() as u64;
        }
        Ok(updated)
    }

    /// What no source states any more becomes an operator's own, or the next statement would switch it off again.
    async fn adopt(&self, ids: &[i64]) -> Result<(), StoreError> {
        let none: Option<String> = None;
        let is_of_no_file = Column::Source
            .eq(KeySource::File.word())
            .and(Column::File.is_null());
        let is_let_go = Column::DisabledBy.eq(DisabledBy::Source.word());
        Entity::update_many()
            .col_expr(Column::Source, Expr::value(KeySource::Admin.word()))
            .col_expr(Column::Place, Expr::value(none))
            .filter(Column::Id.is_in(ids.iter().copied()))
            .filter(is_let_go.or(is_of_no_file))
            .exec(self.txn())
            .await?;
        Ok(())
    }

    async fn set_egress(&self, rows: &[RowPlace], url: &Secret) -> Result<(), StoreError> {
        for (id, provider, fingerprint) in rows {
            let sealed = seal_egress(url, provider, fingerprint, &*self.cipher().await?)?;
            Entity::update_many()
                .col_expr(Column::Egress, Expr::value(sealed))
                .filter(Column::Id.eq(*id))
                .exec(self.txn())
                .await?;
        }
        Ok(())
    }

    /// Deletes keys with all that is remembered of them; says how many there were.
    pub async fn delete_keys(&self, keys: &[KeyId]) -> Result<u64, StoreError> {
        let mut deleted = 0;
        let mut projects: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for batch in batches(&sorted(keys)) {
            for (id, provider, _) in self.places(batch).await? {
                let own = projects.entry(provider).or_default();
                own.push(pair_states::project_of(KeyId(id)));
            }
            let rows = Entity::delete_many().filter(Column::Id.is_in(batch.iter().copied()));
            deleted += rows.exec(self.txn()).await?.rows_affected;
            key_states::forget(self.txn(), batch).await?;
            key_checks::forget(self.txn(), batch).await?;
        }
        for (provider, projects) in projects {
            pair_states::forget(self.txn(), &provider, &projects).await?;
        }
        Ok(deleted)
    }

    async fn places(&self, ids: &[i64]) -> Result<Vec<RowPlace>, StoreError> {
        let rows = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Provider, Column::Fingerprint])
            .filter(Column::Id.is_in(ids.iter().copied()))
            .into_tuple();
        Ok(rows.all(self.txn()).await?)
    }
}

/// Each id once.
fn sorted(keys: &[KeyId]) -> Vec<i64> {
    let ids: BTreeSet<i64> = keys.iter().map(|key| key.0).collect();
    ids.into_iter().collect()
}
