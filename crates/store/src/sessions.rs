//! Who is logged in. Of a session's token only the fingerprint is kept: what is in the database lets nobody in.
//! Sessions are no configuration: none of this raises the revision.

use domain::{Secret, UnixMs, User, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;

use crate::change::begin_write;
use crate::handle::Store;
use crate::{StoreError, users};

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    /// The token's fingerprint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token: Vec<u8>,
    pub user_id: i64,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Begins a session of a user as they were when their password was looked at. False: since then they were
    /// disabled, deleted or given another password, and there is no session.
    pub async fn create_session(
        &self,
        token: &Secret,
        user: &User,
        now: UnixMs,
        expires_at: UnixMs,
    ) -> Result<bool, StoreError> {
        let txn = begin_write(self).await?;
        let row = users::Entity::find_by_id(user.id.0).lock_exclusive();
        let row = row.one(&txn).await?;
        let is_unchanged = |row: &users::Model| {
            row.enabled && Secret::new(row.password_hash.as_str()) == user.password_hash
        };
        if !row.as_ref().is_some_and(is_unchanged) {
            return Ok(false);
        }
        let session = ActiveModel {
            token: Set(fingerprint(token)),
            user_id: Set(user.id.0),
            created_at: Set(now.0),
            expires_at: Set(expires_at.0),
        };
        Entity::insert(session).exec_without_returning(&txn).await?;
        txn.commit().await?;
        Ok(true)
    }

    /// Whose session it is, as they are now, and when it ends.
    /// None: there is no such session, it has expired, or they are disabled.
    pub async fn session(
        &self,
        token: &Secret,
        now: UnixMs,
    ) -> Result<Option<(User, UnixMs)>, StoreError> {
        let live = Entity::find_by_id(fingerprint(token)).filter(Column::ExpiresAt.gt(now.0));
        let Some(session) = live.one(self.reader()).await? else {
            return Ok(None);
        };
        let user = self.user_by_id(UserId(session.user_id)).await?;
        let user = user.filter(|user| user.enabled);
        Ok(user.map(|user| (user, UnixMs(session.expires_at))))
    }

    /// Ends a session; says whether there was one.
    pub async fn delete_session(&self, token: &Secret) -> Result<bool, StoreError> {
        let session = Entity::delete_by_id(fingerprint(token));
        Ok(session.exec(self.writer()).await?.rows_affected > 0)
    }

    /// Deletes the sessions that have expired; says how many.
    pub async fn delete_expired_sessions(&self, now: UnixMs) -> Result<u64, StoreError> {
        let expired = Entity::delete_many().filter(Column::ExpiresAt.lte(now.0));
        Ok(expired.exec(self.writer()).await?.rows_affected)
    }
}

/// Ends the sessions of a user, except the one that is kept.
pub(crate) async fn end<C: ConnectionTrait>(
    db: &C,
    user: UserId,
    kept: Option<&Secret>,
) -> Result<(), StoreError> {
    let mut sessions = Entity::delete_many().filter(Column::UserId.eq(user.0));
    if let Some(kept) = kept {
        sessions = sessions.filter(Column::Token.ne(fingerprint(kept)));
    }
    sessions.exec(db).await?;
    Ok(())
}

fn fingerprint(token: &Secret) -> Vec<u8> {
    token.fingerprint().0.to_vec()
}
