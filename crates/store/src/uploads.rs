//! Upload sessions: which key began an upload, so that its later parts find back to it, also after a restart.
//! The provider's id of an upload is a credential: only its hash is kept.

use std::collections::BTreeMap;

use domain::{ClientId, Fingerprint, KeyId, UnixMs};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::StoreError;
use crate::batch::insert_all;
use crate::change::begin_write;
use crate::handle::Store;
use crate::keys::read_fingerprint;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "uploads")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub upload: Vec<u8>,
    pub client_id: Option<i64>,
    pub key_id: i64,
    pub expires_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An upload that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadSession {
    /// The SHA-256 of the provider's upload id.
    pub upload: Fingerprint,
    /// Who began it; none: an anonymous caller.
    pub client: Option<ClientId>,
    /// The key it was begun with.
    pub key: KeyId,
    /// It is forgotten from then on.
    pub expires_at: UnixMs,
}

impl Store {
    /// Writes sessions over those of the same upload.
    pub async fn save_uploads(&self, sessions: &[UploadSession]) -> Result<(), StoreError> {
        let rows: BTreeMap<Fingerprint, ActiveModel> = sessions
            .iter()
            .map(|session| (session.upload, row(session)))
            .collect();
        let rows: Vec<ActiveModel> = rows.into_values().collect();
        let overwrite = OnConflict::column(Column::Upload)
            .update_columns([Column::ClientId, Column::KeyId, Column::ExpiresAt])
            .to_owned();
        let txn = begin_write(self).await?;
        insert_all(&txn, &rows, &overwrite).await?;
        Ok(txn.commit().await?)
    }

    /// The session of that upload, while it has not expired.
    pub async fn upload(
        &self,
        upload: Fingerprint,
        now: UnixMs,
    ) -> Result<Option<UploadSession>, StoreError> {
        let found = Entity::find_by_id(upload.0.to_vec()).filter(Column::ExpiresAt.gt(now.0));
        let row = found.one(self.reader()).await?;
        row.as_ref().map(session).transpose()
    }

    /// The sessions that have not expired.
    pub async fn load_uploads(&self, now: UnixMs) -> Result<Vec<UploadSession>, StoreError> {
        let live = Entity::find().filter(Column::ExpiresAt.gt(now.0));
        let rows = live.all(self.reader()).await?;
        rows.iter().map(session).collect()
    }

    /// Deletes the sessions that have expired; says how many.
    pub async fn delete_expired_uploads(&self, now: UnixMs) -> Result<u64, StoreError> {
        let expired = Entity::delete_many().filter(Column::ExpiresAt.lte(now.0));
        Ok(expired.exec(self.writer()).await?.rows_affected)
    }
}

fn row(session: &UploadSession) -> ActiveModel {
    ActiveModel {
        upload: Set(session.upload.0.to_vec()),
        client_id: Set(session.client.map(|client| client.0)),
        key_id: Set(session.key.0),
        expires_at: Set(session.expires_at.0),
    }
}

fn session(row: &Model) -> Result<UploadSession, StoreError> {
    Ok(UploadSession {
        upload: read_fingerprint(&row.upload)?,
        client: row.client_id.map(ClientId),
        key: KeyId(row.key_id),
        expires_at: UnixMs(row.expires_at),
    })
}
