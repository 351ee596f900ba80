//! Operators make, change and delete client keys.

use std::collections::BTreeSet;

use domain::{Client, ClientDraft, ClientId, ClientLimits, Secret, UnixMs, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::{ActiveModel, Column, Entity, client, disabled_by, limits_to_json, row};
use crate::change::Change;
use crate::handle::Store;
use crate::{StoreError, client_days, users};

/// What to change of a client key; what is none stays as it is, and what is some none is taken away.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientPatch {
    /// The operator's name for it.
    pub name: Option<String>,
    /// False: off in an operator's name. True: on, whoever switched it off.
    pub enabled: Option<bool>,
    /// When it expires.
    pub expires_at: Option<Option<UnixMs>>,
    /// The user whom it belongs to.
    pub owner: Option<Option<UserId>>,
    /// All of its limits.
    pub limits: Option<ClientLimits>,
}

impl ClientPatch {
    fn columns(&self) -> Result<ActiveModel, StoreError> {
        let mut columns = <ActiveModel as Default>::default();
        if let Some(name) = &self.name {
            columns.name = Set(name.clone());
        }
        if let Some(enabled) = self.enabled {
            columns.disabled_by = Set(disabled_by(enabled));
        }
        if let Some(expires_at) = self.expires_at {
            columns.expires_at = Set(expires_at.map(|at| at.0));
        }
        if let Some(owner) = self.owner {
            columns.owner_id = Set(owner.map(|owner| owner.0));
        }
        if let Some(limits) = &self.limits {
            columns.limits = Set(limits_to_json(limits)?);
        }
        Ok(columns)
    }
}

impl Store {
    /// [`Change::create_client`] as a change of its own.
    pub async fn create_client(
        &self,
        draft: &ClientDraft,
        secret: &Secret,
        now: UnixMs,
    ) -> Result<Client, StoreError> {
        let change = self.change().await?;
        let made = change.create_client(draft, secret, now).await?;
        change.publish().await?;
        Ok(made)
    }
}

impl Change {
    /// Makes a client key. [`StoreError::Duplicate`] when its secret is taken, [`StoreError::NoSuchUser`] when its
    /// owner is none.
    pub async fn create_client(
        &self,
        draft: &ClientDraft,
        secret: &Secret,
        now: UnixMs,
    ) -> Result<Client, StoreError> {
        self.owner_must_exist(draft.owner).await?;
        let made = row(draft, secret, now)?.insert(self.txn()).await?;
        client(made)
    }

    /// Changes a client key and gives it as it is now; none: there is no such one.
    /// [`StoreError::NoSuchUser`] when its new owner is none.
    pub async fn update_client(
        &self,
        id: ClientId,
        patch: &ClientPatch,
    ) -> Result<Option<Client>, StoreError> {
        self.owner_must_exist(patch.owner.flatten()).await?;
        Entity::update_many()
            .set(patch.columns()?)
            .filter(Column::Id.eq(id.0))
            .exec(self.txn())
            .await?;
        let row = Entity::find_by_id(id.0).one(self.txn()).await?;
        row.map(client).transpose()
    }

    /// Deletes a client key and what is known of its use; says whether there was one.
    pub async fn delete_client(&self, id: ClientId) -> Result<bool, StoreError> {
        client_days::forget(self.txn(), id).await?;
        let deleted = Entity::delete_by_id(id.0).exec(self.txn()).await?;
        Ok(deleted.rows_affected > 0)
    }

    async fn owner_must_exist(&self, owner: Option<UserId>) -> Result<(), StoreError> {
        let owners: BTreeSet<UserId> = owner.into_iter().collect();
        users::must_exist(self.txn(), &owners).await
    }
}
