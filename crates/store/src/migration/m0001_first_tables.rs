//! The first tables: keys and their states, clients, users, uploads, request records.
//! Columns are described where they are used, in the file of each entity.

use sea_orm::sea_query::{
    ColumnDef, Expr, ExprTrait as _, Index, IndexCreateStatement, InsertStatement, Query,
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
        "m0001_first_tables"
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            meta(),
            keys(),
            key_states(),
            pair_states(),
            clients(),
            users(),
            uploads(),
            requests(),
        ] {
            manager.create_table(table).await?;
        }
        for index in [one_key_a_provider(), failed_requests()] {
            manager.create_index(index).await?;
        }
        manager.execute(first_revision()).await
    }
}

fn given_id(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null().primary_key();
    column
}

fn meta() -> TableCreateStatement {
    let mut name = must("name", ColumnDef::text);
    name.primary_key();
    table(
        "meta",
        vec![
            name,
            must("number", ColumnDef::big_integer),
            maybe("sealed", ColumnDef::blob),
        ],
    )
}

fn first_revision() -> InsertStatement {
    Query::insert()
        .into_table("meta")
        .columns(["name", "number"])
        .values_panic(["revision".into(), 0.into()])
        .to_owned()
}

fn keys() -> TableCreateStatement {
    table(
        "keys",
        vec![
            id(),
            must("provider", ColumnDef::text),
            must("fingerprint", ColumnDef::blob),
            must("secret", ColumnDef::blob),
            maybe("label", ColumnDef::text),
            maybe("project", ColumnDef::text),
            must("weight", ColumnDef::small_integer),
            must("priority", ColumnDef::small_integer),
            maybe("egress", ColumnDef::blob),
            maybe("disabled_by", ColumnDef::text),
            must("source", ColumnDef::text),
            must("created_at", ColumnDef::big_integer),
        ],
    )
}

fn one_key_a_provider() -> IndexCreateStatement {
    Index::create()
        .name("keys_provider_fingerprint")
        .table("keys")
        .col("provider")
        .col("fingerprint")
        .unique()
        .to_owned()
}

fn cooling() -> Vec<ColumnDef> {
    vec![
        maybe("until", ColumnDef::big_integer),
        maybe("probe_at", ColumnDef::big_integer),
        maybe("class", ColumnDef::text),
        maybe("streak", ColumnDef::small_integer),
    ]
}

/// Without a foreign key: a state is saved in the background, perhaps after another instance deleted the key.
fn key_states() -> TableCreateStatement {
    let mut columns = vec![
        given_id("key_id"),
        must("health", ColumnDef::text),
        maybe("reason", ColumnDef::text),
        maybe("since", ColumnDef::big_integer),
        must("failures", ColumnDef::integer),
        must("has_worked", ColumnDef::boolean),
        must("updated_at", ColumnDef::big_integer),
    ];
    columns.extend(cooling());
    table("key_states", columns)
}

fn pair_states() -> TableCreateStatement {
    let mut columns = vec![
        must("provider", ColumnDef::text),
        must("project", ColumnDef::text),
        must("model", ColumnDef::text),
        must("day", ColumnDef::integer),
        must("day_requests", ColumnDef::big_integer),
        must("day_suspected", ColumnDef::boolean),
        must("updated_at", ColumnDef::big_integer),
    ];
    columns.extend(cooling());
    let mut identity = Index::create();
    identity.col("provider").col("project").col("model");
    let mut table = table("pair_states", columns);
    table.primary_key(&mut identity);
    table
}

fn clients() -> TableCreateStatement {
    let mut fingerprint = must("fingerprint", ColumnDef::blob);
    fingerprint.unique_key();
    table(
        "clients",
        vec![
            id(),
            must("name", ColumnDef::text),
            fingerprint,
            must("masked", ColumnDef::text),
            maybe("disabled_by", ColumnDef::text),
            maybe("expires_at", ColumnDef::big_integer),
            must("limits", ColumnDef::text),
            must("source", ColumnDef::text),
            must("created_at", ColumnDef::big_integer),
        ],
    )
}

fn users() -> TableCreateStatement {
    let mut username = must("username", ColumnDef::text);
    username.unique_key();
    table(
        "users",
        vec![
            id(),
            username,
            must("role", ColumnDef::text),
            must("password_hash", ColumnDef::text),
            must("created_at", ColumnDef::big_integer),
            must("updated_at", ColumnDef::big_integer),
        ],
    )
}

fn uploads() -> TableCreateStatement {
    let mut upload = must("upload", ColumnDef::blob);
    upload.primary_key();
    table(
        "uploads",
        vec![
            upload,
            maybe("client_id", ColumnDef::big_integer),
            must("key_id", ColumnDef::big_integer),
            must("expires_at", ColumnDef::big_integer),
        ],
    )
}

fn requests() -> TableCreateStatement {
    table(
        "requests",
        vec![
            given_id("id"),
            maybe("client_id", ColumnDef::big_integer),
            must("dialect", ColumnDef::text),
            must("endpoint", ColumnDef::text),
            maybe("provider", ColumnDef::text),
            maybe("model", ColumnDef::text),
            maybe("key_id", ColumnDef::big_integer),
            must("status", ColumnDef::small_integer),
            must("stream", ColumnDef::boolean),
            must("latency_us", ColumnDef::big_integer),
            maybe("first_byte_us", ColumnDef::big_integer),
            maybe("error", ColumnDef::text),
            maybe("attempts", ColumnDef::text),
            maybe("prompt_tokens", ColumnDef::big_integer),
            maybe("output_tokens", ColumnDef::big_integer),
            maybe("reasoning_tokens", ColumnDef::big_integer),
            maybe("cached_tokens", ColumnDef::big_integer),
            maybe("tool_tokens", ColumnDef::big_integer),
            maybe("total_tokens", ColumnDef::big_integer),
        ],
    )
}

/// Rows of successes are not in it: it costs them nothing.
fn failed_requests() -> IndexCreateStatement {
    Index::create()
        .name("requests_failed")
        .table("requests")
        .col("id")
        .and_where(Expr::col("error").is_not_null())
        .to_owned()
}
