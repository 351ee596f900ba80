//! Providers by the names that this API takes.

use crate::admin::error::ApiError;
use crate::app::App;

/// The names that the API promises, whether this version speaks to them or not.
const PROMISED: [&str; 4] = ["google", "xai", "gigachat", "perplexity"];

/// Refuses a provider that keys cannot be used with: they would lie idle.
pub(super) fn check_provider(app: &App, field: &str, name: &str) -> Result<(), ApiError> {
    let snapshot = app.snapshot.load();
    if snapshot.provider(name).is_some() {
        return Ok(());
    }
    let spoken = snapshot.providers.iter().map(|provider| &*provider.name);
    let spoken: Vec<&str> = spoken.collect();
    let why = if PROMISED.contains(&name) {
        "is not spoken to by this version of keymux"
    } else {
        "is no provider"
    };
    let text = format!("{name:?} {why}; expected {}", spoken.join(" or "));
    Err(ApiError::invalid(field, text))
}
