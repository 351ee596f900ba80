//! What can be read out of a schedule: the last check of each key with each model, and how each model fares.

use std::sync::Arc;

use domain::{CheckResult, KeyId, UnixMs};

use super::entry::{Entry, instant};
use super::{Existence, Schedule};

/// A key with a model, as lists show it.
#[derive(Clone, Debug)]
pub struct CheckRow {
    /// The key.
    pub key: KeyId,
    /// The model; empty: the key alone.
    pub model: Arc<str>,
    /// When it was checked, and what came of it; none: not yet.
    pub last: Option<(UnixMs, CheckResult)>,
    /// When it will be checked next; none: the key is switched off.
    pub next_at: Option<UnixMs>,
}

/// How a model fares with all keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChecks {
    /// The model; empty: the keys alone.
    pub model: Arc<str>,
    /// Whether it is there at all.
    pub existence: Existence,
    /// Keys whose last check has succeeded.
    pub works: usize,
    /// Keys whose last check has not.
    pub fails: usize,
    /// Keys that were not checked yet.
    pub unchecked: usize,
}

impl Schedule {
    /// The models that keys are checked with.
    pub fn models(&self) -> impl Iterator<Item = &Arc<str>> {
        self.columns.iter().map(|column| &column.model)
    }

    /// Every key with every model, by key.
    pub fn rows(&self) -> impl Iterator<Item = CheckRow> {
        (0..self.keys.rows.len()).flat_map(|slot| self.rows_at(slot))
    }

    /// One key with every model.
    pub fn rows_of(&self, key: KeyId) -> impl Iterator<Item = CheckRow> {
        let slot = self.keys.slot_of(key);
        slot.into_iter().flat_map(|slot| self.rows_at(slot))
    }

    fn rows_at(&self, slot: usize) -> impl Iterator<Item = CheckRow> {
        let key = self.keys.rows[slot];
        self.columns.iter().map(move |column| {
            let entry = &column.entries[slot];
            let last = || (instant(entry.last), entry.result(&self.reasons));
            CheckRow {
                key: key.id,
                model: column.model.clone(),
                last: entry.was_checked().then(last),
                next_at: key.enabled.then(|| instant(entry.next)),
            }
        })
    }

    /// How each model fares with the keys that are switched on.
    pub fn summary(&self) -> Vec<ModelChecks> {
        let keys = self.keys.witnesses();
        let rows = self.columns.iter().map(|column| {
            let own = column.entries.iter().zip(&self.keys.rows);
            let own: Vec<&Entry> = own
                .filter(|(_, key)| key.enabled)
                .map(|(entry, _)| entry)
                .collect();
            let works = own.iter().filter(|entry| entry.works()).count();
            let unchecked = own.iter().filter(|entry| !entry.was_checked()).count();
            ModelChecks {
                model: column.model.clone(),
                existence: column.existence(keys),
                works,
                fails: own.len() - works - unchecked,
                unchecked,
            }
        });
        rows.collect()
    }
}
