//! The list of models, and one of them.

use serde_json::{Value, json};

/// When every model was made: 1 Nov 2026.
const CREATED: u64 = 1_793_491_200;

/// `GET models`.
pub(crate) fn list<'a>(ids: impl Iterator<Item = &'a str>, owner: &str) -> Value {
    let data: Vec<Value> = ids.map(|id| one(id, owner)).collect();
    json!({"object": "list", "data": data})
}

/// `GET models/{id}`.
pub(crate) fn one(id: &str, owner: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": owner})
}
