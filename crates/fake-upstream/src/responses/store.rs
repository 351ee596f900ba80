//! Responses that can be read again, by keys of the project that asked for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::keys::Caller;

/// All stored responses by their id. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Responses(Mutex<HashMap<String, (String, Value)>>);

impl Responses {
    pub(crate) fn keep(&self, caller: &Caller, response: &Value) {
        let id = response["id"].as_str().unwrap_or_default().to_owned();
        self.lock()
            .insert(id, (caller.project.clone(), response.clone()));
    }

    pub(crate) fn get(&self, caller: &Caller, id: &str) -> Option<Value> {
        let stored = self.lock();
        let (project, response) = stored.get(id)?;
        (*project == caller.project).then(|| response.clone())
    }

    /// Forgets a response; false when there was none of the caller's.
    pub(crate) fn delete(&self, caller: &Caller, id: &str) -> bool {
        self.get(caller, id).is_some() && self.lock().remove(id).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (String, Value)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
