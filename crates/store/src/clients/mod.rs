//! Client keys. Of a secret only the fingerprint and the mask are kept: it cannot be shown again.
//! Here are their rows, and reading them; `edit.rs` has what operators do, `sync.rs` what sources state.
//! What client keys have used is in `client_days.rs` beside this folder.

mod edit;
mod sync;

use domain::{Client, ClientDraft, ClientId, ClientLimits, KeySource, Secret, UnixMs, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, QueryOrder as _};

pub use self::edit::ClientPatch;
use crate::StoreError;
use crate::handle::Store;
use crate::keys::read_fingerprint;
use crate::names::{DisabledBy, Word as _};

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
    pub owner_id: Option<i64>,
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
}

/// The client keys of a user.
pub(crate) fn owned_by(owner: UserId) -> Select<Entity> {
    Entity::find().filter(Column::OwnerId.eq(owner.0))
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
        owner: row.owner_id.map(UserId),
        limits,
        source: KeySource::from_word(&row.source)?,
        created_at: UnixMs(row.created_at),
    })
}

fn row(draft: &ClientDraft, secret: &Secret, now: UnixMs) -> Result<ActiveModel, StoreError> {
    Ok(ActiveModel {
        id: NotSet,
        name: Set(draft.name.clone()),
        fingerprint: Set(secret.fingerprint().0.to_vec()),
        masked: Set(secret.masked()),
        disabled_by: Set(disabled_by(draft.enabled)),
        expires_at: Set(draft.expires_at.map(|at| at.0)),
        limits: Set(limits_to_json(&draft.limits)?),
        source: Set(draft.source.word().to_owned()),
        created_at: Set(now.0),
        owner_id: Set(draft.owner.map(|owner| owner.0)),
    })
}

/// The column for what an operator wants.
fn disabled_by(enabled: bool) -> Option<String> {
    (!enabled).then(|| DisabledBy::Operator.word().to_owned())
}

fn limits_to_json(limits: &ClientLimits) -> Result<String, StoreError> {
    serde_json::to_string(limits)
        .map_err(|error| StoreError::corrupt(format!("clients.limits: {error}")))
}
