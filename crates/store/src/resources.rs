//! Who has which resource of a provider's: files, caches, batches and the like, which only the project that made them
//! reaches. Written before whoever made one hears of it; read when a request names one that is not in memory.

use std::collections::BTreeMap;

use domain::{ClientId, Resource, ResourceName, UnixMs, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait as _, OnConflict};
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

use crate::StoreError;
use crate::batch::insert_all;
use crate::change::begin_write;
use crate::handle::Store;

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resources")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// What it is one of, for lists: `files`.
    pub collection: String,
    pub project: String,
    /// Null: a caller without a client key made it.
    pub client_id: Option<i64>,
    /// Null: that client key is nobody's.
    pub owner_id: Option<i64>,
    pub created_at: i64,
    /// Null: it is not known that it expires.
    pub expires_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whose resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Everybody's.
    Anybody,
    /// Those that were made without a client key.
    Anonymous,
    /// Those of a client key, and of the user whose key it is.
    Client(ClientId, Option<UserId>),
}

/// Which resources, for lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// Of this provider.
    pub provider: Option<String>,
    /// Of this collection.
    pub collection: Option<String>,
    /// Of this project.
    pub project: Option<String>,
    /// Made with this client key.
    pub client: Option<ClientId>,
    /// Of this user.
    pub owner: Option<UserId>,
    /// A part of the name.
    pub text: Option<String>,
}

/// Where a page of a list ended: the newest come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePlace {
    /// When the last one was made.
    pub created_at: UnixMs,
    /// Its provider.
    pub provider: String,
    /// Its name.
    pub name: String,
}

impl Store {
    /// Writes down who has what, all or nothing. What is there already, and has not expired by the time that the new one was
    /// made, stays as it is: nobody takes a resource over by making it up.
    pub async fn save_resources(&self, resources: &[Resource]) -> Result<(), StoreError> {
        if resources.is_empty() {
            return Ok(());
        }
        // In their order: instances that save at once wait for each other instead of deadlocking.
        let rows: BTreeMap<(&str, &str), ActiveModel> = resources
            .iter()
            .map(|resource| ((&*resource.provider, resource.name.as_str()), row(resource)))
            .collect();
        let rows: Vec<ActiveModel> = rows.into_values().collect();
        let is_over = Expr::col((Entity, Column::ExpiresAt))
            .lte(Expr::col((Alias::new("excluded"), Column::CreatedAt)));
        let keep = OnConflict::columns([Column::Provider, Column::Name])
            .update_columns([
                Column::Project,
                Column::ClientId,
                Column::OwnerId,
                Column::CreatedAt,
                Column::ExpiresAt,
            ])
            .action_and_where(is_over)
            .to_owned();
        let txn = begin_write(self).await?;
        insert_all(&txn, &rows, &keep).await?;
        Ok(txn.commit().await?)
    }

