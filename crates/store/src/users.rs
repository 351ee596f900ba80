//! Users of the admin API. Passwords arrive hashed: nothing here hashes or compares them.

use domain::{Secret, UnixMs};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set};

use crate::StoreError;
use crate::change::Change;
use crate::handle::Store;

/// The role that may do everything.
const ADMIN: &str = "admin";

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
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A user of the admin API.
#[derive(Clone, Debug)]
pub struct User {
    /// The row.
    pub id: i64,
    /// The name to log in by.
    pub username: String,
    /// `admin` or `member`.
    pub role: String,
    /// The hash of the password, with its parameters and salt, as [`Store::set_password`] was given it.
    pub password_hash: Secret,
    /// When the user was made.
    pub created_at: UnixMs,
    /// When role or password were last set.
    pub updated_at: UnixMs,
}

impl Store {
    /// Whether there is a user of role `admin`.
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        let admin = Entity::find().filter(Column::Role.eq(ADMIN));
        Ok(admin.one(self.reader()).await?.is_some())
    }

    /// Sets role and password hash of a user, who is made if there is none of that name.
    pub async fn set_password(
        &self,
        username: &str,
        role: &str,
        password_hash: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let row = ActiveModel {
            id: NotSet,
            username: Set(username.to_owned()),
            role: Set(role.to_owned()),
            password_hash: Set(password_hash.to_owned()),
            created_at: Set(now.0),
            updated_at: Set(now.0),
        };
        let overwrite = OnConflict::column(Column::Username)
            .update_columns([Column::Role, Column::PasswordHash, Column::UpdatedAt])
            .to_owned();
        let change = Change::begin(self).await?;
        Entity::insert(row)
            .on_conflict(overwrite)
            .exec_without_returning(change.txn())
            .await?;
        change.publish().await
    }

    /// The user of that name.
    pub async fn user(&self, username: &str) -> Result<Option<User>, StoreError> {
        let found = Entity::find().filter(Column::Username.eq(username));
        Ok(found.one(self.reader()).await?.map(User::from))
    }
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            username: row.username,
            role: row.role,
            password_hash: Secret::new(row.password_hash),
            created_at: UnixMs(row.created_at),
            updated_at: UnixMs(row.updated_at),
        }
    }
}
