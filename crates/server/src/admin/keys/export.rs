//! Keys as a file, with their secrets: for a backup, or for another installation.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use domain::{Action, Event, Secret};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use keypool::KeyStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filter::KeyFilter;
use crate::admin::cells::inert;
use crate::admin::error::ApiError;
use crate::admin::input::read_query;
use crate::admin::names::Names;
use crate::admin::who::Admin;
use crate::app::App;
use crate::pools::project;

/// The form of the file.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// One key a line.
    #[default]
    Text,
    /// With label, project, weight, priority, owner and egress; the first line names the columns.
    Csv,
    /// The same, one JSON object a line.
    Jsonl,
}

/// Which form.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// The form of the file.
    #[serde(default)]
    #[param(inline, default = "text")]
    format: Format,
}

/// The first line of a table: the fields of [`ExportedKey`].
const COLUMNS: [&str; 9] = [
    "provider", "key", "label", "project", "weight", "priority", "enabled", "owner", "egress",
];

/// One key of an export.
#[derive(Debug, Serialize)]
struct ExportedKey<'a> {
    provider: &'a str,
    key: &'a str,
    label: Option<Cow<'a, str>>,
    project: Option<Cow<'a, str>>,
    weight: u16,
    priority: i16,
    enabled: bool,
    owner: Option<String>,
    egress: Option<&'a str>,
}

/// Export keys with their secrets. It is written into the activity log.
#[utoipa::path(get, path = "/api/keys/export", tag = "keys", params(ExportQuery, KeyFilter),
    responses((status = 200, description = "The file.", content(
        (String = "text/plain"), (String = "text/csv"), (String = "application/x-ndjson")))))]
pub(super) async fn export_keys(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    uri: http::Uri,
) -> Result<impl IntoResponse, ApiError> {
    let (query, filter) = read(&uri)?;
    let names = Names::load(&app.store).await?;
    let mut rows = filter.matching(&app, &who, &names)?;
    rows.sort_by_key(|row| row.id);
    let event =
        Event::new(who.name(), Action::Export, "keys").details(format!("{} keys", rows.len()));
    app.store.log(&[event], app.clock.now()).await?;
    let (kind, name, text) = match query.format {
        Format::Text => ("text/plain; charset=utf-8", "keys.txt", text(&rows)),
        Format::Csv => ("text/csv; charset=utf-8", "keys.csv", csv(&rows, &names)?),
        Format::Jsonl => ("application/x-ndjson", "keys.jsonl", jsonl(&rows, &names)?),
    };
    let disposition = format!("attachment; filename=\"keymux-{name}\"");
    Ok((
        [
            (CONTENT_TYPE, kind.to_owned()),
            (CONTENT_DISPOSITION, disposition),
        ],
        text,
    ))
}

/// The form is read beside the filter, which refuses names that it does not know.
fn read(uri: &http::Uri) -> Result<(ExportQuery, KeyFilter), ApiError> {
    let own = |name: &str| name == "format";
    Ok((read_query(uri, own)?, read_query(uri, |name| !own(name))?))
}

fn text(rows: &[KeyStatus]) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(row.cell.key.secret.expose());
        text.push('\n');
    }
    text
}

fn csv(rows: &[KeyStatus], names: &Names) -> Result<String, ApiError> {
    // The first line is there even when no other is.
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(ApiError::internal)?;
    for row in rows {
        let key = &row.cell.key;
        let line = ExportedKey {
            label: key.label.as_deref().map(inert),
            project: project(key).map(inert),
            ..ExportedKey::new(row, names)
        };
        writer.serialize(line).map_err(ApiError::internal)?;
    }
    let bytes = writer.into_inner().map_err(ApiError::internal)?;
    String::from_utf8(bytes).map_err(ApiError::internal)
}

fn jsonl(rows: &[KeyStatus], names: &Names) -> Result<String, ApiError> {
    let lines = rows.iter().map(|row| {
        let line = serde_json::to_string(&ExportedKey::new(row, names));
        line.map(|line| line + "\n").map_err(ApiError::internal)
    });
    lines.collect()
}

impl<'a> ExportedKey<'a> {
    fn new(row: &'a KeyStatus, names: &Names) -> Self {
        let key = &row.cell.key;
        Self {
            provider: &key.provider,
            key: key.secret.expose(),
            label: key.label.as_deref().map(Cow::Borrowed),
            project: project(key).map(Cow::Borrowed),
            weight: key.weight,
            priority: if key.owner.is_some() { 0 } else { key.priority },
            enabled: key.enabled,
            owner: names.of(key.owner),
            egress: key.egress.as_ref().map(Secret::expose),
        }
    }
}
