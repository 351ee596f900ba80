//! Provider keys. Here they are read; the row is in `row.rs`, what operators do in `add.rs`, `edit.rs` and `select.rs`,
//! what sources state in `sync.rs`, and key files in `files.rs`. States are in `key_states.rs` beside this folder.

mod add;
mod edit;
mod files;
pub(crate) mod row;
mod select;
mod sync;

use domain::{Key, KeyId, KeyState, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

pub use self::add::KeyAdd;
pub use self::edit::KeyPatch;
pub use self::files::{FileKey, FileKeys, FileSync};
pub(crate) use self::row::read_fingerprint;
use self::row::{Column, Entity, Providers, ROWS, Row, key};
pub use self::select::Selection;
use crate::handle::Store;
use crate::page::each_row;
use crate::{StoreError, key_states, meta};

/// A key with what is remembered of it.
type KnownKey = (Key, KeyState);

/// The table of keys, as far as it can be read.
#[derive(Default)]
struct ReadKeys {
    keys: Vec<KnownKey>,
    /// By row.
    unreadable: Vec<(i64, StoreError)>,
}

impl Store {
    /// Every key with its state, in order of id. A row that cannot be read is left out, and logged as an error.
    ///
    /// Fails with [`StoreError::WrongMasterKey`] after a rotation whose new key is not to be had here: better the
    /// keys that the caller has than none.
    pub async fn load_keys(&self) -> Result<Vec<(Key, KeyState)>, StoreError> {
        let mut read = self.read_keys().await?;
        if read.unreadable.iter().any(|(_, error)| is_foreign(error)) {
            self.look_for_a_new_master_key().await?;
            read = self.read_keys().await?;
        }
        for (id, error) in read.unreadable {
            tracing::error!(key = id, %error, "key left out");
        }
        Ok(read.keys)
    }

    /// Those of these keys that are there, each with its state, in order of id.
    pub async fn keys_by_id(&self, ids: &[KeyId]) -> Result<Vec<(Key, KeyState)>, StoreError> {
        match self.read_keys_by_id(ids).await {
            Err(error) if is_foreign(&error) => {
                self.look_for_a_new_master_key().await?;
                self.read_keys_by_id(ids).await
            }
            read => read,
        }
    }

    /// One key.
    pub async fn key(&self, id: KeyId) -> Result<Option<Key>, StoreError> {
        match self.read_key(id).await {
            Err(error) if is_foreign(&error) => {
                self.look_for_a_new_master_key().await?;
                self.read_key(id).await
            }
            read => read,
        }
    }

    /// Whether any key of that project is here, in use or not: of one that is named, and is its owner's or the shared pool's;
    /// or of one that consists of a key, see [`Key::project_name`].
    pub async fn has_project(
        &self,
        provider: &str,
        owner: Option<UserId>,
        name: &str,
    ) -> Result<bool, StoreError> {
        let is_owners = match owner {
            Some(owner) => Column::OwnerId.eq(owner.0),
            None => Column::OwnerId.is_null(),
        };
        let is_named = Condition::all()
            .add(Column::Project.eq(name))
            .add(is_owners);
        let own = Key::of_own_project(name);
        let is_in = Condition::any()
            .add(is_named)
            .add_option(own.map(|key| Column::Id.eq(key.0)));
        let ids = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Provider.eq(provider))
            .filter(is_in)
            .into_tuple::<i64>();
        Ok(ids.one(self.reader()).await?.is_some())
    }

    async fn read_keys(&self) -> Result<ReadKeys, StoreError> {
        let mut states = key_states::load(self).await?;
        let mut providers = Providers::default();
        let ring = self.master_keys().ring();
        let mut read = ReadKeys::default();
        let take = |row: Row| {
            let id = row.0;
            match key(row.into(), &mut providers, &ring) {
                Ok(key) => {
                    let state = states.remove(&id).unwrap_or_default();
                    read.keys.push((key, state));
                }
                Err(error) => read.unreadable.push((id, error)),
            }
            Ok(())
        };
        each_row(self, ROWS, |row| row.0, take).await?;
        Ok(read)
    }

    async fn read_keys_by_id(&self, ids: &[KeyId]) -> Result<Vec<KnownKey>, StoreError> {
        let mut states = key_states::load_of(self, ids).await?;
        let mut providers = Providers::default();
        let ring = self.master_keys().ring();
        let mut keys = Vec::with_capacity(ids.len());
        let rows = Entity::find().filter(Column::Id.is_in(ids.iter().map(|id| id.0)));
        for row in rows.order_by_asc(Column::Id).all(self.reader()).await? {
            let id = row.id;
            let key = key(row, &mut providers, &ring)?;
            keys.push((key, states.remove(&id).unwrap_or_default()));
        }
        Ok(keys)
    }

    async fn read_key(&self, id: KeyId) -> Result<Option<Key>, StoreError> {
        let row = Entity::find_by_id(id.0).one(self.reader()).await?;
        let ring = self.master_keys().ring();
        let read = |row| key(row, &mut Providers::default(), &ring);
        row.map(read).transpose()
    }

    /// The canary goes over to a new key before any row: asking for its key makes the store look for that, or fail
    /// without it.
    async fn look_for_a_new_master_key(&self) -> Result<(), StoreError> {
        let current = meta::current_cipher(self.reader(), self.master_keys()).await;
        current.map(drop)
    }
}

/// Whether a value is under a key that is not known: a rotation may have brought it.
fn is_foreign(error: &StoreError) -> bool {
    matches!(error, StoreError::WrongMasterKey)
}

/// The keys of a user.
pub(crate) fn owned_by(owner: UserId) -> Select<Entity> {
    Entity::find().filter(Column::OwnerId.eq(owner.0))
}
