//! A PostgreSQL database for one story, dropped after it.
//!
//! The server is that of `KEYMUX_TEST_POSTGRES`. Without the variable a server on this machine is tried, and where
//! there is none the story is passed over, so that the tests run on a machine without PostgreSQL.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbErr};

const VARIABLE: &str = "KEYMUX_TEST_POSTGRES";
const DEFAULT_SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// Tells the story on a new database, given its URL.
#[expect(
    clippy::print_stderr,
    reason = "who runs the tests is told what was passed over"
)]
pub(crate) async fn on_postgres(story: impl AsyncFnOnce(&str)) {
    let Some((server, server_url)) = server().await else {
        eprintln!("passed over: no PostgreSQL at {DEFAULT_SERVER}, and {VARIABLE} is not set");
        return;
    };
    let name = format!("keymux_test_{:016x}", fastrand::u64(..));
    let create = format!("CREATE DATABASE {name}");
    server.execute_unprepared(&create).await.unwrap();
    let (base, _) = server_url.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    let told = AssertUnwindSafe(story(&url)).catch_unwind().await;
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
    let connected: Result<_, DbErr> = Database::connect(url).await;
    match connected {
        Ok(server) => Some((server, url.to_owned())),
        Err(error) => {
            assert!(named.is_none(), "no PostgreSQL at {VARIABLE}: {error}");
            None
        }
    }
}
