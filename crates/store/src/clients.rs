//! Client keys. Of a secret only the fingerprint and the mask are kept: it cannot be shown again.
//! What a source states of its clients follows the rules of `sync.rs`, as keys do.

use std::collections::HashMap;

use domain::{Client, ClientId, ClientLimits, Fingerprint, KeySource, Secret, UnixMs};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, QueryOrder as _};

use crate::StoreError;
use crate::change::Change;
use crate::handle::Store;
use crate::keys::read_fingerprint;
use crate::names::{DisabledBy, Word as _};
use crate::sync::{Known, Plan, Synced};

/// One client key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: String,
    /// Of the secret; unique.
    pub fingerprint: Vec<u8>,
    pub masked: String,
    /// Null: enabled.
    pub disabled_by: Option<String>,
    pub expires_at: Option<i64>,
    /// `ClientLimits` as JSON.
    pub limits: String,
    pub source: String,
    pub created_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Every client key, in order of id. A row that cannot be read is left out, and logged as an error:
    /// its callers are refused.
    pub async fn load_clients(&self) -> Result<Vec<Client>, StoreError> {
        let rows = Entity::find()
            .order_by_asc(Column::Id)
            .all(self.reader())
            .await?;
        let mut clients = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            match client(row) {
                Ok(client) => clients.push(client),
                Err(error) => tracing::error!(client = id, %error, "client key left out"),
            }
        }
        Ok(clients)
    }

    /// Makes a client key that does not expire; [`StoreError::Duplicate`] when its secret is taken.
    pub async fn create_client(
        &self,
        name: &str,
        secret: &Secret,
        limits: ClientLimits,
        source: KeySource,
        now: UnixMs,
    ) -> Result<Client, StoreError> {
        let row = row(name, secret, &limits, source, now)?;
        let change = Change::begin(self).await?;
        let made = row.insert(change.txn()).await?;
        change.publish().await?;
        client(made)
    }

    /// Makes the client keys of source `from` those that are given by name and secret. Limits stay as they are.
    pub async fn sync_clients(
        &self,
        from: KeySource,
        clients: &[(String, Secret)],
        now: UnixMs,
    ) -> Result<Synced, StoreError> {
        let wish = |(name, secret): &(String, Secret)| (secret.fingerprint(), name.clone());
        let wishes: Vec<(Fingerprint, String)> = clients.iter().map(wish).collect();
        let change = Change::begin(self).await?;
        let plan = Plan::new(known(change.txn()).await?, &wishes, from);
        if plan.changes_nothing() {
            return Ok(plan.counts());
        }
        for &index in &plan.insert {
            let (name, secret) = &clients[index];
            let row = row(name, secret, &ClientLimits::default(), from, now)?;
            Entity::insert(row)
                .exec_without_returning(change.txn())
                .await?;
        }
        for &(index, disabled_by) in &plan.update {
            let (fingerprint, name) = &wishes[index];
            update(change.txn(), *fingerprint, name, from, disabled_by).await?;
        }
        disable(change.txn(), &plan.disable).await?;
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
            disabled_by: disabled_by.transpose()?,
            settings: row.name,
        };
        Ok((read_fingerprint(&row.fingerprint)?, known))
    });
    known.collect()
}

async fn update<C: ConnectionTrait>(
    db: &C,
    fingerprint: Fingerprint,
    name: &str,
    source: KeySource,
    disabled_by: Option<DisabledBy>,
) -> Result<(), StoreError> {
    let disabled_by = disabled_by.map(|by| by.word().to_owned());
    Entity::update_many()
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::Source, Expr::value(source.word()))
        .col_expr(Column::DisabledBy, Expr::value(disabled_by))
        .filter(Column::Fingerprint.eq(fingerprint.0.to_vec()))
        .exec(db)
        .await?;
    Ok(())
}

async fn disable<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<(), StoreError> {
    for &id in ids {
        Entity::update_many()
            .col_expr(Column::DisabledBy, Expr::value(DisabledBy::Source.word()))
            .filter(Column::Id.eq(id))
            .exec(db)
            .await?;
    }
    Ok(())
}

fn client(row: Model) -> Result<Client, StoreError> {
    let limits = serde_json::from_str(&row.limits)
        .map_err(|error| StoreError::corrupt(format!("clients.limits: {error}")))?;
    Ok(Client {
        id: ClientId(row.id),
        name: row.name,
        fingerprint: read_fingerprint(&row.fingerprint)?,
        masked: row.masked,
        enabled: row.disabled_by.is_none(),
        expires_at: row.expires_at.map(UnixMs),
        limits,
        source: KeySource::from_word(&row.source)?,
        created_at: UnixMs(row.created_at),
    })
}

fn row(
    name: &str,
    secret: &Secret,
    limits: &ClientLimits,
    source: KeySource,
    now: UnixMs,
) -> Result<ActiveModel, StoreError> {
    let limits = serde_json::to_string(limits)
        .map_err(|error| StoreError::corrupt(format!("clients.limits: {error}")))?;
    Ok(ActiveModel {
        id: NotSet,
        name: Set(name.to_owned()),
        fingerprint: Set(secret.fingerprint().0.to_vec()),
        masked: Set(secret.masked()),
        disabled_by: Set(None),
        expires_at: Set(None),
        limits: Set(limits),
        source: Set(source.word().to_owned()),
        created_at: Set(now.0),
    })
}
