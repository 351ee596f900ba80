//! A source (the configuration, the environment) states the client keys that it holds.
//! Which rows that changes is decided by the rules of `sync.rs` beside this folder, as with keys.

use std::collections::HashMap;

use domain::{ClientDraft, Fingerprint, KeySource, Secret, UnixMs};
use sea_orm::entity::prelude::*;

use super::{Column, Entity, row};
use crate::StoreError;
use crate::handle::Store;
use crate::keys::read_fingerprint;
use crate::names::{DisabledBy, Word as _};
use crate::sync::{Known, Plan, Synced, Update};

impl Store {
    /// Makes the client keys of source `from` those that are given by name and secret. Limits stay as they are.
    pub async fn sync_clients(
        &self,
        from: KeySource,
        clients: &[(String, Secret)],
        now: UnixMs,
    ) -> Result<Synced, StoreError> {
        let wish = |(name, secret): &(String, Secret)| (secret.fingerprint(), name.clone());
        let wishes: Vec<(Fingerprint, String)> = clients.iter().map(wish).collect();
        let change = self.change().await?;
        let plan = Plan::new(&mut known(change.txn()).await?, &wishes, from);
        if plan.changes_nothing() {
            return Ok(plan.counts());
        }
        for &index in &plan.insert {
            let (name, secret) = &clients[index];
            let row = row(&ClientDraft::plain(name, from), secret, now)?;
            Entity::insert(row)
                .exec_without_returning(change.txn())
                .await?;
        }
        for update in &plan.update {
            let (_, name) = &wishes[update.wish];
            set(change.txn(), *update, name, from).await?;
        }
        let_go(change.txn(), &plan.disable).await?;
        change.publish().await?;
        Ok(plan.counts())
    }
}

async fn known<C: ConnectionTrait>(
    db: &C,
) -> Result<HashMap<Fingerprint, Known<String>>, StoreError> {
    let rows = Entity::find().all(db).await?;
    let known = rows.into_iter().map(|row| {
        let disabled_by = row.disabled_by.as_deref().map(DisabledBy::from_word);
        let known = Known {
            id: row.id,
            source: KeySource::from_word(&row.source)?,
            is_ours: true,
            disabled_by: disabled_by.transpose()?,
            settings: row.name,
        };
        Ok((read_fingerprint(&row.fingerprint)?, known))
    });
    known.collect()
}

async fn set<C: ConnectionTrait>(
    db: &C,
    update: Update,
    name: &str,
    source: KeySource,
) -> Result<(), StoreError> {
    let disabled_by = update.disabled_by.map(|by| by.word().to_owned());
    Entity::update_many()
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::Source, Expr::value(source.word()))
        .col_expr(Column::DisabledBy, Expr::value(disabled_by))
        .filter(Column::Id.eq(update.id))
        .exec(db)
        .await?;
    Ok(())
}

async fn let_go<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<(), StoreError> {
    for &id in ids {
        Entity::update_many()
            .col_expr(Column::DisabledBy, Expr::value(DisabledBy::Source.word()))
            .filter(Column::Id.eq(id))
            .exec(db)
            .await?;
    }
    Ok(())
}
