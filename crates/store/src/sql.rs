//! A statement that is put together at run time, with its values: what the ORM has no words for.
//! Texts are constants of this crate; everything that comes from outside is bound.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};

use crate::StoreError;
use crate::handle::Store;

/// A text and the values of its parameters.
#[derive(Debug)]
pub(crate) struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(backend: DbBackend, text: &str) -> Self {
        Self {
            backend,
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Appends text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a parameter and its value.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        if self.is_postgres() {
            self.text.push('$');
            self.text.push_str(&self.values.len().to_string());
        } else {
            self.text.push('?');
        }
        self
    }

    /// Appends `(?,?,…)`. There must be one at least.
    pub(crate) fn list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) {
        for (at, value) in values.into_iter().enumerate() {
            self.push(if at == 0 { "(" } else { "," }).bind(value);
        }
        self.push(")");
    }

    /// How the database would execute it, in its own words.
    pub(crate) async fn plan(mut self, store: &Store) -> Result<Vec<String>, StoreError> {
        let (explain, column) = match self.backend {
            DbBackend::Postgres => ("EXPLAIN ", 0),
            _ => ("EXPLAIN QUERY PLAN ", 3),
        };
        self.text.insert_str(0, explain);
        let rows = store.reader().query_all_raw(self.statement()).await?;
        let lines = rows.iter().map(|row| row.try_get_by_index(column));
        Ok(lines.collect::<Result<_, _>>()?)
    }

    pub(crate) fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.values)
    }
}
