//! Many keys added at once, pasted or as a list. What is no key is told by line, what is known already is counted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, KeyDraft, KeySource, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::edit::{KeyChange, check_provider};
use crate::admin::error::ApiError;
use crate::admin::input::Input;
use crate::admin::names::Names;
use crate::admin::who::Who;
use crate::app::App;
use crate::key_text::{self, KeyText};
use crate::live::{self, Touched};

/// Keys of one call.
const MOST: usize = 200_000;

/// Keys to add: either a list, or a text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin::keys) struct NewKeys {
    #[schema(example = "google")]
    provider: String,
    /// One key each; the place in the list counts as the line.
    keys: Option<Vec<String>>,
    /// Keys separated by lines, blanks, commas or semicolons; `#` begins a comment.
    #[schema(
        example = "AIzaSyD-0123456789abcdefghijklmnopqrstu # team a\nAIzaSyE-0123456789abcdefghijklmnopqrstu"
    )]
    text: Option<String>,
    /// The project of all of them; left out: each is one of its own.
    #[schema(max_length = 100, example = "team-a")]
    project: Option<String>,
    /// The label of all of them.
    #[schema(max_length = 100, example = "pasted")]
    label: Option<String>,
    /// The user whose keys they are; left out: the shared pool's. Members add keys for themselves.
    #[schema(example = "mei")]
    owner: Option<String>,
    /// True: nothing is added; the answer says what would become of each. `ids` is empty then.
    #[serde(default)]
    #[schema(example = false)]
    dry_run: bool,
}

/// What became of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddResult {
    /// Keys that are new, and in use now.
    #[schema(example = 9_994)]
    pub(crate) added: usize,
    /// Keys that were known, or came twice.
    #[schema(example = 4)]
    pub(crate) duplicates: usize,
    /// Where those stand.
    #[schema(example = json!([17, 17, 120, 4003]))]
    pub(crate) duplicate_lines: Vec<usize>,
    /// What is no key.
    pub(crate) invalid: Vec<InvalidLine>,
    /// The ids of the new ones.
    #[schema(example = json!([101, 102]))]
    pub(crate) ids: Vec<i64>,
}

/// Something that is no key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvalidLine {
    /// From 1 on.
    #[schema(example = 7)]
    line: usize,
    /// Why it is none.
    #[schema(example = "too short for a key")]
    reason: &'static str,
}

/// Add many keys.
#[utoipa::path(post, path = "/api/keys/bulk_add", tag = "keys", request_body = NewKeys,
    responses((status = 200, description = "What became of each.", body = AddResult)))]
pub(in crate::admin::keys) async fn bulk_add(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<NewKeys>,
) -> Result<Json<AddResult>, ApiError> {
    check_provider(&app, &input.provider)?;
    let names = Names::load(&app.store).await?;
    let common = KeyChange::named(input.label, input.project).patch()?;
    let template = KeyDraft {
        label: common.label.flatten(),
        project: common.project.flatten(),
        owner: names.owner(&who, input.owner.as_deref())?,
        ..KeyDraft::plain(&input.provider, "", KeySource::Admin)
    };
    let found = read(input.keys, input.text)?;
    if input.dry_run {
        return preview(&app, &template, &found).await.map(Json);
    }
    add(
        &app,
        &who.name(),
        &template,
        found,
        template.owner.or(who.only()),
    )
    .await
    .map(Json)
}

/// Adds what was found, each as the template says. `reader` may read the line of the activity log.
pub(crate) async fn add(
    app: &App,
    actor: &str,
    template: &KeyDraft,
    found: KeyText,
    reader: Option<UserId>,
) -> Result<AddResult, ApiError> {
    let now = app.clock.now();
    let change = app.store.change().await?;
    let done = change.add_keys(&drafts(template, &found), now).await?;
    let ids: Vec<i64> = done.added.iter().map(|id| id.0).collect();
    if !done.added.is_empty() {
        let event = Event::new(actor, Action::Import, "keys")
            .of(reader)
            .at(&template.provider)
            .details(format!(
                "{} added, {} known already, {} malformed",
                ids.len(),
                done.duplicates.len(),
                found.malformed.len()
            ));
        change.log(&event, now).await?;
        live::publish(app, change, Touched::Keys(done.added)).await?;
    }
    Ok(AddResult::new(&found, &done.duplicates, ids))
}

/// What would become of the keys: they are added to a change that is never committed.
async fn preview(app: &App, template: &KeyDraft, found: &KeyText) -> Result<AddResult, ApiError> {
    let change = app.store.change().await?;
    let drafts = drafts(template, found);
    let done = change.add_keys(&drafts, app.clock.now()).await?;
    Ok(AddResult {
        added: done.added.len(),
        ..AddResult::new(found, &done.duplicates, Vec::new())
    })
}

fn drafts(template: &KeyDraft, found: &KeyText) -> Vec<KeyDraft> {
    let draft = |secret| KeyDraft {
        secret,
        ..template.clone()
    };
    let secrets = found.keys.iter().map(|key| key.secret.clone());
    secrets.map(draft).collect()
}

impl AddResult {
    fn new(found: &KeyText, duplicates: &[usize], ids: Vec<i64>) -> Self {
        let invalid = found.malformed.iter().map(|entry| InvalidLine {
            line: entry.line,
            reason: entry.reason,
        });
        Self {
            added: ids.len(),
            duplicates: duplicates.len(),
            duplicate_lines: duplicates
                .iter()
                .map(|&index| found.keys[index].line)
                .collect(),
            invalid: invalid.collect(),
            ids,
        }
    }
}

/// The keys of a call, from its list or its text.
pub(crate) fn read(keys: Option<Vec<String>>, text: Option<String>) -> Result<KeyText, ApiError> {
    let found = match (keys, text) {
        (Some(keys), None) => {
            let mut found = KeyText::default();
            for (index, key) in keys.iter().enumerate() {
                found.take(index + 1, key.trim());
            }
            found
        }
        (None, Some(text)) => key_text::read(text.as_bytes()),
        _ => {
            return Err(ApiError::invalid(
                "keys",
                "expected either `keys` or `text`",
            ));
        }
    };
    if found.keys.len() > MOST {
        let text = format!(
            "{} keys; at most {MOST} are taken at once",
            found.keys.len()
        );
        return Err(ApiError::invalid("keys", text));
    }
    Ok(found)
}
