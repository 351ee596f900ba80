//! Handles by which a session is resumed: each is good for the project that it was given to, and knows what was said.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// Every handle that was given out. The lock is held for one look or one change.
#[derive(Debug, Default)]
pub(crate) struct Handles(Mutex<HashMap<String, Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    project: String,
    said: Vec<Value>,
}

impl Handles {
    /// Keeps what was said so far under a handle.
    pub(super) fn keep(&self, handle: &str, project: &str, said: &[Value]) {
        let kept = Kept {
            project: project.to_owned(),
            said: said.to_vec(),
        };
        self.lock().insert(handle.to_owned(), kept);
    }

    /// What was said before; none: the handle is not the project's.
    pub(super) fn find(&self, handle: &str, project: &str) -> Option<Vec<Value>> {
        let handles = self.lock();
        let kept = handles.get(handle)?;
        (kept.project == project).then(|| kept.said.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
