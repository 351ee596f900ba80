//! One key: made, changed, deleted, reset.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Key, KeyDraft, KeyId, KeySource, MAX_WEIGHT};
use http::StatusCode;
use serde::Deserialize;
use store::KeyPatch;
use utoipa::ToSchema;

use super::egress::{self, proxy_url};
use super::view::KeyView;
use super::{event, find};
use crate::activity::{self, shown};
use crate::admin::error::{ApiError, ErrorBody};
use crate::admin::input::{Id, Input, present};
use crate::admin::names::Names;
use crate::admin::who::Who;
use crate::app::App;
use crate::key_text::problem_with;
use crate::live::{self, Touched};
use crate::selection;

const LONGEST_LABEL: usize = 100;
const PRIORITIES: std::ops::RangeInclusive<i16> = -1000..=1000;

/// A new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    #[schema(example = "google")]
    provider: String,
    /// The key itself.
    #[schema(
        example = "AIzaSyD-0123456789abcdefghijklmnopqrstu",
        min_length = 8,
        max_length = 512
    )]
    key: String,
    #[schema(example = "billing", max_length = 100)]
    label: Option<String>,
    /// The provider-side account that its quota belongs to; left out: one of its own.
    #[schema(example = "team-a", max_length = 100)]
    project: Option<String>,
    /// Its share relative to its peers.
    #[schema(minimum = 1, maximum = 100, example = 1)]
    weight: Option<u16>,
    /// Lower values are used first.
    #[schema(minimum = -1000, maximum = 1000, example = 0)]
    priority: Option<i16>,
    /// The proxy that it leaves by, instead of those of `egress`: `http://`, `https://` or `socks5://`. For administrators.
    #[schema(example = "socks5://user:password@10.0.0.9:1080")]
    egress: Option<String>,
    /// The user whose key it is; left out: the shared pool's. Members add keys for themselves.
    #[schema(example = "mei")]
    owner: Option<String>,
}

/// What changes about a key; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "left out, null and a value are three things"
)]
pub(super) struct KeyChange {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "billing", max_length = 100)]
    label: Option<Option<String>>,
    /// The provider-side account that its quota belongs to; null: one of its own.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "team-a", max_length = 100)]
    project: Option<Option<String>>,
    /// Its share relative to its peers.
    #[schema(minimum = 1, maximum = 100, example = 2)]
    weight: Option<u16>,
    /// Lower values are used first.
    #[schema(minimum = -1000, maximum = 1000, example = 10)]
    priority: Option<i16>,
    /// The proxy that it leaves by, instead of those of `egress`; null: one of those. For administrators.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "socks5://user:password@10.0.0.9:1080")]
    pub(super) egress: Option<Option<String>>,
    /// False takes it out of use.
    #[schema(example = false)]
    enabled: Option<bool>,
}

/// Add a key.
#[utoipa::path(post, path = "/api/keys", tag = "keys", request_body = NewKey,
    responses(
        (status = 201, description = "The key is in use.", body = KeyView),
        (status = 409, description = "The provider has this key already.", body = ErrorBody)))]
pub(super) async fn create_key(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<NewKey>,
) -> Result<(StatusCode, Json<KeyView>), ApiError> {
    let names = Names::load(&app.store).await?;
    check_provider(&app, &input.provider)?;
    let word = input.key.trim();
    if let Some(reason) = problem_with(word) {
        return Err(ApiError::invalid("key", reason));
    }
    let change = KeyChange {
        weight: input.weight,
        priority: input.priority,
        egress: input.egress.map(Some),
        ..KeyChange::named(input.label, input.project)
    };
    change.check_egress(&app, &who)?;
    let patch = change.patch()?;
    let draft = KeyDraft {
        label: patch.label.flatten(),
        project: patch.project.flatten(),
        weight: input.weight.unwrap_or(1),
        priority: input.priority.unwrap_or(0),
        egress: patch.egress.flatten(),
        owner: names.owner(&who, input.owner.as_deref())?,
        ..KeyDraft::plain(&input.provider, word, KeySource::Admin)
    };
    let Some(id) = add_key(&app, &who.name(), &draft).await? else {
        return Err(is_there(&input.provider).at("key"));
    };
    let (_, status) = find(&app, &who, id.0)?;
    let view = KeyView::new(&status, &names, app.clock.now());
    Ok((StatusCode::CREATED, Json(view)))
}

