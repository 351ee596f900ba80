//! Provider keys: their rows, and the ways in (a source states its keys, an operator adds some) and out.
//! Secrets and proxy URLs are sealed for their row. States are in `key_states.rs`, the rules of sources in `sync.rs`.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{Fingerprint, Key, KeyDraft, KeyId, KeySource, KeyState, Secret, UnixMs};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set};

use crate::batch::batches;
use crate::change::Change;
use crate::handle::Store;
use crate::names::{DisabledBy, Word as _};
use crate::page::each_row;
use crate::seal::{Cipher, Place};
use crate::sync::{Known, Plan, Synced};
use crate::{StoreError, key_states};

const SECRET: &str = "keys.secret";
const EGRESS: &str = "keys.egress";

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
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What [`Store::add_keys`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAdd {
    /// The new keys, and those that came back because their source had let go of them, in order of id.
    pub added: Vec<KeyId>,
    /// Drafts that were there already, or twice among the drafts.
    pub duplicates: usize,
}

/// What makes two drafts one key.
type Identity = (Arc<str>, Fingerprint);

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
    /// are named no more disabled. The rules are those of `sync.rs`; the drafts' own `source` is not read.
    pub async fn sync_keys(
        &self,
        drafts: &[KeyDraft],
        from: KeySource,
        now: UnixMs,
    ) -> Result<Synced, StoreError> {
        let wishes: Vec<(Identity, Settings)> = drafts.iter().map(wish).collect();
        let change = Change::begin(self).await?;
        let plan = Plan::new(known(self).await?, &wishes, from);
        if plan.changes_nothing() {
            return Ok(plan.counts());
        }
        let inserts = plan.insert.iter().map(|&index| (index, None));
        let rows = inserts.chain(plan.update.iter().copied());
        let rows = rows.map(|(index, disabled_by)| {
            let fingerprint = wishes[index].0.1;
            row(
                &drafts[index],
                fingerprint,
                from,
                disabled_by,
                self.cipher(),
                now,
            )
        });
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        for batch in batches(&rows) {
            let upsert = Entity::insert_many(batch.iter().cloned()).on_conflict(overwrite());
            upsert.exec_without_returning(change.txn()).await?;
        }
        set_disabled_by(change.txn(), &plan.disable, Some(DisabledBy::Source)).await?;
        change.publish().await?;
        Ok(plan.counts())
    }

    /// Adds keys, each with its own source. Those that are there stay as they are.
    pub async fn add_keys(&self, drafts: &[KeyDraft], now: UnixMs) -> Result<KeyAdd, StoreError> {
        let rows = unique_rows(drafts, self.cipher(), now)?;
        let let_go = Expr::col((Entity, Column::DisabledBy));
        let let_go = ExprTrait::eq(let_go, DisabledBy::Source.word());
        let revive = overwrite().action_and_where(let_go).to_owned();
        let mut added = Vec::with_capacity(rows.len());
        let change = Change::begin(self).await?;
        for batch in batches(&rows) {
            let insert = Entity::insert_many(batch.iter().cloned()).on_conflict(revive.clone());
            added.extend(insert.exec_with_returning_keys(change.txn()).await?);
        }
        if !added.is_empty() {
            change.publish().await?;
        }
        added.sort_unstable();
        Ok(KeyAdd {
            duplicates: drafts.len() - added.len(),
            added: added.into_iter().map(KeyId).collect(),
        })
    }

    /// Switches keys off in an operator's name: no source switches them on again. Says how many were on.
    pub async fn disable_keys(&self, keys: &[KeyId]) -> Result<u64, StoreError> {
        self.switch_keys(keys, Some(DisabledBy::Operator)).await
    }

    /// Switches keys on, whoever switched them off. Says how many were off.
    pub async fn enable_keys(&self, keys: &[KeyId]) -> Result<u64, StoreError> {
        self.switch_keys(keys, None).await
    }

    async fn switch_keys(&self, keys: &[KeyId], to: Option<DisabledBy>) -> Result<u64, StoreError> {
        let ids: Vec<i64> = keys.iter().map(|key| key.0).collect();
        let change = Change::begin(self).await?;
        let switched = set_disabled_by(change.txn(), &ids, to).await?;
        if switched > 0 {
            change.publish().await?;
        }
        Ok(switched)
    }

    /// Every key with its state, in order of id. A row that cannot be read is left out, and logged as an error.
    pub async fn load_keys(&self) -> Result<Vec<(Key, KeyState)>, StoreError> {
        let mut states = key_states::load(self).await?;
        let mut providers = Providers::default();
        let mut keys = Vec::new();
        let take = |row: Row| {
            let id = row.0;
            match key(row, &mut providers, self.cipher()) {
                Ok(key) => keys.push((key, states.remove(&id).unwrap_or_default())),
                Err(error) => tracing::error!(key = id, %error, "key left out"),
            }
            Ok(())
        };
        each_row(self, ROWS, |row| row.0, take).await?;
        Ok(keys)
    }
}

const ROWS: &str = "SELECT id, provider, fingerprint, secret, label, project, weight, priority, \
    egress, disabled_by, source, created_at FROM keys WHERE id > $1 ORDER BY id LIMIT 2000";

/// The columns of [`ROWS`].
type Row = (
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
);

