//! What is remembered of keys over a restart. Written in the background in batches, read once at start.
//! Keys' own fields are in `keys.rs`: apart, because these rows change all the time and must stay small.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{KeyHealth, KeyId, KeyState, PairId, PairState, RetiredReason, UnixMs};
use sea_orm::ActiveValue::Set;
use sea_orm::DatabaseTransaction;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::batch::insert_all;
use crate::change::{Change, begin_write};
use crate::cooling::CoolingColumns;
use crate::handle::Store;
use crate::names::Word as _;
use crate::page::each_row;
use crate::{StoreError, pair_states};

/// One key's state. A key without a row has the default state.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_states")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: i64,
    /// `active`, `cooling` (with the columns of a cooling) or `retired` (with `reason` and `since`).
    pub health: String,
    pub until: Option<i64>,
    pub probe_at: Option<i64>,
    pub class: Option<String>,
    pub streak: Option<i16>,
    pub reason: Option<String>,
    pub since: Option<i64>,
    pub failures: i32,
    pub has_worked: bool,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Writes states over those that are kept: all of them or, on an error, none.
    /// A pair that is not cooling, not suspected and has no requests in its day is forgotten.
    pub async fn save_states(
        &self,
        keys: &[(KeyId, KeyState)],
        pairs: &[(PairId, PairState)],
        now: UnixMs,
    ) -> Result<(), StoreError> {
        if keys.is_empty() && pairs.is_empty() {
            return Ok(());
        }
        // In the order of their ids: instances that save at once wait for each other instead of deadlocking.
        let keys: BTreeMap<KeyId, &KeyState> =
            keys.iter().map(|(id, state)| (*id, state)).collect();
        let rows: Vec<ActiveModel> = keys
            .into_iter()
            .map(|(id, state)| row(id, state, now))
            .collect();
        let txn = begin_write(self).await?;
        write(&txn, &rows).await?;
        pair_states::save(&txn, pairs, now).await?;
        Ok(txn.commit().await?)
    }

    /// [`Change::revive_keys`] as a change of its own.
    pub async fn revive_keys(&self, keys: &[KeyId], now: UnixMs) -> Result<(), StoreError> {
        let change = self.change().await?;
        change.revive_keys(keys, now).await?;
        change.publish().await?;
        Ok(())
    }
}

impl Change {
    /// Makes keys active again, whatever was known of them: an operator has seen that they work.
    /// Instances that run take it over.
    pub async fn revive_keys(&self, keys: &[KeyId], now: UnixMs) -> Result<(), StoreError> {
        let active = KeyState {
            has_worked: true,
            ..KeyState::default()
        };
        // In the order of their ids, as above.
        let keys: BTreeSet<KeyId> = keys.iter().copied().collect();
        let rows: Vec<ActiveModel> = keys.into_iter().map(|id| row(id, &active, now)).collect();
        write(self.txn(), &rows).await
    }
}

/// Deletes the states of keys.
pub(crate) async fn forget<C: ConnectionTrait>(db: &C, keys: &[i64]) -> Result<(), StoreError> {
    let states = Entity::delete_many().filter(Column::KeyId.is_in(keys.iter().copied()));
    states.exec(db).await?;
    Ok(())
}

async fn write(txn: &DatabaseTransaction, rows: &[ActiveModel]) -> Result<(), StoreError> {
    insert_all(txn, rows, &overwrite()).await?;
    Ok(())
}

const ROWS: &str = "SELECT key_id, health, until, probe_at, class, streak, reason, since, \
    failures, has_worked FROM key_states WHERE key_id > $1 ORDER BY key_id LIMIT 2000";

/// The columns of [`ROWS`].
type Row = (
    i64,
    String,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i16>,
    Option<String>,
    Option<i64>,
    i32,
    bool,
);

/// Every state by its key. One that cannot be read is left out, and logged as an error: its key starts anew.
pub(crate) async fn load(store: &Store) -> Result<HashMap<i64, KeyState>, StoreError> {
    let mut states = HashMap::new();
    let take = |row: Row| {
        let id = row.0;
        match state(row) {
            Ok(state) => drop(states.insert(id, state)),
            Err(error) => tracing::error!(key = id, %error, "state of a key left out"),
        }
        Ok(())
    };
    each_row(store, ROWS, |row| row.0, take).await?;
    Ok(states)
}

/// The states of some keys.
pub(crate) async fn load_of(
    store: &Store,
    keys: &[KeyId],
) -> Result<HashMap<i64, KeyState>, StoreError> {
    let rows = Entity::find().filter(Column::KeyId.is_in(keys.iter().map(|key| key.0)));
    let rows = rows.all(store.reader()).await?.into_iter();
    rows.map(|row| Ok((row.key_id, state(Row::from(row))?)))
        .collect()
}

impl From<Model> for Row {
    fn from(row: Model) -> Self {
        (
            row.key_id,
            row.health,
            row.until,
            row.probe_at,
            row.class,
            row.streak,
            row.reason,
            row.since,
            row.failures,
            row.has_worked,
        )
    }
}

fn state(row: Row) -> Result<KeyState, StoreError> {
    let (_, health, until, probe_at, class, streak, reason, since, failures, has_worked) = row;
    let cooling = CoolingColumns {
        until,
        probe_at,
        class,
        streak,
    };
    let health = match (health.as_str(), cooling.read()?, reason) {
        ("active", ..) => KeyHealth::Active,
        ("cooling", Some(cooling), _) => KeyHealth::Cooling(cooling),
        ("retired", _, Some(reason)) => KeyHealth::Retired {
            reason: RetiredReason::from_word(&reason)?,
            since: UnixMs(since.unwrap_or_default()),
        },
        (health, ..) => return Err(StoreError::corrupt(format!("health `{health}`"))),
    };
    Ok(KeyState {
        health,
        failures: u16::try_from(failures).unwrap_or(u16::MAX),
        has_worked,
    })
}

fn row(id: KeyId, state: &KeyState, now: UnixMs) -> ActiveModel {
    let (health, cooling, retired) = match &state.health {
        KeyHealth::Active => ("active", CoolingColumns::default(), None),
        KeyHealth::Cooling(cooling) => ("cooling", CoolingColumns::from(*cooling), None),
        KeyHealth::Retired { reason, since } => {
            ("retired", CoolingColumns::default(), Some((reason, since)))
        }
    };
    ActiveModel {
        key_id: Set(id.0),
        health: Set(health.to_owned()),
        until: Set(cooling.until),
        probe_at: Set(cooling.probe_at),
        class: Set(cooling.class),
        streak: Set(cooling.streak),
        reason: Set(retired.map(|(reason, _)| reason.word().to_owned())),
        since: Set(retired.map(|(_, since)| since.0)),
        failures: Set(i32::from(state.failures)),
        has_worked: Set(state.has_worked),
        updated_at: Set(now.0),
    }
}

fn overwrite() -> OnConflict {
    OnConflict::column(Column::KeyId)
        .update_columns([
            Column::Health,
            Column::Until,
            Column::ProbeAt,
            Column::Class,
            Column::Streak,
            Column::Reason,
            Column::Since,
            Column::Failures,
            Column::HasWorked,
            Column::UpdatedAt,
        ])
        .to_owned()
}
