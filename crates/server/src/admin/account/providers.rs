//! Providers by the names that this API takes.

use crate::admin::error::ApiError;
use crate::app::App;

/// Refuses a provider that keys cannot be used with: they would lie idle.
pub(super) fn check_provider(app: &App, field: &str, name: &str) -> Result<(), ApiError> {
    let snapshot = app.snapshot.load();
    if snapshot.provider(name).is_some() {
        return Ok(());
    }
    let spoken = snapshot.providers.iter().map(|provider| &*provider.name);
    let spoken: Vec<&str> = spoken.collect();
    let text = format!("{name:?} is no provider; expected {}", spoken.join(" or "));
    Err(ApiError::invalid(field, text))
}
