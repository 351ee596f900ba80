//! The activity log: who changed what, and when. Lines of changes are written with them, by [`Change::log`];
//! logins and what keymux itself does to keys are no configuration and come by [`Store::log`].

use domain::{Action, Activity, Event, UnixMs, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Func, Query};
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, Condition, DbBackend};
use sea_orm::{Order, QueryOrder as _, QuerySelect as _};

use crate::StoreError;
use crate::batch::batches;
use crate::change::{Change, begin_write};
use crate::handle::Store;
use crate::names::static_name;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "activity")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: i64,
    pub actor: String,
    pub owner_id: Option<i64>,
    pub action: String,
    pub resource: String,
    pub resource_id: Option<String>,
    pub provider: Option<String>,
    pub details: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which lines to read; what is none is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Whose things were concerned.
    pub owner: Option<UserId>,
    /// Who did it.
    pub actor: Option<String>,
    /// What was done.
    pub action: Option<Action>,
    /// The kind of thing it was done to.
    pub resource: Option<String>,
    /// Which one.
    pub resource_id: Option<String>,
    /// Of which provider.
    pub provider: Option<String>,
    /// Not before.
    pub from: Option<UnixMs>,
    /// Before, not at.
    pub to: Option<UnixMs>,
    /// What the details contain, whatever the case of ASCII letters.
    pub text: Option<String>,
}

impl ActivityFilter {
    fn condition(&self, backend: DbBackend) -> Condition {
        Condition::all()
            .add_option(self.owner.map(|owner| Column::OwnerId.eq(owner.0)))
            .add_option(self.actor.as_ref().map(|actor| Column::Actor.eq(actor)))
            .add_option(self.action.map(|action| Column::Action.eq(action.word())))
            .add_option(self.resource.as_ref().map(|kind| Column::Resource.eq(kind)))
            .add_option(
                self.resource_id
                    .as_ref()
                    .map(|id| Column::ResourceId.eq(id)),
            )
            .add_option(self.provider.as_ref().map(|name| Column::Provider.eq(name)))
            .add_option(self.from.map(|from| Column::At.gte(from.0)))
            .add_option(self.to.map(|to| Column::At.lt(to.0)))
            .add_option(self.text.as_deref().map(|text| contains(text, backend)))
    }
}

/// Both sides are made lower case by the database, which knows its own rules.
fn contains(text: &str, backend: DbBackend) -> Expr {
    let position = match backend {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    let position = Func::cust(position)
        .arg(Func::lower(Expr::col(Column::Details)))
        .arg(Func::lower(Expr::value(text)));
    Expr::from(position).gt(0)
}

impl Change {
    /// Writes the line that tells of this change.
    pub async fn log(&self, event: &Event, now: UnixMs) -> Result<(), StoreError> {
        Entity::insert(row(event, now))
            .exec_without_returning(self.txn())
            .await?;
        Ok(())
    }
}

impl Store {
    /// Writes lines of what is no change of configuration: all of them or, on an error, none.
    pub async fn log(&self, events: &[Event], now: UnixMs) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let rows: Vec<ActiveModel> = events.iter().map(|event| row(event, now)).collect();
        let txn = begin_write(self).await?;
        for batch in batches(&rows) {
            let insert = Entity::insert_many(batch.iter().cloned());
            insert.exec_without_returning(&txn).await?;
        }
        Ok(txn.commit().await?)
    }

    /// The newest lines that pass the filter and are older than the line `before`, newest first.
    /// One that cannot be read is left out, and logged as an error.
    pub async fn activities(
        &self,
        filter: &ActivityFilter,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Activity>, StoreError> {
        let older = before.map(|before| Column::Id.lt(before));
        let newest = Entity::find()
            .filter(filter.condition(self.backend()).add_option(older))
            .order_by_desc(Column::Id)
            .limit(limit);
        let rows = newest.all(self.reader()).await?;
        let mut activities = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            match activity(row) {
                Ok(activity) => activities.push(activity),
                Err(error) => tracing::error!(activity = id, %error, "activity left out"),
            }
        }
        Ok(activities)
    }

    /// Deletes the oldest lines before `time`, at most so many, so that writers wait only shortly; says how many.
    pub async fn delete_activities_before(
        &self,
        time: UnixMs,
        at_most: u64,
    ) -> Result<u64, StoreError> {
        let oldest = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::At.lt(time.0))
            .order_by(Column::At, Order::Asc)
            .limit(at_most)
            .to_owned();
        let delete = Entity::delete_many().filter(Column::Id.in_subquery(oldest));
        Ok(delete.exec(self.writer()).await?.rows_affected)
    }
}

fn row(event: &Event, now: UnixMs) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        at: Set(now.0),
        actor: Set(event.actor.clone()),
        owner_id: Set(event.owner.map(|owner| owner.0)),
        action: Set(event.action.word().to_owned()),
        resource: Set(event.resource.to_owned()),
        resource_id: Set(event.resource_id.clone()),
        provider: Set(event.provider.clone()),
        details: Set(event.details.clone()),
    }
}

fn activity(row: Model) -> Result<Activity, StoreError> {
    let action = Action::from_word(&row.action);
    let action = action.ok_or_else(|| StoreError::corrupt(format!("action `{}`", row.action)))?;
    Ok(Activity {
        id: row.id,
        at: UnixMs(row.at),
        event: Event {
            actor: row.actor,
            owner: row.owner_id.map(UserId),
            action,
            resource: static_name(&row.resource),
            resource_id: row.resource_id,
            provider: row.provider,
            details: row.details,
        },
    })
}
