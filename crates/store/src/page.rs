//! Reads a large table in pages, by the driver itself: what the ORM does for each column of each row
//! counts where there are 100,000 of them.

use sea_orm::DbBackend;
use sea_orm::sqlx::{self, FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::StoreError;
use crate::handle::Store;

/// Gives each row to `take`, in order of its first column, which `id` picks.
///
/// The text must end in a page: `… WHERE id > $1 ORDER BY id LIMIT …`. A page bounds the memory of a read and the
/// time between two yields.
pub(crate) async fn each_row<R>(
    store: &Store,
    text: &'static str,
    id: fn(&R) -> i64,
    mut take: impl FnMut(R) -> Result<(), StoreError>,
) -> Result<(), StoreError>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut after = i64::MIN;
    loop {
        let page = page::<R>(store, text, after).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = id(last);
        page.into_iter().try_for_each(&mut take)?;
    }
}

async fn page<R>(store: &Store, text: &'static str, after: i64) -> Result<Vec<R>, sqlx::Error>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    if store.backend() == DbBackend::Postgres {
        let pool = store.reader().get_postgres_connection_pool();
        sqlx::query_as(text).bind(after).fetch_all(pool).await
    } else {
        let pool = store.reader().get_sqlite_connection_pool();
        sqlx::query_as(text).bind(after).fetch_all(pool).await
    }
}
