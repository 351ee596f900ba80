//! A model's cooling forgotten by hand: for one key's project, or for all of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Action, Event, KeyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::activity::{self, shown};
use crate::admin::error::{ApiError, ErrorBody};
use crate::admin::input::Input;
use crate::admin::who::Who;
use crate::app::App;
use crate::snapshot::Provider;

/// Which model, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelReset {
    #[schema(example = "google")]
    provider: String,
    /// As the provider names it.
    #[schema(example = "gemini-2.5-flash")]
    model: String,
    /// The key whose project is meant; left out: every key that the user may change.
    #[schema(example = 17)]
    key_id: Option<i64>,
}

/// What was forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelResetResult {
    /// Projects that were cooling for the model and are not any more.
    #[schema(example = 3)]
    reset: usize,
}

/// Forget what speaks against a model: its used-up quotas and its cooling, for one key's project or for all of them. What
/// is said of keys as such stays; `POST /api/keys/{id}/reset` forgets that.
#[utoipa::path(post, path = "/api/models/reset", tag = "pool", request_body = ModelReset,
    responses(
        (status = 200, description = "It may be asked for again.", body = ModelResetResult),
        (status = 404, description = "There is no such key.", body = ErrorBody)))]
pub(super) async fn reset_model(
    State(app): State<Arc<App>>,
    who: Who,
    Input(input): Input<ModelReset>,
) -> Result<Json<ModelResetResult>, ApiError> {
    let snapshot = app.snapshot.load();
    let provider = snapshot.provider(&input.provider).ok_or_else(|| {
        let text = format!("there is no provider {:?} in use", input.provider);
        ApiError::invalid("provider", text)
    })?;
    let line = line(&who, provider, &input)?;
    let (key, now) = (input.key_id.map(KeyId), app.clock.now());
    let reset = provider
        .pools
        .reset_model(&input.model, key, who.only(), now);
    app.saver.save(&app).await?;
    app.store.log(&[line], now).await?;
    Ok(Json(ModelResetResult { reset }))
}

/// The line of the activity log: of the key where it is one, else of the model.
fn line(who: &Who, provider: &Provider, input: &ModelReset) -> Result<Event, ApiError> {
    let Some(id) = input.key_id else {
        let line = Event::new(who.name(), Action::Reset, "models")
            .of(who.only())
            .about(&input.model)
            .at(&provider.name);
        return Ok(line);
    };
    let found = provider.pools.status(KeyId(id));
    let status = found
        .filter(|status| who.may_touch(status.cell.key.owner))
        .ok_or_else(|| ApiError::not_found("key", id))?;
    let key = &status.cell.key;
    let details = format!("{}: {}", shown(key), input.model);
    Ok(activity::about(key, &who.name(), Action::Reset, details))
}
