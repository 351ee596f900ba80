//! Settings that can be changed while keymux runs. The table itself is the one of the configuration (`config`): what a
//! file or the environment sets is fixed there, and shown as such here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use config::{Config, ConfigErrors, Form, Origin, Setting};
use domain::{Action, Event};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::input::Input;
use super::who::Admin;
use crate::app::App;
use crate::live::{self, Touched};

/// All settings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SettingsView {
    /// One by one.
    items: Vec<SettingView>,
}

/// One setting.
#[derive(Debug, Serialize, ToSchema)]
struct SettingView {
    #[schema(example = "retry.max_attempts")]
    name: String,
    /// The part of the configuration that it is in.
    #[schema(example = "retry")]
    section: &'static str,
    #[serde(flatten)]
    form: FormView,
    /// The value that holds now; secrets in it are masked.
    value: Value,
    set_by: SetByName,
    /// Where exactly, when it is set by a file or the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "keymux.yaml:12")]
    set_at: Option<String>,
    /// Whether it can be changed here: not when a file or the environment sets it, nor when it has no effect.
    editable: bool,
    /// False: this version does not act on it.
    has_effect: bool,
}

/// What can be set.
#[derive(Debug, Serialize, ToSchema)]
struct FormView {
    /// What it does.
    #[schema(example = "Attempts for one request.")]
    description: String,
    /// `integer`, `number`, `boolean`, `duration` (`"30s"`), `size` (`"100MiB"`), `text`, `choice`, `list`, `mapping`,
    /// `fields` and some more.
    #[serde(rename = "type")]
    #[schema(example = "integer")]
    kind: &'static str,
    /// What the elements of a list or a mapping are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "text")]
    element: Option<&'static str>,
    /// The values of a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<&'static str>,
    /// The value without anybody's doing.
    default: Option<Value>,
    /// The least value.
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<Value>,
    /// The largest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<Value>,
    /// Where the value, or each element of it, has fields of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    fields: Vec<FieldView>,
}

/// A field of a value.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldView {
    #[schema(example = "url")]
    name: &'static str,
    #[serde(flatten)]
    #[schema(no_recursion)]
    form: FormView,
}

/// Who has set a value.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SetByName {
    /// Nobody.
    Default,
    /// This API.
    Stored,
    /// The configuration file.
    File,
    /// A variable.
    Environment,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_settings, update_settings))
}

/// Every setting with its type, default, bounds, value and where that is set.
#[utoipa::path(get, path = "/api/settings", tag = "settings",
    responses((status = 200, description = "All of them.", body = SettingsView)))]
async fn list_settings(State(app): State<Arc<App>>, _: Admin) -> Json<SettingsView> {
    Json(view(&app.snapshot.load().config))
}

/// Change settings: all of them, or none when one is wrong. Null returns a setting to its default.
#[utoipa::path(put, path = "/api/settings", tag = "settings",
    request_body(content = inline(BTreeMap<String, Value>), description = "Values by name.",
        example = json!({"retry.max_attempts": 3, "pool.strategy": null})),
    responses(
        (status = 200, description = "All settings as they are now.", body = SettingsView),
        (status = 409, description = "A file or the environment fixes one of them.", body = super::error::ErrorBody)))]
async fn update_settings(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Input(input): Input<BTreeMap<String, Value>>,
) -> Result<Json<SettingsView>, ApiError> {
    let config = app.snapshot.load().config.clone();
    for name in input.keys() {
        check_name(&config, name)?;
    }
    let now = app.clock.now();
    let change = app.store.change().await?;
    let mut wanted = change.settings().await?;
    for (name, value) in &input {
        wanted.insert(name.clone(), value.clone());
    }
    let next = config
        .with_stored(&wanted)
        .map_err(|errors| invalid(&errors))?;
    // As it was understood: a masked secret stands for the one that was there.
    let values = input
        .keys()
        .map(|name| (name.clone(), next.stored().get(name).cloned()));
    let values: BTreeMap<String, Option<Value>> = values.collect();
    change.put_settings(&values, now).await?;
    let masked = next.settings();
    for (name, value) in &values {
        let listed = masked.iter().find(|setting| setting.name == name);
        let details = match listed.filter(|_| value.is_some()) {
            Some(setting) => format!("{name} = {}", shown(&setting.value)),
            None => format!("{name} back to its default"),
        };
        change.log(&event(&who.name(), name, details), now).await?;
    }
    live::publish(&app, change, Touched::Settings).await?;
    Ok(Json(view(&app.snapshot.load().config)))
}

fn view(config: &Config) -> SettingsView {
    SettingsView {
        items: config
            .settings()
            .into_iter()
            .map(SettingView::from)
            .collect(),
    }
}

impl From<Setting> for SettingView {
    fn from(setting: Setting) -> Self {
        let (set_by, set_at) = match &setting.set_by {
            Origin::Default => (SetByName::Default, None),
            Origin::Stored => (SetByName::Stored, None),
            origin @ Origin::File { .. } => (SetByName::File, Some(origin.to_string())),
            origin @ Origin::Env { .. } => (SetByName::Environment, Some(origin.to_string())),
        };
        Self {
            name: setting.name.to_owned(),
            section: setting.section,
            editable: set_at.is_none() && setting.has_effect,
            form: setting.form.into(),
            value: setting.value,
            set_by,
            set_at,
            has_effect: setting.has_effect,
        }
    }
}

impl From<Form> for FormView {
    fn from(form: Form) -> Self {
        let field = |field: Form| FieldView {
            name: field.name,
            form: field.into(),
        };
        Self {
            kind: form.shape.name(),
            element: form.shape.element().map(config::Shape::name),
            choices: form.shape.choices().to_vec(),
            description: form.doc,
            default: form.default,
            minimum: form.minimum,
            maximum: form.maximum,
            fields: form.fields.into_iter().map(field).collect(),
        }
    }
}

fn check_name(config: &Config, name: &str) -> Result<(), ApiError> {
    let settings = config.settings();
    let Some(setting) = settings.iter().find(|setting| setting.name == name) else {
        return Ok(());
    };
    if matches!(setting.set_by, Origin::File { .. } | Origin::Env { .. }) {
        let text = format!(
            "{name} is fixed by {}; change it there, and send SIGHUP",
            setting.set_by
        );
        return Err(ApiError::conflict("fixed", text).at(name));
    }
    if !setting.has_effect {
        let text = format!("{name} has no effect in this version");
        return Err(ApiError::invalid(name, text));
    }
    Ok(())
}

fn invalid(errors: &ConfigErrors) -> ApiError {
    let Some(first) = errors.problems.first() else {
        return ApiError::internal("settings were refused without a reason");
    };
    ApiError::invalid(
        first.path.clone(),
        format!("{}: {}", first.path, first.text),
    )
}

/// A value for the activity log, in which secrets are masked.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn event(actor: &str, name: &str, details: String) -> Event {
    Event::new(actor, Action::Update, "settings")
        .about(name)
        .details(details)
}
