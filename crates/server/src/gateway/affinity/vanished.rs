//! Projects without a key here: the keys that made something have all been deleted, and nothing reaches it any more. What
//! is named of such a project is forgotten. One whose keys are only disabled keeps what it has: they may come back.

use std::time::Duration;

use domain::{Class, ResourceName};
use http::StatusCode;
use tokio::time::timeout;

use super::{Bound, forget};
use crate::gateway::error::GatewayError;
use crate::gateway::exchange::Exchange;
use crate::pools;

/// How long a request waits for the database.
const PATIENCE: Duration = Duration::from_secs(3);
/// How soon an instance knows of keys that another has taken in.
const SOON: Duration = Duration::from_secs(1);

/// Refuses what only keys could reach that are not here.
pub(super) async fn check(exchange: &Exchange, bound: &Bound) -> Result<(), GatewayError> {
    let Some(name) = bound.names.first() else {
        return Ok(());
    };
    if exchange.has_keys_of(&bound.project) {
        return Ok(());
    }
    let store = &exchange.app.store;
    let (owner, project) = pools::in_store(&bound.project);
    let read = store.has_project(&exchange.provider.name, owner, project);
    match timeout(PATIENCE, read).await {
        Ok(Ok(false)) => {
            for name in &bound.names {
                forget(exchange, name).await;
            }
            Err(gone(name))
        }
        // Its keys are new, or nobody can tell.
        _ => Err(away(name)),
    }
}

fn gone(name: &ResourceName) -> GatewayError {
    let text = format!(
        "{name} cannot be reached any more: the project that it belongs to has no key here; make it anew"
    );
    GatewayError::upstream(StatusCode::NOT_FOUND, Class::AffinityMiss, text)
}

fn away(name: &ResourceName) -> GatewayError {
    let text = format!(
        "no usable key for {name} now: those of the project that it belongs to are not known here"
    );
    let error = GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, Class::KeyInvalid, text);
    error.retry_after(Some(SOON))
}
