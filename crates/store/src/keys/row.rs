//! The row of a provider key, and the way between it and `domain`. Secrets and proxy URLs are sealed for their row.

use std::sync::Arc;

use domain::{Fingerprint, Key, KeyDraft, KeyId, KeySource, Secret, UnixMs, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set};

use crate::StoreError;
use crate::key_ring::KeyRing;
use crate::names::{DisabledBy, Word as _};
use crate::seal::{Cipher, Place, SealedColumn};

const SECRET: SealedColumn = SealedColumn::KEY_SECRET;
const EGRESS: SealedColumn = SealedColumn::KEY_EGRESS;

/// A key's own fields.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub provider: String,
    /// Of the secret; unique with the provider.
    pub fingerprint: Vec<u8>,
    /// Sealed.
    pub secret: Vec<u8>,
    pub label: Option<String>,
    pub project: Option<String>,
    pub weight: i16,
    pub priority: i16,
    /// Sealed: a proxy URL may hold a password.
    pub egress: Option<Vec<u8>>,
    /// Null: enabled.
    pub disabled_by: Option<String>,
    pub source: String,
    pub created_at: i64,
    /// The user whose key it is; null: the shared pool's.
    pub owner_id: Option<i64>,
    /// Of its owner's keys for the provider the one that goes first; an index sees to it that there is one at most.
    pub selected: bool,
    /// The key file that states it; null: none does.
    pub file: Option<String>,
    /// The instance whose folder that file is in; see `key_places.rs`.
    pub place: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A page of keys, for `each_row`.
pub(super) const ROWS: &str = "SELECT id, provider, fingerprint, secret, label, project, weight, priority, \
    egress, disabled_by, source, created_at, owner_id, selected, file, place FROM keys WHERE id > $1 ORDER BY id LIMIT 2000";

/// The columns of [`ROWS`].
pub(super) type Row = (
    i64,
    String,
    Vec<u8>,
    Vec<u8>,
    Option<String>,
    Option<String>,
    i16,
    i16,
    Option<Vec<u8>>,
    Option<String>,
    String,
    i64,
    Option<i64>,
    bool,
    Option<String>,
    Option<String>,
);

impl From<Row> for Model {
    fn from(row: Row) -> Self {
        let (
            id,
            provider,
            fingerprint,
            secret,
            label,
            project,
            weight,
            priority,
            egress,
            disabled_by,
            source,
            created_at,
            owner_id,
            selected,
            file,
            place,
        ) = row;
        Self {
            id,
            provider,
            fingerprint,
            secret,
            label,
            project,
            weight,
            priority,
            egress,
            disabled_by,
            source,
            created_at,
            owner_id,
            selected,
            file,
            place,
        }
    }
}

/// The key of a row; providers' names are shared.
pub(super) fn key(
    row: Model,
    providers: &mut Providers,
    ring: &KeyRing,
) -> Result<Key, StoreError> {
    let egress = row.egress.as_deref();
    let egress = egress.map(|sealed| open(sealed, row.place(EGRESS), ring));
    let egress = egress.transpose()?;
    Ok(Key {
        id: KeyId(row.id),
        secret: open(&row.secret, row.place(SECRET), ring)?,
        provider: providers.shared(&row.provider),
        label: row.label,
        project: row.project,
        weight: u16::try_from(row.weight).unwrap_or(1),
        priority: row.priority,
        egress,
        enabled: row.disabled_by.is_none(),
        owner: row.owner_id.map(UserId),
        selected: row.selected,
        source: KeySource::from_word(&row.source)?,
        file: row.file.map(Into::into),
        created_at: UnixMs(row.created_at),
    })
}

impl Model {
    /// The row's proxy URL; one that does not open is read as none.
    pub(super) fn readable_egress(&self, ring: &KeyRing) -> Option<Secret> {
        let sealed = self.egress.as_deref()?;
        ring.open(sealed, self.place(EGRESS)).ok()
    }

