//! Transactions that write. A [`Change`] is one of what operators configure: keys, clients, users.
//! Changes follow one another, also among instances, and each raises the revision that others watch.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QuerySelect as _, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};

use crate::handle::Store;
use crate::{StoreError, meta};

/// A transaction over configuration, under the lock that makes changes follow one another.
/// Dropped unpublished, it leaves no trace.
pub(crate) struct Change {
    txn: DatabaseTransaction,
}

impl Change {
    /// Waits for its turn. The lock is the revision's row in PostgreSQL, the database's write lock in SQLite.
    pub(crate) async fn begin(store: &Store) -> Result<Self, StoreError> {
        let txn = begin_write(store).await?;
        meta::Entity::find_by_id(meta::REVISION)
            .lock_exclusive()
            .one(&txn)
            .await?;
        Ok(Self { txn })
    }

    /// Where the statements of the change go.
    pub(crate) fn txn(&self) -> &DatabaseTransaction {
        &self.txn
    }

    /// Commits, and raises the revision with it.
    pub(crate) async fn publish(self) -> Result<(), StoreError> {
        meta::Entity::update_many()
            .col_expr(meta::Column::Number, Expr::col(meta::Column::Number).add(1))
            .filter(meta::Column::Name.eq(meta::REVISION))
            .exec(&self.txn)
            .await?;
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
