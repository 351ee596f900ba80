//! Which records an operator wants to see, and which index finds them. The conditions of a filter are written here;
//! how a large table is searched with them is in `listing.rs`.

use std::collections::BTreeSet;

use domain::{Class, ClientId, KeyId, RequestId, UnixMs};
use sea_orm::Value;

use crate::sql::Sql;

/// Which records to list; what is left out is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Begun from then on.
    pub from: Option<UnixMs>,
    /// Begun before then.
    pub to: Option<UnixMs>,
    /// Of one of these clients: those that a member may see.
    pub clients: Option<Vec<ClientId>>,
    /// Of this client.
    pub client: Option<ClientId>,
    /// To this provider.
    pub provider: Option<String>,
    /// For this model.
    pub model: Option<String>,
    /// Last tried with this key.
    pub key: Option<KeyId>,
    /// Answered with such a status.
    pub status: Option<StatusFilter>,
    /// Only those that went wrong; not those whose caller went away.
    pub failed_only: bool,
    /// With this text in model, endpoint, class of error or attempts, in capital letters or not.
    pub text: Option<String>,
}

/// Which statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusFilter {
    /// This one.
    One(u16),
    /// Those of a class by its first digit: 4 for 400 to 499.
    Class(u16),
}

/// A column that has an index of its own: its values are the arms of a search, each of which an index finds in the
/// order of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indexed {
    Client,
    /// From 400 on.
    Status,
    Model,
}

impl Indexed {
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Client => "client_id",
            Self::Status => "status",
            Self::Model => "model",
        }
    }

    pub(super) const fn index(self) -> &'static str {
        match self {
            Self::Client => "requests_client_id",
            Self::Status => "requests_status",
            Self::Model => "requests_model",
        }
    }
}

/// How the table is searched.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Path {
    /// Row by row.
    Rows,
    /// Along the index of failures.
    Failures,
    /// Along the index of a column, for each of these values.
    Arms(Indexed, Vec<Value>),
}

/// More arms than this make a statement that is dearer than a search row by row.
const MOST_ARMS: usize = 100;
/// Statuses below are too many for an index.
const FIRST_INDEXED_STATUS: u16 = 400;

impl RecordFilter {
    /// Every way that there is to what is asked for.
    pub(super) fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        let mut add = |indexed, values: Vec<Value>| paths.push(Path::Arms(indexed, values));
        if let Some(client) = self.client {
            add(Indexed::Client, vec![client.0.into()]);
        } else if let Some(clients) = &self.clients {
            let clients: BTreeSet<i64> = clients.iter().map(|client| client.0).collect();
            if clients.len() <= MOST_ARMS {
                add(
                    Indexed::Client,
                    clients.into_iter().map(Value::from).collect(),
                );
            }
        }
        if let Some(model) = &self.model {
            add(Indexed::Model, vec![model.clone().into()]);
        }
        let status = self
            .status
            .filter(|status| status.first() >= FIRST_INDEXED_STATUS);
        if let Some(status) = status {
            let statuses = status.first()..=status.last();
            add(
                Indexed::Status,
                statuses.map(|status| (status as i16).into()).collect(),
            );
        }
        if self.failed_only {
            paths.push(Path::Failures);
        }
        if paths.is_empty() {
            paths.push(Path::Rows);
        }
        paths
    }

    /// The smallest id that is asked for, and the one past the largest.
    pub(super) fn ids(&self, before: Option<RequestId>) -> (i64, i64) {
        let from = self.from.map_or(i64::MIN, first_id);
        let to = self.to.map_or(i64::MAX, first_id);
        (from, before.map_or(to, |before| to.min(before.0)))
    }

    /// Whether no record can match: a member without clients, a client that is not theirs, or a NUL, which
    /// PostgreSQL takes in no text.
    pub(super) fn is_empty(&self) -> bool {
        let is_nobodys = self.clients.as_ref().is_some_and(|clients| {
            clients.is_empty() || self.client.is_some_and(|client| !clients.contains(&client))
        });
        let texts = [&self.provider, &self.model, &self.text];
        is_nobodys || texts.into_iter().flatten().any(|text| text.contains('\0'))
    }

    /// Whether the path finds exactly what is asked for.
    pub(super) fn is_answered_by(&self, path: &Path) -> bool {
        let mut rest = Sql::new(sea_orm::DbBackend::Sqlite, "");
        self.push_rest(path, &mut rest);
        rest.is_empty()
    }

    /// Appends the conditions that the path leaves open, each after an `AND`.
    pub(super) fn push_rest(&self, path: &Path, sql: &mut Sql) {
        let is_arm = |column| matches!(path, Path::Arms(indexed, _) if *indexed == column);
        if let Some(client) = self.client.filter(|_| !is_arm(Indexed::Client)) {
            sql.push(" AND client_id = ").bind(client.0);
        }
        if let Some(clients) = self.clients.as_ref().filter(|_| !is_arm(Indexed::Client)) {
            sql.push(" AND client_id IN ")
                .list(clients.iter().map(|client| client.0));
        }
        if let Some(key) = self.key {
            sql.push(" AND key_id = ").bind(key.0);
        }
        if let Some(provider) = &self.provider {
            sql.push(" AND provider = ").bind(provider.clone());
        }
        if let Some(model) = self.model.as_ref().filter(|_| !is_arm(Indexed::Model)) {
            sql.push(" AND model = ").bind(model.clone());
        }
        if let Some(status) = self.status.filter(|_| !is_arm(Indexed::Status)) {
            sql.push(" AND status BETWEEN ").bind(status.first() as i16);
            sql.push(" AND ").bind(status.last() as i16);
        }
        if self.failed_only {
            sql.push(" AND error <> ").bind(Class::ClientGone.name());
        }
        if let Some(text) = &self.text {
            push_text(text, sql);
        }
    }
}

/// Nothing in the text is a wildcard. SQLite's `LIKE` passes over the case of ASCII letters by itself.
fn push_text(text: &str, sql: &mut Sql) {
    let pattern = text
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    let like = if sql.is_postgres() { "ILIKE" } else { "LIKE" };
    sql.push(" AND (");
    for (at, column) in ["model", "endpoint", "error", "attempts"]
        .into_iter()
        .enumerate()
    {
        sql.push(if at == 0 { "" } else { " OR " });
        sql.push(&format!("{column} {like} "))
            .bind(format!("%{pattern}%"));
        sql.push(r" ESCAPE '\'");
    }
    sql.push(")");
}

/// The smallest id of that time, also of a time that no id can have.
pub(super) fn first_id(time: UnixMs) -> i64 {
    let (first, last) = (RequestId(i64::MIN).time(), RequestId(i64::MAX).time());
    if time > last {
        return i64::MAX;
    }
    RequestId::first_at(time.max(first)).0
}

impl StatusFilter {
    const fn first(self) -> u16 {
        match self {
            Self::One(status) => status,
            Self::Class(digit) => digit.saturating_mul(100),
        }
    }

    const fn last(self) -> u16 {
        match self {
            Self::One(status) => status,
            Self::Class(digit) => digit.saturating_mul(100).saturating_add(99),
        }
    }
}
