//! A fresh database for one story: a file in a temporary folder, or one of a PostgreSQL server.
//!
//! The server is that of `KEYMUX_TEST_POSTGRES`. Without the variable a server on this machine is tried, and where
//! there is none its stories are passed over, so that the tests run on a machine without PostgreSQL.

use std::panic::AssertUnwindSafe;

use domain::UnixMs;
use futures_util::FutureExt as _;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use store::{MasterKey, Store};
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

    /// Changes the database behind the store's back.
    pub(crate) async fn execute(&self, sql: &str) {
        let connection = sea_orm::Database::connect(&self.url).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }
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
