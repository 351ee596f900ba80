//! The last check of each key with each model. Written in the background in batches; read in pages after the start, which
//! does not wait for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{CheckResult, Class, KeyCheck, KeyId, UnixMs};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, OnConflict, Query};
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

use crate::StoreError;
use crate::batch::insert_all;
use crate::change::begin_write;
use crate::handle::Store;
use crate::names::{Word as _, static_name};
use crate::sql::Sql;

/// The last check of a key with a model.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_checks")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: i64,
    /// As the provider names it; empty: the key alone.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: String,
    pub checked_at: i64,
    pub next_at: i64,
    /// Null: no answer.
    pub status: Option<i32>,
    pub class: String,
    pub reason: String,
    pub latency_ms: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A key and a model.
pub type CheckPlace = (KeyId, String);

/// Some of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckPage {
    /// Those that can be read; the others are logged as errors.
    pub checks: Vec<KeyCheck>,
    /// Where the page ends; none: there was nothing more.
    pub last: Option<CheckPlace>,
}

impl Store {
    /// Writes checks over those that are kept: all of them or, on an error, none. Of two for one key and model the last
    /// counts.
    pub async fn save_checks(&self, checks: &[KeyCheck]) -> Result<(), StoreError> {
        if checks.is_empty() {
            return Ok(());
        }
        // In their order: instances that save at once wait for each other instead of deadlocking.
        let checks: BTreeMap<(KeyId, &str), &KeyCheck> = checks
            .iter()
            .map(|check| ((check.key, &*check.model), check))
            .collect();
        let rows: Vec<ActiveModel> = checks.into_values().map(row).collect();
        let txn = begin_write(self).await?;
        insert_all(&txn, &rows, &overwrite()).await?;
        Ok(txn.commit().await?)
    }

    /// The first `at_most` checks behind that place, in order of key and model.
    pub async fn load_checks(
        &self,
        after: Option<&CheckPlace>,
        at_most: u64,
    ) -> Result<CheckPage, StoreError> {
        let (key, model) = after.map_or((i64::MIN, ""), |(key, model)| (key.0, model));
        let behind = Condition::any().add(Column::KeyId.gt(key)).add(
            Condition::all()
                .add(Column::KeyId.eq(key))
                .add(Column::Model.gt(model)),
        );
        let rows = Entity::find()
            .filter(Column::KeyId.gte(key))
            .filter(behind)
            .order_by_asc(Column::KeyId)
            .order_by_asc(Column::Model)
            .limit(at_most)
            .all(self.reader())
            .await?;
        let mut page = CheckPage::default();
        for row in rows {
            let place = (KeyId(row.key_id), row.model.clone());
            match check(row) {
                Ok(check) => page.checks.push(check),
                Err(error) => tracing::error!(key = %place.0, %error, "a check left out"),
            }
            page.last = Some(place);
        }
        Ok(page)
    }

    /// The provider and the model of every check that is kept, each pair once.
    pub async fn checked_models(&self) -> Result<Vec<(String, String)>, StoreError> {
        const TEXT: &str = "SELECT DISTINCT keys.provider, key_checks.model FROM key_checks \
            JOIN keys ON keys.id = key_checks.key_id";
        let statement = Sql::new(self.backend(), TEXT).statement();
        let rows = self.reader().query_all_raw(statement).await?;
        let pair = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        rows.iter().map(pair).collect()
    }

    /// Deletes checks of a provider's keys with this model, at most so many, so that writers wait only shortly; says how
    /// many.
    pub async fn forget_checks(
        &self,
        provider: &str,
        model: &str,
        at_most: u64,
    ) -> Result<u64, StoreError> {
        use crate::keys::row::{Column as KeyColumn, Entity as Keys};
        let own = Query::select()
            .column(KeyColumn::Id)
            .from(Keys)
            .and_where(KeyColumn::Provider.eq(provider))
            .to_owned();
        let some = Query::select()
            .column(Column::KeyId)
            .from(Entity)
            .and_where(Column::Model.eq(model))
            .and_where(Expr::col(Column::KeyId).in_subquery(own))
            .limit(at_most)
            .to_owned();
        let delete = Entity::delete_many()
            .filter(Column::Model.eq(model))
            .filter(Column::KeyId.in_subquery(some));
        Ok(delete.exec(self.writer()).await?.rows_affected)
    }
}

/// Deletes the checks of keys.
pub(crate) async fn forget<C: ConnectionTrait>(db: &C, keys: &[i64]) -> Result<(), StoreError> {
    let checks = Entity::delete_many().filter(Column::KeyId.is_in(keys.iter().copied()));
    checks.exec(db).await?;
    Ok(())
}

fn row(check: &KeyCheck) -> ActiveModel {
    ActiveModel {
        key_id: Set(check.key.0),
        model: Set(check.model.to_string()),
        checked_at: Set(check.checked_at.0),
        next_at: Set(check.next_at.0),
        status: Set(check.result.status.map(i32::from)),
        class: Set(check.result.class.word().to_owned()),
        reason: Set(check.result.reason.to_owned()),
        latency_ms: Set(i64::from(check.result.latency_ms)),
    }
}

fn check(row: Model) -> Result<KeyCheck, StoreError> {
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    Ok(KeyCheck {
        key: KeyId(row.key_id),
        model: Arc::from(row.model),
        checked_at: UnixMs(row.checked_at),
        next_at: UnixMs(row.next_at),
        result: CheckResult {
            status,
            class: Class::from_word(&row.class)?,
            reason: static_name(&row.reason),
            latency_ms: u32::try_from(row.latency_ms).unwrap_or(u32::MAX),
        },
    })
}

fn overwrite() -> OnConflict {
    OnConflict::columns([Column::KeyId, Column::Model])
        .update_columns([
            Column::CheckedAt,
            Column::NextAt,
            Column::Status,
            Column::Class,
            Column::Reason,
            Column::LatencyMs,
        ])
        .to_owned()
}
