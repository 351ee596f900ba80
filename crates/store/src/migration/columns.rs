//! Short words for the columns of migration steps.

use sea_orm::sea_query::{ColumnDef, Table, TableCreateStatement};

pub(super) fn table(name: &'static str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    table
}

/// A number that the database gives. In SQLite this means that the id of a deleted row is never given again.
pub(super) fn id() -> ColumnDef {
    let mut column = ColumnDef::new("id");
    column
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key();
    column
}

pub(super) fn maybe(name: &'static str, of: fn(&mut ColumnDef) -> &mut ColumnDef) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    of(&mut column);
    column
}

pub(super) fn must(name: &'static str, of: fn(&mut ColumnDef) -> &mut ColumnDef) -> ColumnDef {
    let mut column = maybe(name, of);
    column.not_null();
    column
}
