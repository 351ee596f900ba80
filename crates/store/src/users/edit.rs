//! Administrators make, change and delete users. One administrator who can log in is always left.

use domain::{ClientId, KeyId, Role, Secret, UnixMs, User, UserId};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::PaginatorTrait as _;
use sea_orm::entity::prelude::*;

use super::{ActiveModel, Column, Entity, Model, enabled_admins, user};
use crate::change::Change;
use crate::handle::Store;
use crate::{StoreError, clients, keys, sessions};

/// What to change of a user; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// The name to log in by.
    pub username: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// False: cannot log in, and all of their sessions end.
    pub enabled: Option<bool>,
    /// The hash of a new password, which ends their sessions.
    pub password_hash: Option<Secret>,
    /// The token of the session that a new password does not end: that of the user who sets it.
    pub kept_session: Option<Secret>,
}

/// What belonged to a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    /// Keys of providers.
    pub keys: Vec<KeyId>,
    /// Client keys.
    pub clients: Vec<ClientId>,
}

impl UserPatch {
    fn apply_to(&self, row: Model, now: UnixMs) -> Model {
        let hash = self.password_hash.as_ref();
        Model {
            username: self.username.clone().unwrap_or(row.username),
            role: self.role.map_or(row.role, |role| role.name().to_owned()),
            enabled: self.enabled.unwrap_or(row.enabled),
            password_hash: hash.map_or(row.password_hash, |hash| hash.expose().to_owned()),
            updated_at: now.0,
            ..row
        }
    }
}

impl Store {
    /// Sets role and password hash of a user, who can log in with it then and only so; makes them if there is none
    /// of that name. It is how the configuration, or a first start, sees to it that somebody can log in.
    pub async fn set_password(
        &self,
        username: &str,
        role: Role,
        password_hash: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let change = self.change().await?;
        let named = Entity::find().filter(Column::Username.eq(username));
        if let Some(row) = named.one(change.txn()).await? {
            let patch = UserPatch {
                role: Some(role),
                enabled: Some(true),
                password_hash: Some(Secret::new(password_hash)),
                ..UserPatch::default()
            };
            change.update_user(UserId(row.id), &patch, now).await?;
        } else {
            change
                .create_user(username, role, password_hash, now)
                .await?;
        }
        change.publish().await?;
        Ok(())
    }
}

impl Change {
    /// Makes a user who is enabled; [`StoreError::Duplicate`] when the name is taken.
    pub async fn create_user(
        &self,
        username: &str,
        role: Role,
        password_hash: &str,
        now: UnixMs,
    ) -> Result<User, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            username: Set(username.to_owned()),
            role: Set(role.name().to_owned()),
            password_hash: Set(password_hash.to_owned()),
            created_at: Set(now.0),
            updated_at: Set(now.0),
            enabled: Set(true),
        };
        user(row.insert(self.txn()).await?)
    }

    /// Changes a user and gives them as they are now; none: there is no such one.
    /// [`StoreError::Duplicate`] when the name is taken, [`StoreError::LastAdmin`] when nobody else could administer.
    pub async fn update_user(
        &self,
        id: UserId,
        patch: &UserPatch,
        now: UnixMs,
    ) -> Result<Option<User>, StoreError> {
        let Some(before) = Entity::find_by_id(id.0).one(self.txn()).await? else {
            return Ok(None);
        };
        let after = patch.apply_to(before.clone(), now);
        if is_enabled_admin(&before) && !is_enabled_admin(&after) {
            self.another_admin_must_be_left(id).await?;
        }
        let row = ActiveModel::from(after.clone()).reset_all();
        row.update(self.txn()).await?;
        if !after.enabled {
            sessions::end(self.txn(), id, None).await?;
        } else if patch.password_hash.is_some() {
            sessions::end(self.txn(), id, patch.kept_session.as_ref()).await?;
        }
        user(after).map(Some)
    }

    /// Deletes a user with their sessions; says whether there was one. [`StoreError::InUse`] while keys or client keys
    /// are theirs, [`StoreError::LastAdmin`] when nobody else could administer.
    pub async fn delete_user(&self, id: UserId) -> Result<bool, StoreError> {
        let Some(row) = Entity::find_by_id(id.0).one(self.txn()).await? else {
            return Ok(false);
        };
        if is_enabled_admin(&row) {
            self.another_admin_must_be_left(id).await?;
        }
        let keys = keys::owned_by(id).count(self.txn()).await?;
        let clients = clients::owned_by(id).count(self.txn()).await?;
        if keys + clients > 0 {
            return Err(StoreError::InUse { keys, clients });
        }
        sessions::end(self.txn(), id, None).await?;
        row.delete(self.txn()).await?;
        Ok(true)
    }

    /// Deletes the keys and the client keys of a user, so that the user can be deleted.
    pub async fn delete_owned(&self, owner: UserId) -> Result<Owned, StoreError> {
        let own = keys::owned_by(owner).all(self.txn()).await?;
        let keys: Vec<KeyId> = own.iter().map(|row| KeyId(row.id)).collect();
        self.delete_keys(&keys).await?;
        let own = clients::owned_by(owner).all(self.txn()).await?;
        let clients: Vec<ClientId> = own.iter().map(|row| ClientId(row.id)).collect();
        for &client in &clients {
            self.delete_client(client).await?;
        }
        Ok(Owned { keys, clients })
    }

    async fn another_admin_must_be_left(&self, leaving: UserId) -> Result<(), StoreError> {
        let others = enabled_admins().filter(Column::Id.ne(leaving.0));
        match others.one(self.txn()).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::LastAdmin),
        }
    }
}

fn is_enabled_admin(row: &Model) -> bool {
    row.enabled && row.role == Role::Admin.name()
}
