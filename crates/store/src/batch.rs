//! Cuts rows into batches of few sizes, each of which is one statement text.
//! Drivers keep prepared statements by their text: batches of any size would fill that cache with large ones.

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
