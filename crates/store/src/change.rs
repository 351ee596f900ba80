//! Transactions that write. A [`Change`] is one of what operators configure: keys, clients, users, settings, prices,
//! bans. Its verbs are in the files of the entities; the activity line that tells of it goes into the same
//! transaction. Changes follow one another, also among instances, and each that is published raises
//! the revision that others watch.

use std::sync::{Arc, OnceLock};

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QuerySelect as _, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};

use crate::handle::Store;
use crate::seal::Cipher;
use crate::{StoreError, meta};

/// A change of configuration: verbs one after another, then [`Change::publish`].
///
/// It happens as a whole or not at all: dropped unpublished, it leaves no trace, and after an error of one of its
/// verbs it can only be dropped. While it is open every other writer waits, so it must be short; what is read by the
/// store meanwhile is what holds before it. With SQLite, a verb of [`Store`] that writes would wait for it in vain.
#[derive(Debug)]
pub struct Change {
    /// The one that it becomes.
    revision: i64,
    txn: DatabaseTransaction,
    store: Store,
    /// Of the database's current master key, which stays that while the change is open; asked for when something is
    /// sealed.
    cipher: OnceLock<Arc<Cipher>>,
}

impl Store {
    /// Begins a change, once those before it have ended.
    /// The lock is the revision's row in PostgreSQL, the database's write lock in SQLite.
    pub async fn change(&self) -> Result<Change, StoreError> {
        let txn = begin_write(self).await?;
        let row = meta::Entity::find_by_id(meta::REVISION)
            .lock_exclusive()
            .one(&txn)
            .await?;
        let row = row.ok_or_else(|| StoreError::corrupt("meta has no revision"))?;
        Ok(Change {
            revision: row.number + 1,
            txn,
            store: self.clone(),
            cipher: OnceLock::new(),
        })
    }
}

impl Change {
    /// Commits, and raises the revision with it. Gives the new one.
    pub async fn publish(self) -> Result<i64, StoreError> {
        meta::Entity::update_many()
            .col_expr(meta::Column::Number, Expr::col(meta::Column::Number).add(1))
            .filter(meta::Column::Name.eq(meta::REVISION))
            .exec(&self.txn)
            .await?;
        self.txn.commit().await?;
        Ok(self.revision)
    }

    /// The store that it changes, to read by.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Where the statements of the change go.
    pub(crate) fn txn(&self) -> &DatabaseTransaction {
        &self.txn
    }

    /// What to seal with. Only a change may seal: the master key cannot be retired before its end.
    /// [`StoreError::WrongMasterKey`] when the database's current one is not to be had here.
    pub(crate) async fn cipher(&self) -> Result<Arc<Cipher>, StoreError> {
        if let Some(cipher) = self.cipher.get() {
            return Ok(Arc::clone(cipher));
        }
        let current = meta::current_cipher(&self.txn, self.store.master_keys()).await?;
        Ok(Arc::clone(self.cipher.get_or_init(|| current)))
    }

    /// Commits without raising the revision: what was changed need not be read again by anybody.
    pub(crate) async fn keep(self) -> Result<(), StoreError> {
        Ok(self.txn.commit().await?)
    }
}

/// A write transaction. SQLite's takes the write lock at once: one that reads first and writes later
/// would fail, not wait, when another process wrote in between.
pub(crate) async fn begin_write(store: &Store) -> Result<DatabaseTransaction, StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(store.writer().begin_with_options(options).await?)
}
