//! Cuts rows into batches of few sizes, each of which is one statement text, and inserts them so.
//! Drivers keep prepared statements by their text: batches of any size would fill that cache with large ones.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait as _};

/// The sizes, largest first. The largest times 68 columns stays below SQLite's 32,766 parameters.
pub(crate) const SIZES: [usize; 3] = [256, 16, 1];

/// Cuts `rows` into the largest batches of [`SIZES`] that they fill, in order.
pub(crate) fn batches<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|&size| size <= rows.len())?;
        let (batch, rest) = rows.split_at(size);
        rows = rest;
        Some(batch)
    })
}

/// Inserts rows in batches; `conflict` says what becomes of those that are there already.
pub(crate) async fn insert_all<C, A>(db: &C, rows: &[A], conflict: &OnConflict) -> Result<(), DbErr>
where
    C: ConnectionTrait,
    A: ActiveModelTrait + Clone,
{
    for batch in batches(rows) {
        let rows = batch.iter().cloned();
        let insert = A::Entity::insert_many(rows).on_conflict(conflict.clone());
        insert.exec_without_returning(db).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: usize, sizes: &[usize]) {
        let rows: Vec<usize> = (0..rows).collect();
        let cut: Vec<&[usize]> = batches(&rows).collect();
        assert_eq!(
            cut.iter().map(|batch| batch.len()).collect::<Vec<_>>(),
            sizes
        );
        assert_eq!(cut.concat(), rows);
    }

    #[test]
    fn every_row_is_in_one_batch_of_a_known_size() {
        check(0, &[]);
        check(1, &[1]);
        check(16, &[16]);
        check(35, &[16, 16, 1, 1, 1]);
        check(529, &[256, 256, 16, 1]);
    }
}