/// Change a key.
#[utoipa::path(patch, path = "/api/keys/{id}", tag = "keys", request_body = KeyChange,
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 200, description = "The key as it is now.", body = KeyView),
        (status = 404, description = "There is no such key.", body = ErrorBody),
        (status = 409, description = "The configuration states it.", body = ErrorBody)))]
pub(super) async fn update_key(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
    Input(input): Input<KeyChange>,
) -> Result<Json<KeyView>, ApiError> {
    let (_, status) = find(&app, &who, id)?;
    input.check_egress(&app, &who)?;
    let patch = input.patch()?;
    let key = &status.cell.key;
    if input.is_more_than_switching() {
        refuse_fixed(key)?;
    }
    let now = app.clock.now();
    let change = app.store.change().await?;
    if change.update_keys(&[status.id], &patch).await? == 0 {
        return Err(ApiError::not_found("key", id));
    }
    let details = format!("{}: {}", shown(key), input.describe());
    change
        .log(&event(&who, Action::Update, key, details), now)
        .await?;
    live::publish(&app, change, Touched::Keys(vec![status.id])).await?;
    let names = Names::load(&app.store).await?;
    let (_, status) = find(&app, &who, id)?;
    Ok(Json(KeyView::new(&status, &names, app.clock.now())))
}

/// Delete a key.
#[utoipa::path(delete, path = "/api/keys/{id}", tag = "keys",
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 204, description = "It is gone; requests under way with it go on."),
        (status = 404, description = "There is no such key.", body = ErrorBody),
        (status = 409, description = "The configuration states it.", body = ErrorBody)))]
pub(super) async fn delete_key(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<StatusCode, ApiError> {
    let (_, status) = find(&app, &who, id)?;
    let key = &status.cell.key;
    refuse_stated(key)?;
    let now = app.clock.now();
    let change = app.store.change().await?;
    change
        .log(&event(&who, Action::Delete, key, shown(key)), now)
        .await?;
    let keys = std::slice::from_ref(key);
    let deleted = selection::delete_keys(&app.store, &change, keys, now).await?;
    if deleted.count == 0 {
        return Err(ApiError::not_found("key", id));
    }
    let touched = [vec![status.id], deleted.selected].concat();
    live::publish(&app, change, Touched::Keys(touched)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget everything that speaks against a key: failures, cooling, retirement, used-up quotas of its project.
#[utoipa::path(post, path = "/api/keys/{id}/reset", tag = "keys",
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 200, description = "The key as it stands now.", body = KeyView),
        (status = 404, description = "There is no such key.", body = ErrorBody)))]
pub(super) async fn reset_key(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
) -> Result<Json<KeyView>, ApiError> {
    let (provider, status) = find(&app, &who, id)?;
    let now = app.clock.now();
    provider.pools.reset(&[status.id], now);
    app.saver.save(&app).await?;
    let key = &status.cell.key;
    app.store
        .log(&[event(&who, Action::Reset, key, shown(key))], now)
        .await?;
    let names = Names::load(&app.store).await?;
    let (_, status) = find(&app, &who, id)?;
    Ok(Json(KeyView::new(&status, &names, now)))
}

/// Adds one key, and says so in the activity log. None: the provider has it already.
pub(in crate::admin) async fn add_key(
    app: &App,
    actor: &str,
    draft: &KeyDraft,
) -> Result<Option<KeyId>, ApiError> {
    let now = app.clock.now();
    let change = app.store.change().await?;
    let done = change.add_keys(std::slice::from_ref(draft), now).await?;
    let Some(&id) = done.added.first() else {
        return Ok(None);
    };
    change.log(&activity::added(actor, draft, id), now).await?;
    live::publish(app, change, Touched::Keys(vec![id])).await?;
    Ok(Some(id))
}

/// The refusal of a key that the provider has already.
pub(in crate::admin) fn is_there(provider: &str) -> ApiError {
    ApiError::conflict("duplicate", format!("{provider} has this key already"))
}

impl KeyChange {
    /// A label and a project, and nothing else.
    pub(super) fn named(label: Option<String>, project: Option<String>) -> Self {
        Self {
            label: Some(label),
            project: Some(project),
            ..Self::default()
        }
    }

