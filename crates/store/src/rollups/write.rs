//! Adds the sums of a batch to the roll-ups that are there, within the transaction of its records.
//! Sums add up in the database, so instances need not know of each other. What a row costs is its numbers: rows of
//! dimensions without histograms have texts of their own.

use std::sync::{Arc, LazyLock};

use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, SqliteConnection};

use super::figures::{NUMBERS, SUMS, number_columns};
use super::gather::{Gathered, Group, Row};
use crate::StoreError;
use crate::batch::batches;
use crate::names::Word as _;
use crate::statements::{Inserts, Statements, values_text};

const IDENTITY: [&str; 4] = ["span_s", "dimension", "start", "value"];

/// The text that adds so many roll-ups with histograms to a SQLite database.
pub(crate) fn upsert_text(rows: usize) -> String {
    upsert(NUMBERS, &values_text(rows, IDENTITY.len() + NUMBERS))
}

/// The text that adds so many roll-ups without histograms to a SQLite database.
pub(crate) fn upsert_sums_text(rows: usize) -> String {
    upsert(SUMS.len(), &values_text(rows, IDENTITY.len() + SUMS.len()))
}

static UPSERT_ARRAYS: LazyLock<String> = LazyLock::new(|| upsert_arrays(NUMBERS));
static UPSERT_SUMS_ARRAYS: LazyLock<String> = LazyLock::new(|| upsert_arrays(SUMS.len()));

/// The text that adds any number of roll-ups to a PostgreSQL database, one array a column.
fn upsert_arrays(numbers: usize) -> String {
    let identity = "$1::int[], $2::text[], $3::bigint[], $4::text[]".to_owned();
    let numbered = (1..=numbers).map(|number| format!("${}::bigint[]", IDENTITY.len() + number));
    let arrays: Vec<String> = std::iter::once(identity).chain(numbered).collect();
    upsert(
        numbers,
        &format!("SELECT * FROM unnest({})", arrays.join(",")),
    )
}

fn upsert(numbers: usize, source: &str) -> String {
    let numbers: Vec<String> = number_columns().take(numbers).collect();
    let sums: Vec<String> = numbers
        .iter()
        .map(|column| format!("{column} = rollups.{column} + excluded.{column}"))
        .collect();
    let identity = IDENTITY.join(",");
    format!(
        "INSERT INTO rollups ({identity},{}) {source} ON CONFLICT ({identity}) DO UPDATE SET {}",
        numbers.join(","),
        sums.join(","),
    )
}

/// Adds them to a SQLite database.
pub(crate) async fn add_sqlite(
    txn: &mut SqliteConnection,
    texts: &Statements,
    gathered: &Gathered,
) -> Result<(), StoreError> {
    let (full, sums) = gathered.parts();
    add_rows(txn, &texts.rollups, &full, NUMBERS).await?;
    add_rows(txn, &texts.rollup_sums, &sums, SUMS.len()).await
}

async fn add_rows(
    txn: &mut SqliteConnection,
    texts: &Inserts,
    rows: &[Row<'_>],
    numbers: usize,
) -> Result<(), StoreError> {
    for batch in batches(rows) {
        let mut query = sqlx::query(AssertSqlSafe(texts.of(batch.len())));
        for (group, figures) in batch {
            query = query
                .bind(group.span.seconds())
                .bind(Arc::<str>::from(group.dimension.word()))
                .bind(group.start.0)
                .bind(Arc::clone(&group.value));
            for number in figures.numbers().take(numbers) {
                query = query.bind(number);
            }
        }
        query.execute(&mut *txn).await?;
    }
    Ok(())
}

/// Adds them to a PostgreSQL database.
pub(crate) async fn add_postgres(
    txn: &mut PgConnection,
    gathered: &Gathered,
) -> Result<(), StoreError> {
    let (full, sums) = gathered.parts();
    add_arrays(txn, &UPSERT_ARRAYS, &full, NUMBERS).await?;
    add_arrays(txn, &UPSERT_SUMS_ARRAYS, &sums, SUMS.len()).await
}

async fn add_arrays(
    txn: &mut PgConnection,
    text: &'static str,
    rows: &[Row<'_>],
    numbers: usize,
) -> Result<(), StoreError> {
    let mut columns = vec![Vec::new(); numbers];
    for (_, figures) in rows {
        for (column, number) in columns.iter_mut().zip(figures.numbers()) {
            column.push(number);
        }
    }
    let mut query = sqlx::query(text)
        .bind(column(rows, |group| group.span.seconds()))
        .bind(column(rows, |group| group.dimension.word()))
        .bind(column(rows, |group| group.start.0))
        .bind(column(rows, |group| &*group.value));
    for numbers in columns {
        query = query.bind(numbers);
    }
    query.execute(txn).await?;
    Ok(())
}

fn column<'g, T>(rows: &[Row<'g>], of: impl Fn(&'g Group) -> T) -> Vec<T> {
    rows.iter().map(|(group, _)| of(group)).collect()
}
