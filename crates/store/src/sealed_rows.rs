//! Sealed values as a rotation sees them: whatever their table, by the key that they are under.
//! The columns are those of `seal.rs`; what becomes of the values is in `rotate.rs`.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, QueryResult, Statement, Value};

use crate::StoreError;
use crate::key_ring::KeyRing;
use crate::seal::{
    Cipher, KEY_ID_BYTES, KEY_ID_POSITION, MasterKeyId, Place, SealedColumn, Unopened,
};

/// Values of one page: some milliseconds of work.
const PAGE: usize = 512;

/// One sealed value, with what it is bound to.
pub(crate) struct Row {
    pub(crate) id: i64,
    provider: String,
    fingerprint: Vec<u8>,
    sealed: Vec<u8>,
}

impl Row {
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get_by_index(0)?,
            provider: row.try_get_by_index(1)?,
            fingerprint: row.try_get_by_index(2)?,
            sealed: row.try_get_by_index(3)?,
        })
    }

    /// The value, sealed under another key.
    pub(crate) fn reseal(
        &self,
        column: SealedColumn,
        ring: &KeyRing,
        to: &Cipher,
    ) -> Result<Vec<u8>, Unopened> {
        let place = Place {
            column,
            provider: &self.provider,
            fingerprint: &self.fingerprint,
        };
        to.seal(&ring.open(&self.sealed, place)?, place)
    }
}

/// SQL that holds for values under another key than `$n`; not for null.
fn is_under_another(column: SealedColumn, parameter: usize) -> String {
    let column = column.column;
    format!("substr({column}, {KEY_ID_POSITION}, {KEY_ID_BYTES}) <> ${parameter}")
}

/// The next values after a row that are under another key.
pub(crate) async fn page(
    txn: &DatabaseTransaction,
    sealed: SealedColumn,
    after: i64,
    than: MasterKeyId,
) -> Result<Vec<Row>, StoreError> {
    let SealedColumn {
        table,
        column,
        provider,
        fingerprint,
        ..
    } = sealed;
    let is_left = is_under_another(sealed, 2);
    let sql = format!(
        "SELECT id, {provider}, {fingerprint}, {column} FROM {table} \
         WHERE id > $1 AND {is_left} ORDER BY id LIMIT {PAGE}"
    );
    let rows = txn
        .query_all_raw(statement(txn, sql, [after.into(), than.to_vec().into()]))
        .await?;
    rows.iter().map(Row::read).collect()
}

/// Puts sealed values into their rows.
pub(crate) async fn write(
    txn: &DatabaseTransaction,
    sealed: SealedColumn,
    rows: &[(i64, Vec<u8>)],
) -> Result<(), StoreError> {
    let SealedColumn { table, column, .. } = sealed;
    let pairs: Vec<String> = (0..rows.len())
        .map(|row| format!("(${}, ${})", 2 * row + 1, 2 * row + 2))
        .collect();
    // Columns of VALUES have these names in both databases.
    let sql = format!(
        "UPDATE {table} SET {column} = resealed.column2 FROM (VALUES {}) AS resealed \
         WHERE {table}.id = resealed.column1",
        pairs.join(", ")
    );
    let values = rows
        .iter()
        .flat_map(|(id, sealed)| [Value::from(*id), Value::from(sealed.clone())]);
    txn.execute_raw(statement(txn, sql, values)).await?;
    Ok(())
}

/// How many values of all columns are under another key.
pub(crate) async fn count_left(
    txn: &DatabaseTransaction,
    than: MasterKeyId,
) -> Result<u64, StoreError> {
    let mut left = 0;
    for &column in SealedColumn::ALL {
        let is_left = is_under_another(column, 1);
        let sql = format!("SELECT count(*) FROM {} WHERE {is_left}", column.table);
        left += count(txn, statement(txn, sql, [than.to_vec().into()])).await?;
    }
    Ok(left)
}

/// Whether a value is under another key and can be opened: what cannot be opened is lost, whatever is done.
pub(crate) async fn is_any_left(
    txn: &DatabaseTransaction,
    ring: &KeyRing,
    to: &Cipher,
) -> Result<bool, StoreError> {
    for &column in SealedColumn::ALL {
        let mut after = i64::MIN;
        loop {
            let rows = page(txn, column, after, to.key_id()).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            if rows.iter().any(|row| row.reseal(column, ring, to).is_ok()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether no column holds a value.
pub(crate) async fn is_empty(txn: &DatabaseTransaction) -> Result<bool, StoreError> {
    for SealedColumn { table, column, .. } in SealedColumn::ALL {
        let sql = format!("SELECT count({column}) FROM {table}");
        if count(txn, statement(txn, sql, [])).await? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn count(txn: &DatabaseTransaction, statement: Statement) -> Result<u64, StoreError> {
    let row = txn.query_one_raw(statement).await?;
    let number: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(number as u64)
}

/// A statement for the database of the transaction.
fn statement(
    txn: &DatabaseTransaction,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(txn.get_database_backend(), sql, values)
}
