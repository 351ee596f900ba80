//! A source (the configuration, the environment) states the keys that it holds, with their settings; what key files
//! state is in `files.rs`. Which rows that changes is decided by the rules of `sync.rs` beside this folder.

use std::collections::HashMap;

use domain::{KeyDraft, KeySource, Secret, UnixMs};
use sea_orm::entity::prelude::*;

use super::row::{
    Column, Entity, Identity, Model, Providers, ROWS, Row, identity, overwrite, read_fingerprint,
    row,
};
use crate::StoreError;
use crate::batch::{batches, insert_all};
use crate::handle::Store;
use crate::key_ring::KeyRing;
use crate::names::{DisabledBy, Word as _};
use crate::page::each_row;
use crate::sync::{Known, Plan, Synced};

/// So many drafts are looked up; for more of them the whole table is read.
const FEW: usize = 2_000;

/// What a source says of a key besides its secret.
#[derive(PartialEq)]
struct Settings {
    label: Option<String>,
    project: Option<String>,
    weight: u16,
    priority: i16,
    egress: Option<Secret>,
}

impl Store {
    /// Makes the keys of source `from` those of the drafts: new ones are inserted, known ones updated, those that
    /// are named no more disabled. The drafts' own `source` is not read.
    pub async fn sync_keys(
        &self,
        drafts: &[KeyDraft],
        from: KeySource,
        now: UnixMs,
    ) -> Result<Synced, StoreError> {
        let wishes: Vec<(Identity, Settings)> = drafts.iter().map(wish).collect();
        let change = self.change().await?;
        // Before rows are read: those that a rotation has sealed anew open only once its key is known.
        let cipher = change.cipher().await?;
        let plan = Plan::new(&mut concerned(self, &wishes, from).await?, &wishes, from);
        if plan.changes_nothing() {
            return Ok(plan.counts());
        }
        let inserts = plan.insert.iter().map(|&index| (index, None));
        let updates = plan.update.iter();
        let updates = updates.map(|update| (update.wish, update.disabled_by));
        let rows = inserts.chain(updates);
        let rows = rows.map(|(index, disabled_by)| {
            let (draft, fingerprint) = (&drafts[index], wishes[index].0.1);
            row(draft, fingerprint, from, disabled_by, &cipher, now)
        });
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        insert_all(change.txn(), &rows, &overwrite()).await?;
        let_go(change.txn(), &plan.disable).await?;
        change.publish().await?;
        Ok(plan.counts())
    }
}

fn wish(draft: &KeyDraft) -> (Identity, Settings) {
    let settings = Settings {
        label: draft.label.clone(),
        project: draft.project.clone(),
        weight: draft.weight,
        priority: draft.priority,
        egress: draft.egress.clone(),
    };
    (identity(draft), settings)
}

/// Rows without their secrets. A proxy URL that does not open is read as none, and so written anew.
type Rows = HashMap<Identity, Known<Settings>>;

/// The rows that a statement of a source can change: those that it names, and those that it has named until now. Most
/// installations have a few keys in their configuration, or none, and very many elsewhere.
async fn concerned(
    store: &Store,
    wishes: &[(Identity, Settings)],
    from: KeySource,
) -> Result<Rows, StoreError> {
    if wishes.len() > FEW {
        return known(store).await;
    }
    let mut by_provider: HashMap<&str, Vec<&[u8]>> = HashMap::new();
    for ((provider, fingerprint), _) in wishes {
        by_provider
            .entry(provider)
            .or_default()
            .push(&fingerprint.0);
    }
    let stated = Entity::find()
        .filter(Column::Source.eq(from.word()))
        .filter(Column::DisabledBy.is_null());
    let mut rows = stated.all(store.reader()).await?;
    for (provider, fingerprints) in by_provider {
        for batch in batches(&fingerprints) {
            let named = Entity::find()
                .filter(Column::Provider.eq(provider))
                .filter(Column::Fingerprint.is_in(batch.iter().copied()));
            rows.extend(named.all(store.reader()).await?);
        }
    }
    let mut providers = Providers::default();
    let ring = store.master_keys().ring();
    let rows = rows.into_iter();
    rows.map(|row| known_row(row, &mut providers, &ring))
        .collect()
}

/// Every row. Read by another connection than the change's, it is up to date all the same: changes follow one another.
async fn known(store: &Store) -> Result<Rows, StoreError> {
    let mut providers = Providers::default();
    let ring = store.master_keys().ring();
    let mut known = HashMap::new();
    let take = |row: Row| {
        let (identity, row) = known_row(row.into(), &mut providers, &ring)?;
        known.insert(identity, row);
        Ok(())
    };
    each_row(store, ROWS, |row| row.0, take).await?;
    Ok(known)
}

fn known_row(
    row: Model,
    providers: &mut Providers,
    ring: &KeyRing,
) -> Result<(Identity, Known<Settings>), StoreError> {
    let off = row.disabled_by.as_deref();
    let identity = (
        providers.shared(&row.provider),
        read_fingerprint(&row.fingerprint)?,
    );
    let known = Known {
        id: row.id,
        source: KeySource::from_word(&row.source)?,
        is_ours: true,
        disabled_by: off.map(DisabledBy::from_word).transpose()?,
        settings: Settings {
            egress: row.readable_egress(ring),
            label: row.label,
            project: row.project,
            weight: u16::try_from(row.weight).unwrap_or(1),
            priority: row.priority,
        },
    };
    Ok((identity, known))
}

/// Switches off what its source names no more.
async fn let_go<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<(), StoreError> {
    for batch in batches(ids) {
        Entity::update_many()
            .col_expr(Column::DisabledBy, Expr::value(DisabledBy::Source.word()))
            .filter(Column::Id.is_in(batch.iter().copied()))
            .filter(Column::DisabledBy.is_null())
            .exec(db)
            .await?;
    }
    Ok(())
}
