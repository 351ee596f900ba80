//! What is remembered of (project, model) pairs over a restart: coolings and the counts of the day.
//! They are saved together with keys' states, by `Store::save_states`.

use std::collections::BTreeMap;

use domain::{KeyId, PairId, PairState, UnixMs};
use sea_orm::ActiveValue::Set;
use sea_orm::Condition;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::StoreError;
use crate::batch::{batches, insert_all};
use crate::cooling::CoolingColumns;
use crate::handle::Store;

/// One pair's state. A pair without a row has the default state.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pair_states")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub project: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: String,
    pub until: Option<i64>,
    pub probe_at: Option<i64>,
    pub class: Option<String>,
    pub streak: Option<i16>,
    /// Days since 1970-01-01, in Pacific time.
    pub day: i32,
    pub day_requests: i64,
    pub day_suspected: bool,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Store {
    /// Every pair that something is remembered of. One that cannot be read is left out, and logged as an error.
    pub async fn load_pairs(&self) -> Result<Vec<(PairId, PairState)>, StoreError> {
        let rows = Entity::find().all(self.reader()).await?;
        let mut pairs = Vec::with_capacity(rows.len());
        for row in rows {
            match pair(row) {
                Ok(pair) => pairs.push(pair),
                Err(error) => tracing::error!(%error, "state of a pair left out"),
            }
        }
        Ok(pairs)
    }
}

/// Writes states over those that are kept; of two for one pair the last counts.
pub(crate) async fn save<C: ConnectionTrait>(
    db: &C,
    pairs: &[(PairId, PairState)],
    now: UnixMs,
) -> Result<(), StoreError> {
    let pairs: BTreeMap<&PairId, &PairState> =
        pairs.iter().map(|(id, state)| (id, state)).collect();
    let (idle, kept): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(_, state)| is_idle(state));
    let rows: Vec<ActiveModel> = kept
        .into_iter()
        .map(|(id, state)| row(id, state, now))
        .collect();
    insert_all(db, &rows, &overwrite()).await?;
    for batch in batches(&idle) {
        let any = batch
            .iter()
            .fold(Condition::any(), |any, (id, _)| any.add(is(id)));
        Entity::delete_many().filter(any).exec(db).await?;
    }
    Ok(())
}

/// The project of a key that has none.
pub(crate) fn project_of(key: KeyId) -> String {
    format!("key:{key}")
}

/// Deletes the states of a provider's projects, whatever the model.
pub(crate) async fn forget<C: ConnectionTrait>(
    db: &C,
    provider: &str,
    projects: &[String],
) -> Result<(), StoreError> {
    for batch in batches(projects) {
        Entity::delete_many()
            .filter(Column::Provider.eq(provider))
            .filter(Column::Project.is_in(batch))
            .exec(db)
            .await?;
    }
    Ok(())
}

fn is_idle(state: &PairState) -> bool {
    state.cooling.is_none() && state.day_requests == 0 && !state.day_suspected
}

fn is(id: &PairId) -> Condition {
    Condition::all()
        .add(Column::Provider.eq(&id.provider))
        .add(Column::Project.eq(&id.project))
        .add(Column::Model.eq(&id.model))
}

fn pair(row: Model) -> Result<(PairId, PairState), StoreError> {
    let cooling = CoolingColumns {
        until: row.until,
        probe_at: row.probe_at,
        class: row.class,
        streak: row.streak,
    };
    let state = PairState {
        cooling: cooling.read()?,
        day: row.day,
        day_requests: u32::try_from(row.day_requests).unwrap_or(u32::MAX),
        day_suspected: row.day_suspected,
    };
    let id = PairId {
        provider: row.provider,
        project: row.project,
        model: row.model,
    };
    Ok((id, state))
}

fn row(id: &PairId, state: &PairState, now: UnixMs) -> ActiveModel {
    let cooling = state.cooling.map(CoolingColumns::from).unwrap_or_default();
    ActiveModel {
        provider: Set(id.provider.clone()),
        project: Set(id.project.clone()),
        model: Set(id.model.clone()),
        until: Set(cooling.until),
        probe_at: Set(cooling.probe_at),
        class: Set(cooling.class),
        streak: Set(cooling.streak),
        day: Set(state.day),
        day_requests: Set(i64::from(state.day_requests)),
        day_suspected: Set(state.day_suspected),
        updated_at: Set(now.0),
    }
}

fn overwrite() -> OnConflict {
    OnConflict::columns([Column::Provider, Column::Project, Column::Model])
        .update_columns([
            Column::Until,
            Column::ProbeAt,
            Column::Class,
            Column::Streak,
            Column::Day,
            Column::DayRequests,
            Column::DaySuspected,
            Column::UpdatedAt,
        ])
        .to_owned()
}
