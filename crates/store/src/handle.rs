//! The handle on the database: opening it, its connections and its master keys.
//! What can be asked of it is in the files of the entities: `keys/`, `clients/`, `records/` and so on.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbBackend};

use crate::connect::{Connections, connect};
use crate::rollups::ModelNames;
use crate::statements::Statements;
use crate::{MasterKeys, StoreError, meta, migration};

/// The store. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connections: Connections,
    master_keys: MasterKeys,
    statements: Statements,
    model_names: ModelNames,
}

impl Store {
    /// Opens `sqlite:PATH` (folder and file are made when missing) or `postgres://…`, and brings its tables up to date.
    ///
    /// Fails with [`StoreError::WrongMasterKey`] when the database is sealed under a key that is not among these.
    pub async fn open(url: &str, keys: impl Into<MasterKeys>) -> Result<Self, StoreError> {
        let connections = connect(url).await?;
        let store = Self(Arc::new(Inner {
            connections,
            master_keys: keys.into(),
            statements: Statements::new(),
            model_names: ModelNames::default(),
        }));
        migration::migrate(&store).await?;
        meta::check_canary(store.writer(), store.master_keys()).await?;
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

    pub(crate) fn master_keys(&self) -> &MasterKeys {
        &self.0.master_keys
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.0.statements
    }

    pub(crate) fn model_names(&self) -> &ModelNames {
        &self.0.model_names
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.writer().get_database_backend()
    }
}