    /// The change as the store takes it, when its values are right.
    pub(super) fn patch(&self) -> Result<KeyPatch, ApiError> {
        if let Some(weight) = self
            .weight
            .filter(|weight| !(1..=MAX_WEIGHT).contains(weight))
        {
            let text = format!("weight is {weight}; expected 1 to {MAX_WEIGHT}");
            return Err(ApiError::invalid("weight", text));
        }
        if let Some(priority) = self
            .priority
            .filter(|priority| !PRIORITIES.contains(priority))
        {
            let text = format!("priority is {priority}; expected -1000 to 1000");
            return Err(ApiError::invalid("priority", text));
        }
        let checked = |field: &str, text: &Option<Option<String>>| {
            let text = text.as_ref();
            text.map(|text| checked_label(field, text.as_deref()))
                .transpose()
        };
        Ok(KeyPatch {
            label: checked("label", &self.label)?,
            project: checked("project", &self.project)?,
            weight: self.weight,
            priority: self.priority,
            egress: match &self.egress {
                Some(Some(url)) => Some(Some(proxy_url(url)?)),
                Some(None) => Some(None),
                None => None,
            },
            enabled: self.enabled,
        })
    }

    /// Whether it changes more than whether a key is used at all.
    pub(super) fn is_more_than_switching(&self) -> bool {
        self.label.is_some()
            || self.project.is_some()
            || self.weight.is_some()
            || self.priority.is_some()
            || self.egress.is_some()
    }

    /// In the words of the activity log.
    pub(super) fn describe(&self) -> String {
        let text = |name: &str, value: &Option<Option<String>>| {
            value.as_ref().map(|value| match value {
                Some(value) => format!("{name} {value}"),
                None => format!("no {name}"),
            })
        };
        let egress = self.egress.as_ref();
        let egress = egress.map(|url| url.as_deref().map(egress::shown));
        let all = [
            text("label", &self.label),
            text("project", &self.project),
            self.weight.map(|weight| format!("weight {weight}")),
            self.priority.map(|priority| format!("priority {priority}")),
            text("egress", &egress),
            self.enabled
                .map(|enabled| if enabled { "enabled" } else { "disabled" }.to_owned()),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The provider must be one that this version speaks to: keys of others would lie unused.
pub(super) fn check_provider(app: &App, name: &str) -> Result<(), ApiError> {
    let snapshot = app.snapshot.load();
    if snapshot.provider(name).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = snapshot
        .providers
        .iter()
        .map(|provider| &*provider.name)
        .collect();
    let text = format!(
        "there is no provider {name:?}; known are {}",
        known.join(", ")
    );
    Err(ApiError::invalid("provider", text))
}

/// A label without blanks around it, when it is right; an empty one is none.
pub(in crate::admin) fn checked_label(
    field: &str,
    text: Option<&str>,
) -> Result<Option<String>, ApiError> {
    let text = text.map(str::trim).unwrap_or_default();
    let length = text.chars().count();
    if length > LONGEST_LABEL || text.chars().any(char::is_control) {
        let text = format!(
            "{length} characters; expected at most {LONGEST_LABEL}, none of them a control character"
        );
        return Err(ApiError::invalid(field, text));
    }
    let is_ours = ["key:", "user:"].iter().any(|lead| text.starts_with(lead));
    if field == "project" && is_ours {
        let text = "names that begin with key: or user: are keymux's own";
        return Err(ApiError::invalid(field, text));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// What the configuration or a variable says of a key would come back with the next reload. A key file says nothing of
/// its keys but that they are there.
pub(in crate::admin) fn refuse_fixed(key: &Key) -> Result<(), ApiError> {
    match key.source {
        KeySource::File | KeySource::Admin => Ok(()),
        KeySource::Config | KeySource::Env => refuse_stated(key),
    }
}

/// What is stated elsewhere is there again after the next reload, also if it is deleted here.
pub(in crate::admin) fn refuse_stated(key: &Key) -> Result<(), ApiError> {
    let place = match (key.source, &key.file) {
        (KeySource::Config, _) => "the configuration file".to_owned(),
        (KeySource::Env, _) => "the environment".to_owned(),
        (KeySource::File, Some(file)) => format!("the key file {file}"),
        (KeySource::File, None) | (KeySource::Admin, _) => return Ok(()),
    };
    let text = format!(
        "key {} is stated by {place}; change it there, or disable the key here",
        key.id
    );
    Err(ApiError::conflict("fixed", text))
}