fn key(row: Row, providers: &mut Providers, cipher: &Cipher) -> Result<Key, StoreError> {
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
        off,
        source,
        at,
    ) = row;
    let place = |column| Place {
        column,
        provider: &provider,
        fingerprint: &fingerprint,
    };
    let open = |column, sealed: &[u8]| {
        let opened = cipher.open(sealed, place(column));
        opened.map_err(|error| StoreError::corrupt(format!("{column}: {error}")))
    };
    let egress = egress.map(|sealed| open(EGRESS, &sealed)).transpose()?;
    Ok(Key {
        id: KeyId(id),
        secret: open(SECRET, &secret)?,
        provider: providers.shared(&provider),
        label,
        project,
        weight: u16::try_from(weight).unwrap_or(1),
        priority,
        egress: egress.map(|url| url.expose().to_owned()),
        enabled: off.is_none(),
        source: KeySource::from_word(&source)?,
        created_at: UnixMs(at),
    })
}

/// One shared text for each provider, however many keys it has.
#[derive(Default)]
struct Providers(Vec<Arc<str>>);

impl Providers {
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| &***known == name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.push(Arc::clone(&name));
        name
    }
}

fn wish(draft: &KeyDraft) -> (Identity, Settings) {
    let identity = (Arc::clone(&draft.provider), draft.secret.fingerprint());
    let settings = Settings {
        label: draft.label.clone(),
        project: draft.project.clone(),
        weight: draft.weight,
        priority: draft.priority,
        egress: draft.egress.as_deref().map(Secret::new),
    };
    (identity, settings)
}

/// Every row without its secret. A proxy URL that does not open is read as none, and so written anew.
/// Read by another connection than the change's, it is up to date all the same: changes follow one another.
async fn known(store: &Store) -> Result<HashMap<Identity, Known<Settings>>, StoreError> {
    let mut providers = Providers::default();
    let mut known = HashMap::new();
    let take = |row: Row| {
        let (identity, row) = known_row(row, &mut providers, store.cipher())?;
        known.insert(identity, row);
        Ok(())
    };
    each_row(store, ROWS, |row| row.0, take).await?;
    Ok(known)
}

fn known_row(
    row: Row,
    providers: &mut Providers,
    cipher: &Cipher,
) -> Result<(Identity, Known<Settings>), StoreError> {
    let (id, provider, fingerprint, _, label, project, weight, priority, egress, off, source, _) =
        row;
    let place = Place {
        column: EGRESS,
        provider: &provider,
        fingerprint: &fingerprint,
    };
    let egress = egress.and_then(|sealed| cipher.open(&sealed, place).ok());
    let settings = Settings {
        label,
        project,
        weight: u16::try_from(weight).unwrap_or(1),
        priority,
        egress,
    };
    let row = Known {
        id,
        source: KeySource::from_word(&source)?,
        disabled_by: off.as_deref().map(DisabledBy::from_word).transpose()?,
        settings,
    };
    let identity = (providers.shared(&provider), read_fingerprint(&fingerprint)?);
    Ok((identity, row))
}

/// The fingerprint of 32 stored bytes.
pub(crate) fn read_fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    let bytes = <[u8; 32]>::try_from(bytes);
    bytes
        .map(Fingerprint)
        .map_err(|_| StoreError::corrupt("a fingerprint that has not 32 bytes"))
}

fn unique_rows(
    drafts: &[KeyDraft],
    cipher: &Cipher,
    now: UnixMs,
) -> Result<Vec<ActiveModel>, StoreError> {
    let mut seen = std::collections::HashSet::with_capacity(drafts.len());
    let mut rows = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let fingerprint = draft.secret.fingerprint();
        if seen.insert((&draft.provider, fingerprint)) {
            rows.push(row(draft, fingerprint, draft.source, None, cipher, now)?);
        }
    }
    Ok(rows)
}

fn row(
    draft: &KeyDraft,
    fingerprint: Fingerprint,
    source: KeySource,
    disabled_by: Option<DisabledBy>,
    cipher: &Cipher,
    now: UnixMs,
) -> Result<ActiveModel, StoreError> {
    let seal = |column, secret: &Secret| {
        let place = Place {
            column,
            provider: &draft.provider,
            fingerprint: &fingerprint.0,
        };
        let sealed = cipher.seal(secret, place);
        sealed.map_err(|error| StoreError::corrupt(format!("{column}: {error}")))
    };
    let egress = draft.egress.as_deref().map(Secret::new);
    Ok(ActiveModel {
        id: NotSet,
        provider: Set(draft.provider.to_string()),
        fingerprint: Set(fingerprint.0.to_vec()),
        secret: Set(seal(SECRET, &draft.secret)?),
        label: Set(draft.label.clone()),
        project: Set(draft.project.clone()),
        weight: Set(i16::try_from(draft.weight).unwrap_or(i16::MAX)),
        priority: Set(draft.priority),
        egress: Set(egress.map(|url| seal(EGRESS, &url)).transpose()?),
        disabled_by: Set(disabled_by.map(|by| by.word().to_owned())),
        source: Set(source.word().to_owned()),
        created_at: Set(now.0),
    })
}

/// All that a draft says; a row keeps its id and the time it was first seen.
fn overwrite() -> OnConflict {
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
        ])
        .to_owned()
}

/// Switches on (none) or off; says how many rows that changed.
async fn set_disabled_by<C: ConnectionTrait>(
    db: &C,
    ids: &[i64],
    to: Option<DisabledBy>,
) -> Result<u64, StoreError> {
    let to_switch = match to {
        Some(_) => Column::DisabledBy.is_null(),
        None => Column::DisabledBy.is_not_null(),
    };
    let mut switched = 0;
    for batch in batches(ids) {
        let update = Entity::update_many()
            .col_expr(
                Column::DisabledBy,
                Expr::value(to.map(|by| by.word().to_owned())),
            )
            .filter(Column::Id.is_in(batch.iter().copied()))
            .filter(to_switch.clone());
        switched += update.exec(db).await?.rows_affected;
    }
    Ok(switched)
}
