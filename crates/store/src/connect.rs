//! From a URL to connections: some to read by and some to write by; for SQLite one to write by.
//! What is asked over them is in the files of the entities.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use crate::StoreError;

/// How long a call waits for a connection, and SQLite for another process's lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows that SQLite's thread reads ahead: with few of them the two threads wake each other all the time.
const ROWS_AHEAD: usize = 1_000;
/// Pages that one batch of request records touches stay in memory until it is committed: 16 MiB, in KiB as SQLite
/// wants it. With its default of 2 MiB they are written and read again within the batch.
const WRITER_CACHE: &str = "-16384";
const SQLITE_READERS: u32 = 4;
const POSTGRES_WRITERS: u32 = 5;
const POSTGRES_READERS: u32 = 5;

/// Where to read and where to write.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) reader: DatabaseConnection,
    pub(crate) writer: DatabaseConnection,
}

/// Opens the database that the URL names.
pub(crate) async fn connect(url: &str) -> Result<Connections, StoreError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => connect_sqlite(url).await,
        Some(("postgres" | "postgresql", _)) => connect_postgres(url).await,
        _ => Err(StoreError::Url("it must begin with sqlite: or postgres://")),
    }
}

/// SQLite has one writer at a time: a pool of one makes writers queue fairly instead of failing on its lock.
async fn connect_sqlite(url: &str) -> Result<Connections, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Url("it is no sqlite url"))?
        .create_if_missing(true)
        .busy_timeout(PATIENCE)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging();
    let file = options.get_filename();
    if url.contains(":memory:") || url.contains("mode=memory") || file.as_os_str().is_empty() {
        return Err(StoreError::Url("it must name a file"));
    }
    make_file(file)?;
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .after_release(|connection, _| Box::pin(has_ended(connection)))
        .idle_timeout(None)
        .max_lifetime(None);
    let writer = connect_writer(
        &pool.clone().max_connections(1),
        &options.clone().pragma("cache_size", WRITER_CACHE),
    )
    .await?;
    let reader = pool
        .max_connections(SQLITE_READERS)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Connections {
        reader: reader.into(),
        writer: writer.into(),
    })
}

/// Whether what was begun over a connection has come to its end; if not, the connection must not be used again.
///
/// SQLite ends a transaction by itself when the disk is full, among others. sqlx then cannot end it, and takes everything
/// afterwards for a part of it: a later change would seem committed while the transaction around it never is.
async fn has_ended(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // The rollback of a transaction that was dropped may still be under way.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// The switch to a write-ahead log, which a new database needs once, fails at once where other statements would wait
/// for a process that makes it at the same moment. It is tried again until that one has ended.
async fn connect_writer(
    pool: &SqlitePoolOptions,
    options: &SqliteConnectOptions,
) -> Result<SqlitePool, StoreError> {
    let options = options.clone().journal_mode(SqliteJournalMode::Wal);
    let began = Instant::now();
    loop {
        let connected = pool.clone().connect_with(options.clone()).await;
        match connected.map_err(StoreError::from) {
            Err(StoreError::Busy(_)) if began.elapsed() < PATIENCE => {}
            ended => return ended,
        }
    }
}

/// A new file is its owner's alone: SQLite gives the files beside it the same permissions.
fn make_file(file: &Path) -> Result<(), StoreError> {
    let unreachable = |error| StoreError::Unreachable(Box::new(error));
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder).map_err(unreachable)?;
    }
    let mut options = fs::OpenOptions::new();
    options.create_new(true).write(true).mode(0o600);
    match options.open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unreachable(error)),
        _ => Ok(()),
    }
}

/// Readers have a pool of their own here too: a change that reads while others wait for its end must find a connection.
async fn connect_postgres(url: &str) -> Result<Connections, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Url("it is no postgres url"))?
        .application_name("keymux")
        .disable_statement_logging();
    let pool = PgPoolOptions::new().acquire_timeout(PATIENCE);
    let writer = pool
        .clone()
        .max_connections(POSTGRES_WRITERS)
        .connect_with(options.clone())
        .await?;
    let reader = pool
        .max_connections(POSTGRES_READERS)
        .connect_lazy_with(options);
    Ok(Connections {
        reader: reader.into(),
        writer: writer.into(),
    })
}
