//! The texts of the most frequent writes by far, those of request records: made once, so that they are constant and
//! drivers keep them prepared. What is bound to them is in `records/insert.rs` and `rollups/write.rs`.

use std::sync::Arc;

use crate::batch::SIZES;
use crate::{records, rollups};

/// All of them. Only SQLite needs them: PostgreSQL takes a column of any length as one array.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) records: Inserts,
    /// With histograms.
    pub(crate) rollups: Inserts,
    /// Without.
    pub(crate) rollup_sums: Inserts,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self {
            records: Inserts::new(records::insert_text),
            rollups: Inserts::new(rollups::upsert_text),
            rollup_sums: Inserts::new(rollups::upsert_sums_text),
        }
    }
}

/// The texts that insert a batch, one for each of [`SIZES`].
#[derive(Debug)]
pub(crate) struct Inserts([Arc<str>; SIZES.len()]);

impl Inserts {
    fn new(text: fn(usize) -> String) -> Self {
        Self(SIZES.map(|rows| text(rows).into()))
    }

    /// The text for a batch of that size.
    pub(crate) fn of(&self, rows: usize) -> Arc<str> {
        let at = SIZES.iter().position(|&size| size == rows);
        Arc::clone(&self.0[at.unwrap_or(SIZES.len() - 1)])
    }
}

/// `VALUES (?,?),(?,?)`: SQLite looks up the name of each numbered parameter, but not of a nameless one.
pub(crate) fn values_text(rows: usize, width: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    format!("VALUES {}", vec![row; rows].join(","))
}