    fn place(&self, column: SealedColumn) -> Place<'_> {
        Place {
            column,
            provider: &self.provider,
            fingerprint: &self.fingerprint,
        }
    }
}

fn open(sealed: &[u8], place: Place<'_>, ring: &KeyRing) -> Result<Secret, StoreError> {
    let opened = ring.open(sealed, place);
    opened.map_err(|error| StoreError::sealed(place.column, error))
}

fn seal(secret: &Secret, place: Place<'_>, cipher: &Cipher) -> Result<Vec<u8>, StoreError> {
    let sealed = cipher.seal(secret, place);
    sealed.map_err(|error| StoreError::sealed(place.column, error))
}

/// A proxy URL, sealed for the row of that provider and fingerprint.
pub(super) fn seal_egress(
    url: &Secret,
    provider: &str,
    fingerprint: &[u8],
    cipher: &Cipher,
) -> Result<Vec<u8>, StoreError> {
    let place = Place {
        column: EGRESS,
        provider,
        fingerprint,
    };
    seal(url, place, cipher)
}

/// The row of a draft that is nobody's selected key and stands in no file.
pub(super) fn row(
    draft: &KeyDraft,
    fingerprint: Fingerprint,
    source: KeySource,
    disabled_by: Option<DisabledBy>,
    cipher: &Cipher,
    now: UnixMs,
) -> Result<ActiveModel, StoreError> {
    let place = Place {
        column: SECRET,
        provider: &draft.provider,
        fingerprint: &fingerprint.0,
    };
    let egress = draft.egress.as_ref();
    let egress = egress.map(|url| seal_egress(url, &draft.provider, &fingerprint.0, cipher));
    Ok(ActiveModel {
        id: NotSet,
        provider: Set(draft.provider.to_string()),
        fingerprint: Set(fingerprint.0.to_vec()),
        secret: Set(seal(&draft.secret, place, cipher)?),
        label: Set(draft.label.clone()),
        project: Set(draft.project.clone()),
        weight: Set(stored_weight(draft.weight)),
        priority: Set(draft.priority),
        egress: Set(egress.transpose()?),
        disabled_by: Set(disabled_by.map(|by| by.word().to_owned())),
        source: Set(source.word().to_owned()),
        created_at: Set(now.0),
        owner_id: Set(draft.owner.map(|owner| owner.0)),
        selected: Set(false),
        file: Set(None),
        place: Set(None),
    })
}

/// The column of a weight, none of which is near its end.
pub(super) fn stored_weight(weight: u16) -> i16 {
    i16::try_from(weight).unwrap_or(i16::MAX)
}

/// All that a source says of a key; a row keeps its id, its owner and the time it was first seen.
pub(super) fn overwrite() -> OnConflict {
    OnConflict::columns([Column::Provider, Column::Fingerprint])
        .update_columns([
            Column::Secret,
            Column::Label,
            Column::Project,
            Column::Weight,
            Column::Priority,
            Column::Egress,
            Column::DisabledBy,
            Column::Source,
            Column::File,
            Column::Place,
        ])
        .to_owned()
}

/// What makes two drafts one key.
pub(super) type Identity = (Arc<str>, Fingerprint);

/// The identity of a draft.
pub(super) fn identity(draft: &KeyDraft) -> Identity {
    (Arc::clone(&draft.provider), draft.secret.fingerprint())
}

/// One shared text for each provider, however many keys it has.
#[derive(Default)]
pub(super) struct Providers(Vec<Arc<str>>);

impl Providers {
    /// The text that is shared for that name.
    pub(super) fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| &***known == name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.push(Arc::clone(&name));
        name
    }
}

/// The fingerprint of 32 stored bytes.
pub(crate) fn read_fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    let bytes = <[u8; 32]>::try_from(bytes);
    bytes
        .map(Fingerprint)
        .map_err(|_| StoreError::corrupt("a fingerprint that has not 32 bytes"))
}
