//! One model of a schedule: its entry for each key, and whether it exists at all.

use std::sync::Arc;

use super::entry::Entry;

/// Keys that say alike that there is no such model, with none that can use it between, before it is believed.
const MISSES: u16 = 3;

/// Whether a model is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// Nobody has said.
    Unknown,
    /// A key can use it.
    Known,
    /// No key that was asked can.
    Missing,
}

/// A model.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) model: Arc<str>,
    /// By the place of the key.
    pub(super) entries: Vec<Entry>,
    is_known: bool,
    /// Since a key could use it.
    misses: u16,
}

impl Column {
    pub(super) fn new(model: &str, entries: Vec<Entry>) -> Self {
        Self {
            model: model.into(),
            entries,
            is_known: false,
            misses: 0,
        }
    }

    pub(super) fn found(&mut self) {
        (self.is_known, self.misses) = (true, 0);
    }

    pub(super) fn missed(&mut self) {
        self.misses = self.misses.saturating_add(1);
    }

    /// Whether it exists, as far as so many keys can say.
    pub(super) fn existence(&self, keys: usize) -> Existence {
        let enough = usize::from(MISSES).min(keys).max(1);
        if usize::from(self.misses) >= enough {
            Existence::Missing
        } else if self.is_known {
            Existence::Known
        } else {
            Existence::Unknown
        }
    }
}
