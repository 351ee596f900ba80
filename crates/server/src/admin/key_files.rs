//! Key files: what was read in the folders of `keys_dir`, what was left out, and what is wrong with it. The keys themselves
//! are among `/api/keys`, with the name of their file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::Params;
use super::page::{Page, Paging, slice, turned};
use super::time::Time;
use super::who::Admin;
use crate::app::App;
use crate::key_files::FileReport;
use crate::key_text::Malformed;

/// Malformed entries of one file that are shown.
const MOST_MALFORMED: usize = 1000;

/// A file in a folder of key files, or the folder itself.
#[derive(Debug, Serialize, ToSchema)]
struct KeyFileView {
    #[schema(example = "google")]
    provider: String,
    /// The folder, as `keys_dir` names it.
    #[schema(example = "keys")]
    folder: String,
    /// The name of the file; null: this is about the folder, which cannot be read.
    #[schema(example = "team-a.txt")]
    file: Option<String>,
    state: FileState,
    /// Keys that were found in it; one that is there twice counts twice.
    #[schema(example = 12)]
    keys: usize,
    /// How many entries are no keys. They stay in the file and are not used.
    #[schema(example = 1)]
    malformed_total: usize,
    /// The first 1000 of them.
    malformed: Vec<MalformedEntry>,
    /// Why it cannot be read, or is left out. Keys of a file that could be read before stay as they are.
    #[schema(example = "it is in UTF-16; save it as UTF-8")]
    error: Option<String>,
    /// When what is shown was read; null: never.
    last_read_at: Option<Time>,
    /// It has one key a line.
    #[schema(example = true)]
    one_key_per_line: bool,
    /// When keymux brought it into one key a line since it was started; null: it did not have to.
    rewritten_at: Option<Time>,
    /// Why keymux does not bring it into one key a line.
    #[schema(example = "Read-only file system (os error 30)")]
    not_rewritten: Option<String>,
}

/// How a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FileState {
    /// It was read.
    Read,
    /// It cannot be read.
    Unreadable,
    /// It is not read: a backup, a sub-folder, notes, a link that leads out of the folder.
    LeftOut,
}

/// Something in a file that is no key.
#[derive(Debug, Serialize, ToSchema)]
struct MalformedEntry {
    /// From 1 on.
    #[schema(example = 7)]
    line: usize,
    /// Why.
    #[schema(example = "too short for a key")]
    reason: &'static str,
}

/// Which files; what is left out does not matter.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeyFileFilter {
    /// Files of this provider.
    #[param(example = "google")]
    provider: Option<String>,
    /// Files that stand so.
    #[param(inline)]
    state: Option<FileState>,
    /// Files whose name holds this text.
    q: Option<String>,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_key_files))
}

/// Files of the folders that `keys_dir` names, as they were read last.
#[utoipa::path(get, path = "/api/key_files", tag = "keys", params(Paging, KeyFileFilter),
    responses((status = 200, description = "A page of them, by provider and name.", body = Page<KeyFileView>)))]
async fn list_key_files(
    State(app): State<Arc<App>>,
    _: Admin,
    paging: Paging,
    Params(filter): Params<KeyFileFilter>,
) -> Result<Json<Page<KeyFileView>>, ApiError> {
    let order = paging.order(&["name"])?;
    let reports = app.key_files.reports();
    let wanted = reports.iter().filter(|report| filter.matches(report));
    let rows = turned(wanted.collect(), order);
    let id = |report: &&FileReport| (report.provider.to_string(), report.name().to_owned());
    slice(&rows, &paging, id, |report| KeyFileView::new(report)).map(Json)
}

impl KeyFileFilter {
    fn matches(&self, report: &FileReport) -> bool {
        let text = self.q.as_deref().unwrap_or_default().to_lowercase();
        let provider = self.provider.as_deref();
        provider.is_none_or(|name| *report.provider == *name)
            && self
                .state
                .is_none_or(|state| state == FileState::of(report))
            && report.name().to_lowercase().contains(&text)
    }
}

impl FileState {
    fn of(report: &FileReport) -> Self {
        match (&report.problem, &report.left_out) {
            (Some(_), _) => Self::Unreadable,
            (None, Some(_)) => Self::LeftOut,
            (None, None) => Self::Read,
        }
    }
}

impl KeyFileView {
    fn new(report: &FileReport) -> Self {
        let shown = report.malformed.iter().take(MOST_MALFORMED);
        Self {
            provider: report.provider.to_string(),
            folder: report.folder.display().to_string(),
            file: report.file.as_deref().map(str::to_owned),
            state: FileState::of(report),
            keys: report.keys,
            malformed_total: report.malformed.len(),
            malformed: shown.copied().map(MalformedEntry::from).collect(),
            error: report.problem.clone().or_else(|| report.left_out.clone()),
            last_read_at: report.read_at.map(Time),
            one_key_per_line: report.is_tidy,
            rewritten_at: report.tidied_at.map(Time),
            not_rewritten: report.not_tidied.clone(),
        }
    }
}

impl From<Malformed> for MalformedEntry {
    fn from(Malformed { line, reason }: Malformed) -> Self {
        Self { line, reason }
    }
}
