//! A fresh database for one story: a file in a temporary folder, or one of a PostgreSQL server.
//!
//! The server is that of `KEYMUX_TEST_POSTGRES`. Without the variable a server on this machine is tried, and where
//! there is none its stories are passed over, so that the tests run on a machine without PostgreSQL.

use std::panic::AssertUnwindSafe;

use domain::{Role, UnixMs, User};
use futures_util::FutureExt as _;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, Statement};
use store::{Change, MasterKey, Store, StoreError};
use tempfile::TempDir;

const VARIABLE: &str = "KEYMUX_TEST_POSTGRES";
const DEFAULT_SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// The time at which stories play.
pub(crate) const NOW: UnixMs = UnixMs(1_763_640_000_000);

/// One story on each database: `on_both!(name_of_the_story, …)`.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    $crate::database::on_sqlite(super::$story).await;
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $story() {
                    $crate::database::on_postgres(super::$story).await;
                }
            )+
        }
    };
}
pub(crate) use on_both;

/// A database of its own.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    master: MasterKey,
}

impl Database {
    fn new(url: String, folder: TempDir) -> Self {
        let master = MasterKey::generate();
        Self {
            url,
            folder,
            master,
        }
    }

    /// A further handle, as another process would have.
    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url, self.master.clone()).await.unwrap()
    }

    /// Whether the text is in a file of SQLite: the database itself, its write-ahead log or its index.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let entries = std::fs::read_dir(self.folder.path().join("new folder")).unwrap();
        let mut files = entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.any(|bytes| {
            let mut windows = bytes.windows(text.len());
            windows.any(|window| window == text.as_bytes())
        })
    }

    /// Changes the database behind the store's back.
    pub(crate) async fn execute(&self, sql: &str) {
        self.try_execute(sql).await.unwrap();
    }

    /// The same, where the database may refuse it.
    pub(crate) async fn try_execute(&self, sql: &str) -> Result<(), DbErr> {
        let connection = sea_orm::Database::connect(&self.url).await.unwrap();
        let done = connection.execute_unprepared(sql).await;
        connection.close().await.unwrap();
        done.map(drop)
    }

    /// The number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let connection = sea_orm::Database::connect(&self.url).await.unwrap();
        let query = Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(query).await.unwrap().unwrap();
        connection.close().await.unwrap();
        row.try_get_by_index(0).unwrap()
    }
}

/// Publishes what the verbs do, unless they fail.
pub(crate) async fn change<T>(
    store: &Store,
    verbs: impl AsyncFnOnce(&Change) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let change = store.change().await?;
    let done = verbs(&change).await?;
    change.publish().await?;
    Ok(done)
}

/// A new user of that name.
pub(crate) async fn user(store: &Store, name: &str, role: Role) -> User {
    let made = change(store, async |change| {
        change.create_user(name, role, "$argon2id$1", NOW).await
    });
    made.await.unwrap()
}

/// Tells the story on a new SQLite file.
pub(crate) async fn on_sqlite(story: impl AsyncFnOnce(&Database)) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new folder/keymux.db");
    let url = format!("sqlite:{}", file.display());
    story(&Database::new(url, folder)).await;
}

/// Tells the story on a new PostgreSQL database, which is dropped whatever becomes of the story.
pub(crate) async fn on_postgres(story: impl AsyncFnOnce(&Database)) {
    let Some((server, server_url)) = server().await else {
        eprintln!("passed over: no PostgreSQL at {DEFAULT_SERVER}, and {VARIABLE} is not set");
        return;
    };
    let name = format!("keymux_test_{:016x}", fastrand::u64(..));
    let create = format!("CREATE DATABASE {name}");
    server.execute_unprepared(&create).await.unwrap();
    let (base, _) = server_url.rsplit_once('/').unwrap();
    let database = Database::new(format!("{base}/{name}"), tempfile::tempdir().unwrap());
    let told = AssertUnwindSafe(story(&database)).catch_unwind().await;
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    server.execute_unprepared(&drop).await.unwrap();
    if let Err(panic) = told {
        std::panic::resume_unwind(panic);
    }
}

async fn server() -> Option<(DatabaseConnection, String)> {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
    let named = std::env::var(VARIABLE).ok();
    let url = named.as_deref().unwrap_or(DEFAULT_SERVER);
    let connected: Result<_, DbErr> = sea_orm::Database::connect(url).await;
    match connected {
        Ok(server) => Some((server, url.to_owned())),
        Err(error) => {
            assert!(named.is_none(), "no PostgreSQL at {VARIABLE}: {error}");
            None
        }
    }
}
