//! Users of the admin API. Passwords arrive hashed: nothing here hashes or compares them.
//! Here are their rows, and reading them; `edit.rs` makes, changes and deletes them. What they are logged in with
//! is in `sessions.rs` beside this folder.

mod edit;

use std::collections::BTreeSet;

use domain::{Role, Secret, UnixMs, User, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

pub use self::edit::{Owned, UserPatch};
use crate::StoreError;
use crate::batch::batches;
use crate::handle::Store;

/// One user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique.
    pub username: String,
    pub role: String,
    pub password_hash: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub enabled: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Whether there is an administrator who can log in.
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        let admin = enabled_admins().one(self.reader()).await?;
        Ok(admin.is_some())
    }

    /// Every user, in order of id. A row that cannot be read is left out, and logged as an error.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = Entity::find()
            .order_by_asc(Column::Id)
            .all(self.reader())
            .await?;
        let mut users = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            match user(row) {
                Ok(user) => users.push(user),
                Err(error) => tracing::error!(user = id, %error, "user left out"),
            }
        }
        Ok(users)
    }

    /// The user of that name.
    pub async fn user(&self, username: &str) -> Result<Option<User>, StoreError> {
        let found = Entity::find().filter(Column::Username.eq(username));
        let row = found.one(self.reader()).await?;
        row.map(user).transpose()
    }

    /// The user of that id.
    pub async fn user_by_id(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = Entity::find_by_id(id.0).one(self.reader()).await?;
        row.map(user).transpose()
    }
}

/// Those of whom one must be left.
fn enabled_admins() -> Select<Entity> {
    Entity::find()
        .filter(Column::Role.eq(Role::Admin.name()))
        .filter(Column::Enabled.eq(true))
}

/// Fails with [`StoreError::NoSuchUser`] unless all of them are there. Within a change they stay there to its end.
pub(crate) async fn must_exist<C: ConnectionTrait>(
    db: &C,
    users: &BTreeSet<UserId>,
) -> Result<(), StoreError> {
    let ids: Vec<i64> = users.iter().map(|user| user.0).collect();
    for batch in batches(&ids) {
        let found: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.is_in(batch.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        if let Some(missing) = batch.iter().find(|id| !found.contains(id)) {
            return Err(StoreError::NoSuchUser(UserId(*missing)));
        }
    }
    Ok(())
}

/// The user of a row.
pub(crate) fn user(row: Model) -> Result<User, StoreError> {
    let role = Role::from_name(&row.role);
    Ok(User {
        id: UserId(row.id),
        username: row.username,
        role: role.ok_or_else(|| StoreError::corrupt(format!("role `{}`", row.role)))?,
        enabled: row.enabled,
        password_hash: Secret::new(row.password_hash),
        created_at: UnixMs(row.created_at),
        updated_at: UnixMs(row.updated_at),
    })
}
