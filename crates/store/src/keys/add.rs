//! Operators add keys: pasted, imported, posted. What is there already stays as it is, and is told apart draft by draft.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::{KeyDraft, KeyId, UnixMs, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;

use super::row::{
    ActiveModel, Column, Entity, Identity, identity, overwrite, read_fingerprint, row,
};
use crate::batch::batches;
use crate::change::Change;
use crate::handle::Store;
use crate::names::{DisabledBy, Word as _};
use crate::{StoreError, users};

/// What became of drafts that were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAdd {
    /// The new keys, and those that came back because their source had let go of them, in order of id.
    /// New keys are numbered in the order of their drafts.
    pub added: Vec<KeyId>,
    /// The drafts, by their index, that were there already, or before among the drafts.
    pub duplicates: Vec<usize>,
}

/// What is known of a key that a draft names.
struct Standing {
    /// Its source names it no more.
    let_go: bool,
    owner: Option<UserId>,
    selected: bool,
}

impl Standing {
    /// A key that was let go is anybody's, but a user's key stays that user's.
    fn may_be_taken_by(&self, owner: Option<UserId>) -> bool {
        self.let_go && (self.owner.is_none() || self.owner == owner)
    }
}

impl Store {
    /// [`Change::add_keys`] as a change of its own.
    pub async fn add_keys(&self, drafts: &[KeyDraft], now: UnixMs) -> Result<KeyAdd, StoreError> {
        let change = self.change().await?;
        let done = change.add_keys(drafts, now).await?;
        if !done.added.is_empty() {
            change.publish().await?;
        }
        Ok(done)
    }
}

impl Change {
    /// Adds keys, each with its own source. Those that are there stay as they are, unless their source had let go of
    /// them. An owner's first key for a provider is selected.
    /// [`StoreError::NoSuchUser`] when an owner is none.
    pub async fn add_keys(&self, drafts: &[KeyDraft], now: UnixMs) -> Result<KeyAdd, StoreError> {
        let owners: BTreeSet<UserId> = drafts.iter().filter_map(|draft| draft.owner).collect();
        users::must_exist(self.txn(), &owners).await?;
        let identities: Vec<Identity> = drafts.iter().map(identity).collect();
        let standing = standing(self.txn(), &identities).await?;
        let mut owned = self.owned(&owners).await?;
        let mut seen = HashSet::with_capacity(drafts.len());
        let mut done = KeyAdd::default();
        let mut rows = Vec::new();
        for (index, (draft, identity)) in drafts.iter().zip(&identities).enumerate() {
            let known = standing.get(identity);
            let is_open = known.is_none_or(|known| known.may_be_taken_by(draft.owner));
            if !is_open || !seen.insert(identity) {
                done.duplicates.push(index);
                continue;
            }
            let is_first = draft
                .owner
                .is_some_and(|owner| owned.insert((owner, Arc::clone(&draft.provider))));
            let was_selected = known.is_some_and(|known| known.selected);
            let cipher = self.cipher().await?;
            let row = row(draft, identity.1, draft.source, None, &cipher, now)?;
            rows.push(ActiveModel {
                selected: Set(is_first || was_selected),
                ..row
            });
        }
        done.added = self.insert_keys(&rows).await?;
        Ok(done)
    }

    async fn insert_keys(&self, rows: &[ActiveModel]) -> Result<Vec<KeyId>, StoreError> {
        let revive = overwrite()
            .update_columns([Column::OwnerId, Column::Selected])
            .to_owned();
        let mut added = Vec::with_capacity(rows.len());
        for batch in batches(rows) {
            let insert = Entity::insert_many(batch.iter().cloned()).on_conflict(revive.clone());
            added.extend(insert.exec_with_returning_keys(self.txn()).await?);
        }
        added.sort_unstable();
        Ok(added.into_iter().map(KeyId).collect())
    }

    /// The providers that each of these users has a key for.
    async fn owned(
        &self,
        owners: &BTreeSet<UserId>,
    ) -> Result<HashSet<(UserId, Arc<str>)>, StoreError> {
        let mut owned = HashSet::new();
        let ids: Vec<i64> = owners.iter().map(|owner| owner.0).collect();
        for batch in batches(&ids) {
            let found: Vec<(i64, String)> = Entity::find()
                .select_only()
                .columns([Column::OwnerId, Column::Provider])
                .filter(Column::OwnerId.is_in(batch.iter().copied()))
                .distinct()
                .into_tuple()
                .all(self.txn())
                .await?;
            let found = found.into_iter();
            owned.extend(found.map(|(owner, provider)| (UserId(owner), provider.into())));
        }
        Ok(owned)
    }
}

/// What is known of those of the identities that have a row.
async fn standing<C: ConnectionTrait>(
    db: &C,
    identities: &[Identity],
) -> Result<HashMap<Identity, Standing>, StoreError> {
    let mut by_provider: BTreeMap<&Arc<str>, Vec<&[u8]>> = BTreeMap::new();
    for (provider, fingerprint) in identities {
        let fingerprints = by_provider.entry(provider).or_default();
        fingerprints.push(&fingerprint.0);
    }
    let mut standing = HashMap::new();
    for (provider, fingerprints) in by_provider {
        for batch in batches(&fingerprints) {
            for (fingerprint, row) in standing_of(db, provider, batch).await? {
                let identity = (Arc::clone(provider), read_fingerprint(&fingerprint)?);
                standing.insert(identity, row);
            }
        }
    }
    Ok(standing)
}

async fn standing_of<C: ConnectionTrait>(
    db: &C,
    provider: &str,
    fingerprints: &[&[u8]],
) -> Result<impl Iterator<Item = (Vec<u8>, Standing)>, StoreError> {
    type Row = (Vec<u8>, Option<String>, Option<i64>, bool);
    let rows: Vec<Row> = Entity::find()
        .select_only()
        .columns([
            Column::Fingerprint,
            Column::DisabledBy,
            Column::OwnerId,
            Column::Selected,
        ])
        .filter(Column::Provider.eq(provider))
        .filter(Column::Fingerprint.is_in(fingerprints.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(fingerprint, off, owner, selected)| {
        let standing = Standing {
            let_go: off.as_deref() == Some(DisabledBy::Source.word()),
            owner: owner.map(UserId),
            selected,
        };
        (fingerprint, standing)
    }))
}