    /// When it expires now; none: nobody knows.
    pub async fn set_expiry(
        &self,
        provider: &str,
        name: &ResourceName,
        at: Option<UnixMs>,
    ) -> Result<(), StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::ExpiresAt, Expr::value(at.map(|at| at.0)))
            .filter(Column::Provider.eq(provider))
            .filter(Column::Name.eq(name.as_str()));
        update.exec(self.writer()).await?;
        Ok(())
    }

    /// Who has these; those that nobody is known to have, or that have expired, are left out.
    pub async fn resources_named(
        &self,
        provider: &str,
        names: &[ResourceName],
        now: UnixMs,
    ) -> Result<Vec<Resource>, StoreError> {
        let names = names.iter().map(ResourceName::as_str);
        let rows = Entity::find()
            .filter(Column::Provider.eq(provider))
            .filter(Column::Name.is_in(names))
            .filter(has_not_expired(now))
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().filter_map(resource).collect())
    }

    /// The projects in which somebody has anything of a collection.
    pub async fn projects_with(
        &self,
        provider: &str,
        collection: &str,
        holder: Holder,
        now: UnixMs,
    ) -> Result<Vec<String>, StoreError> {
        let rows = Entity::find()
            .select_only()
            .column(Column::Project)
            .distinct()
            .filter(Column::Provider.eq(provider))
            .filter(Column::Collection.eq(collection))
            .filter(held_by(holder))
            .filter(has_not_expired(now))
            .order_by_asc(Column::Project);
        Ok(rows.into_tuple().all(self.reader()).await?)
    }

    /// The project of what a client key, or callers without one, have made last.
    pub async fn last_project(
        &self,
        provider: &str,
        client: Option<ClientId>,
        now: UnixMs,
    ) -> Result<Option<String>, StoreError> {
        let theirs = client.map_or_else(
            || Column::ClientId.is_null(),
            |client| Column::ClientId.eq(client.0),
        );
        let newest = Entity::find()
            .select_only()
            .column(Column::Project)
            .filter(Column::Provider.eq(provider))
            .filter(theirs)
            .filter(has_not_expired(now))
            .order_by_desc(Column::CreatedAt)
            .limit(1);
        Ok(newest.into_tuple().one(self.reader()).await?)
    }

    /// Forgets a resource that is gone.
    pub async fn forget_resource(
        &self,
        provider: &str,
        name: &ResourceName,
    ) -> Result<bool, StoreError> {
        let row = Entity::delete_by_id((provider.to_owned(), name.as_str().to_owned()));
        Ok(row.exec(self.writer()).await?.rows_affected > 0)
    }

    /// Forgets what has expired, at most so many, so that writers wait only shortly; says how many.
    pub async fn forget_expired_resources(
        &self,
        now: UnixMs,
        at_most: u64,
    ) -> Result<u64, StoreError> {
        let some: Vec<(String, String)> = Entity::find()
            .select_only()
            .columns([Column::Provider, Column::Name])
            .filter(Column::ExpiresAt.lte(now.0))
            .limit(at_most)
            .into_tuple()
            .all(self.reader())
            .await?;
        let mut deleted = 0;
        for (provider, name) in some {
            let row = Entity::delete_by_id((provider, name));
            deleted += row.exec(self.writer()).await?.rows_affected;
        }
        Ok(deleted)
    }

    /// A page of what is there, the newest first.
    pub async fn list_resources(
        &self,
        filter: &ResourceFilter,
        after: Option<&ResourcePlace>,
        at_most: u64,
        now: UnixMs,
    ) -> Result<Vec<Resource>, StoreError> {
        let mut find = Entity::find()
            .filter(filter.condition())
            .filter(has_not_expired(now));
        if let Some(place) = after {
            find = find.filter(behind(place));
        }
        let rows = find
            .order_by_desc(Column::CreatedAt)
            .order_by_asc(Column::Provider)
            .order_by_asc(Column::Name)
            .limit(at_most)
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().filter_map(resource).collect())
    }
}

impl ResourceFilter {
    fn condition(&self) -> Condition {
        let Self {
            provider,
            collection,
            project,
            client,
            owner,
            text,
        } = self;
        Condition::all()
            .add_option(provider.as_ref().map(|it| Column::Provider.eq(it.as_str())))
            .add_option(
                collection
                    .as_ref()
                    .map(|it| Column::Collection.eq(it.as_str())),
            )
            .add_option(project.as_ref().map(|it| Column::Project.eq(it.as_str())))
            .add_option(client.map(|it| Column::ClientId.eq(it.0)))
            .add_option(owner.map(|it| Column::OwnerId.eq(it.0)))
            .add_option(text.as_ref().map(|it| Column::Name.contains(it.as_str())))
    }
}

fn behind(place: &ResourcePlace) -> Condition {
    let at = place.created_at.0;
    let same = Condition::any()
        .add(Column::Provider.gt(place.provider.as_str()))
        .add(
            Condition::all()
                .add(Column::Provider.eq(place.provider.as_str()))
                .add(Column::Name.gt(place.name.as_str())),
        );
    Condition::any()
        .add(Column::CreatedAt.lt(at))
        .add(Condition::all().add(Column::CreatedAt.eq(at)).add(same))
}

fn has_not_expired(now: UnixMs) -> Condition {
    Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(now.0))
}

fn held_by(holder: Holder) -> Condition {
    match holder {
        Holder::Anybody => Condition::all(),
        Holder::Anonymous => Condition::all().add(Column::ClientId.is_null()),
        Holder::Client(client, owner) => Condition::any()
            .add(Column::ClientId.eq(client.0))
            .add_option(owner.map(|owner| Column::OwnerId.eq(owner.0))),
    }
}

fn row(resource: &Resource) -> ActiveModel {
    ActiveModel {
        provider: Set(resource.provider.to_string()),
        name: Set(resource.name.as_str().to_owned()),
        collection: Set(resource.name.collection().to_owned()),
        project: Set(resource.project.to_string()),
        client_id: Set(resource.client.map(|client| client.0)),
        owner_id: Set(resource.owner.map(|owner| owner.0)),
        created_at: Set(resource.created_at.0),
        expires_at: Set(resource.expires_at.map(|at| at.0)),
    }
}

/// None where the name is none, which only somebody else can have written.
fn resource(row: Model) -> Option<Resource> {
    Some(Resource {
        provider: row.provider.into(),
        name: ResourceName::new(&row.name)?,
        project: row.project.into(),
        client: row.client_id.map(ClientId),
        owner: row.owner_id.map(UserId),
        created_at: UnixMs(row.created_at),
        expires_at: row.expires_at.map(UnixMs),
    })
}
