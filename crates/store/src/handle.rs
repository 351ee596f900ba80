//! The handle on the database: opening it, its connections and its cipher.
//! What can be asked of it is in the files of the entities: `keys.rs`, `clients.rs`, `records.rs` and so on.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbBackend};

use crate::connect::{Connections, connect};
use crate::records::Statements;
use crate::seal::Cipher;
use crate::{MasterKey, StoreError, meta, migration};

/// The store. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connections: Connections,
    cipher: Cipher,
    statements: Statements,
}

impl Store {
    /// Opens `sqlite:PATH` (folder and file are made when missing) or `postgres://…`, and brings its tables up to date.
    ///
    /// Fails with [`StoreError::WrongMasterKey`] when the database was made under another key.
    /// The master key itself is not kept beyond the cipher.
    pub async fn open(url: &str, master: MasterKey) -> Result<Self, StoreError> {
        let connections = connect(url).await?;
        let statements = Statements::new(connections.writer.get_database_backend());
        let store = Self(Arc::new(Inner {
            connections,
            cipher: Cipher::new(&master),
            statements,
        }));
        drop(master);
        migration::migrate(&store).await?;
        meta::check_canary(store.writer(), store.cipher()).await?;
        Ok(store)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.revision().await.map(drop)
    }

    /// Closes the connections of every clone, once what is under way has ended.
    pub async fn close(self) -> Result<(), StoreError> {
        self.reader().close_by_ref().await?;
        self.writer().close_by_ref().await?;
        Ok(())
    }

    /// Connections to read by; in SQLite they cannot write.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.0.connections.reader
    }

    /// Connections to write by; in SQLite it is one.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.0.connections.writer
    }

    pub(crate) fn cipher(&self) -> &Cipher {
        &self.0.cipher
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.0.statements
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.writer().get_database_backend()
    }
}
