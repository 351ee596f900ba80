//! Tries a key by hand: a check like any other, with its turn among them, its result kept beside theirs. What the provider
//! says changes how the key stands: one that it takes is used again, one that it refuses is taken out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::Action;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{event, find, shown};
use crate::admin::error::{ApiError, ErrorBody};
use crate::admin::input::{Id, MaybeInput};
use crate::admin::who::Who;
use crate::app::App;
use crate::checks::{self, Outcome};
use crate::saver::LONGEST_MODEL;

/// What a key is tested with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TestRequest {
    /// The model, as the provider names it; left out: the first that `health_check` names, or the key alone.
    #[schema(example = "gemini-flash-latest", max_length = 256)]
    model: Option<String>,
}

/// What a test found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestResult {
    #[schema(example = 17)]
    id: i64,
    /// The model that it was tested with; null: the key alone.
    #[schema(example = "gemini-flash-latest")]
    model: Option<String>,
    /// Whether the provider takes the key, and lets it use the model.
    works: bool,
    /// The status that the provider answered with; null: no answer.
    #[schema(example = 400)]
    status: Option<u16>,
    /// What the answer means, for example `ok`, `key_invalid`, `network`.
    #[schema(example = "key_invalid")]
    class: &'static str,
    /// More exactly.
    #[schema(example = "api_key_invalid")]
    reason: &'static str,
    /// How long the provider took, in milliseconds.
    #[schema(example = 84.2)]
    latency_ms: f64,
}

/// Ask the provider whether a key works, alone or with a model. It costs no quota, so it proves none.
#[utoipa::path(post, path = "/api/keys/{id}/test", tag = "keys", request_body = Option<TestRequest>,
    params(("id" = i64, Path, description = "The key.")),
    responses(
        (status = 200, description = "What the provider said.", body = TestResult),
        (status = 404, description = "There is no such key.", body = ErrorBody)))]
pub(super) async fn test_key(
    State(app): State<Arc<App>>,
    who: Who,
    Id(id): Id<i64>,
    MaybeInput(input): MaybeInput<TestRequest>,
) -> Result<Json<TestResult>, ApiError> {
    let (provider, status) = find(&app, &who, id)?;
    let model = checked_model(input.model.as_deref())?;
    let outcome = checks::by_hand(&app, &provider, status.id, model).await;
    let outcome = outcome.ok_or_else(|| ApiError::not_found("key", id))?;
    app.saver.save(&app).await?;
    let key = &status.cell.key;
    let details = format!("{}: {}", shown(key), outcome.result.reason);
    app.store
        .log(&[event(&who, Action::Test, key, details)], app.clock.now())
        .await?;
    Ok(Json(outcome.into()))
}

/// A model that can be asked for.
pub(super) fn checked_model(model: Option<&str>) -> Result<Option<&str>, ApiError> {
    let model = model.map(str::trim).filter(|model| !model.is_empty());
    let is_wrong = |model: &str| {
        model.len() > LONGEST_MODEL
            || model.chars().any(char::is_control)
            || model.split('/').any(|part| part.is_empty() || part == "..")
    };
    if model.is_some_and(is_wrong) {
        let text = format!("it is no name of a model; expected at most {LONGEST_MODEL} characters");
        return Err(ApiError::invalid("model", text));
    }
    Ok(model)
}

impl From<Outcome> for TestResult {
    fn from(outcome: Outcome) -> Self {
        let model = Some(outcome.model.to_string()).filter(|model| !model.is_empty());
        Self {
            id: outcome.key.0,
            model,
            works: outcome.works(),
            status: outcome.result.status,
            class: outcome.result.class.name(),
            reason: outcome.result.reason,
            latency_ms: outcome.took.as_secs_f64() * 1e3,
        }
    }
}
