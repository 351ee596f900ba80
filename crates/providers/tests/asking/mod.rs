//! What the tests of requests share: translating one, and pieces to make one of.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use providers::Refused;
use providers::gigachat::chat_request;
use serde_json::{Value, json};

/// A pixel, as far as anybody here looks.
pub(crate) const PNG: &str = "data:image/png;base64,iVBORw0KGgo=";

/// What is sent for a request, its files uploaded as `file-0`, `file-1` and so on.
pub(crate) fn translate(request: &Value) -> Result<Value, Refused> {
    let request = chat_request(request.to_string().as_bytes(), "GigaChat-2")?;
    let files: Vec<String> = (0..request.files().len())
        .map(|at| format!("file-{at}"))
        .collect();
    Ok(serde_json::from_slice(&request.finish(&files)).unwrap())
}

/// A tool of this name.
pub(crate) fn tool(name: &str, parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": parameters}})
}

/// The schema of an object without properties.
pub(crate) fn empty() -> Value {
    json!({"type": "object", "properties": {}})
}
