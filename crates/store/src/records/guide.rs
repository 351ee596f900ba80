//! Where a search may look away: roll-ups know in which hours a key or a provider was used at all. An index of keys
//! would answer at once, but each record would touch a page of it, which costs more than all else of writing it.

use std::time::Duration;

use domain::{RequestId, UnixMs};

use super::filter::{RecordFilter, first_id};
use crate::StoreError;
use crate::handle::Store;
use crate::rollups::{Dimension, Span};

const HOUR: Duration = Span::Hour.duration();

/// A value that a search is for, and the hours that roll-ups know of.
#[derive(Debug)]
pub(super) struct Guide(Option<Known>);

#[derive(Debug)]
struct Known {
    dimension: Dimension,
    value: String,
    first: UnixMs,
    last: UnixMs,
}

impl Guide {
    pub(super) async fn of(store: &Store, filter: &RecordFilter) -> Result<Self, StoreError> {
        let (dimension, value) = match (filter.key, &filter.provider) {
            (Some(key), _) => (Dimension::Key, key.to_string()),
            (None, Some(provider)) => (Dimension::Provider, provider.clone()),
            (None, None) => return Ok(Self(None)),
        };
        let hours = store.rolled_up(Span::Hour).await?;
        Ok(Self(hours.map(|(first, last)| Known {
            dimension,
            value,
            // Records may be older than roll-ups, whose retention is another, and of the first hour some may be.
            first: first + HOUR,
            last,
        })))
    }

    /// The newest stretch of these ids in which there may be something; none: there is nothing in all of them.
    pub(super) async fn stretch(
        &self,
        store: &Store,
        from: i64,
        to: i64,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        let stretch = match &self.0 {
            Some(known) if to > first_id(known.first) => known.stretch(store, from, to).await?,
            _ => (from, to),
        };
        Ok(Some(stretch).filter(|(from, to)| from < to))
    }
}

impl Known {
    async fn stretch(&self, store: &Store, from: i64, to: i64) -> Result<(i64, i64), StoreError> {
        let oldest = self.first.max(RequestId(from).time());
        let newest = self.last.min(RequestId(to - 1).time());
        let hour = store.last_hour(self.dimension, &self.value, oldest, newest);
        Ok(match hour.await? {
            Some(hour) => (from.max(first_id(hour)), to.min(first_id(hour + HOUR))),
            None => (from, first_id(self.first)),
        })
    }
}
