//! What the admin API works on: owners, sessions, settings, prices, bans, the activity log, what clients have used.
//! Columns are described where they are used, in the file of each entity.

use sea_orm::sea_query::{
    ColumnDef, Expr, ExprTrait as _, Index, IndexCreateStatement, Table, TableAlterStatement,
    TableCreateStatement,
};
use sea_orm::{ConditionalStatement as _, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::columns::{id, maybe, must, table};

/// This step.
pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &'static str {
        "m0002_people_and_money"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in new_columns() {
            manager.alter_table(column).await?;
        }
        for table in [
            sessions(),
            settings(),
            prices(),
            activity(),
            bans(),
            client_days(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn indexes() -> Vec<IndexCreateStatement> {
    let is_owned = Expr::col("owner_id").is_not_null();
    let mut of_owner = index("keys_owner", "keys", &["owner_id", "provider"]);
    // Keys of the pool are not in it: it costs them nothing.
    of_owner.and_where(is_owned);
    let mut selected = index("keys_selected", "keys", &["owner_id", "provider"]);
    selected.and_where(Expr::col("selected").eq(true)).unique();
    vec![
        of_owner,
        selected,
        index("sessions_user", "sessions", &["user_id"]),
        index("activity_owner", "activity", &["owner_id", "id"]),
        index("activity_at", "activity", &["at"]),
        index("client_days_day", "client_days", &["day"]),
    ]
}

fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

/// SQLite adds one column a statement.
fn new_columns() -> Vec<TableAlterStatement> {
    let flag = |name, default: bool| {
        let mut column = must(name, ColumnDef::boolean);
        column.default(default);
        column
    };
    [
        ("keys", maybe("owner_id", ColumnDef::big_integer)),
        ("keys", flag("selected", false)),
        ("clients", maybe("owner_id", ColumnDef::big_integer)),
        ("users", flag("enabled", true)),
        ("requests", maybe("cost_nanos", ColumnDef::big_integer)),
    ]
    .map(|(table, column)| Table::alter().table(table).add_column(column).to_owned())
    .into()
}

fn sessions() -> TableCreateStatement {
    let mut token = must("token", ColumnDef::blob);
    token.primary_key();
    table(
        "sessions",
        vec![
            token,
            must("user_id", ColumnDef::big_integer),
            must("created_at", ColumnDef::big_integer),
            must("expires_at", ColumnDef::big_integer),
        ],
    )
}

fn settings() -> TableCreateStatement {
    let mut name = must("name", ColumnDef::text);
    name.primary_key();
    table(
        "settings",
        vec![
            name,
            must("value", ColumnDef::text),
            must("updated_at", ColumnDef::big_integer),
        ],
    )
}

fn prices() -> TableCreateStatement {
    let mut identity = Index::create();
    identity.col("provider").col("model");
    let mut table = table(
        "prices",
        vec![
            must("provider", ColumnDef::text),
            must("model", ColumnDef::text),
            must("price", ColumnDef::text),
            must("updated_at", ColumnDef::big_integer),
        ],
    );
    table.primary_key(&mut identity);
    table
}

fn activity() -> TableCreateStatement {
    table(
        "activity",
        vec![
            id(),
            must("at", ColumnDef::big_integer),
            must("actor", ColumnDef::text),
            maybe("owner_id", ColumnDef::big_integer),
            must("action", ColumnDef::text),
            must("resource", ColumnDef::text),
            maybe("resource_id", ColumnDef::text),
            maybe("provider", ColumnDef::text),
            must("details", ColumnDef::text),
        ],
    )
}

fn bans() -> TableCreateStatement {
    let mut address = must("address", ColumnDef::text);
    address.primary_key();
    table(
        "bans",
        vec![
            address,
            must("reason", ColumnDef::text),
            must("created_at", ColumnDef::big_integer),
            maybe("until", ColumnDef::big_integer),
        ],
    )
}

fn client_days() -> TableCreateStatement {
    let mut identity = Index::create();
    identity.col("client_id").col("day");
    let mut table = table(
        "client_days",
        vec![
            must("client_id", ColumnDef::big_integer),
            must("day", ColumnDef::integer),
            must("requests", ColumnDef::big_integer),
            must("tokens", ColumnDef::big_integer),
            must("cost_nanos", ColumnDef::big_integer),
        ],
    );
    table.primary_key(&mut identity);
    table
}
