//! GigaChat's functions and their schemas, which know less of JSON Schema than others do: every object
//! has `properties`, nothing refers or offers alternatives, `enum` holds texts.

use serde_json::Value;

use super::faults::invalid_params;
use crate::refusal::Refusal;

/// The deepest nesting that is looked at.
const DEEPEST: usize = 32;

/// The functions that the model may call.
pub(crate) fn callable(body: &Value) -> Result<Vec<Value>, Refusal> {
    let functions = match &body["functions"] {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        _ => return Err(invalid_params("functions must be an array")),
    };
    for function in &functions {
        check_function(function)?;
    }
    match &body["function_call"] {
        Value::Null => Ok(functions),
        Value::String(mode) if mode == "auto" => Ok(functions),
        Value::String(mode) if mode == "none" => Ok(Vec::new()),
        choice if choice["name"].is_string() => {
            let named = |function: &Value| function["name"] == choice["name"];
            let found: Vec<Value> = functions.into_iter().filter(named).collect();
            if found.is_empty() {
                return Err(invalid_params("function_call names an unknown function"));
            }
            Ok(found)
        }
        _ => Err(invalid_params(
            "function_call must be auto, none or an object with a name",
        )),
    }
}

/// The schema of a flat `response_format`.
pub(crate) fn of_format(format: &Value) -> Result<Option<Value>, Refusal> {
    match format["type"].as_str() {
        None if format.is_null() => Ok(None),
        Some("text") => Ok(None),
        Some("json_schema") if format["schema"].is_object() => {
            check(&format["schema"], DEEPEST)?;
            Ok(Some(format["schema"].clone()))
        }
        _ => Err(invalid_params(
            "response_format must be of type json_schema with a schema",
        )),
    }
}

fn check_function(function: &Value) -> Result<(), Refusal> {
    let name = function["name"].as_str().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(invalid_params(&format!(
            "function name {name:?} is invalid"
        )));
    }
    match &function["parameters"] {
        Value::Null => Ok(()),
        Value::Object(_) => check(&function["parameters"], DEEPEST),
        _ => Err(invalid_params("parameters must be an object")),
    }
}

fn check(schema: &Value, depth: usize) -> Result<(), Refusal> {
    let Some(fields) = schema.as_object().filter(|_| depth > 0) else {
        return Ok(());
    };
    let foreign = ["$ref", "anyOf", "oneOf", "allOf"];
    if let Some(word) = foreign.iter().find(|word| fields.contains_key(**word)) {
        return Err(invalid_params(&format!(
            "{word} is not supported in a schema"
        )));
    }
    if !schema["type"].is_string() {
        return Err(invalid_params("every schema needs one type"));
    }
    if schema["type"] == "object" && !schema["properties"].is_object() {
        return Err(invalid_params("an object needs properties"));
    }
    let options = schema["enum"].as_array().into_iter().flatten();
    if options.into_iter().any(|option| !option.is_string()) {
        return Err(invalid_params("enum must hold strings"));
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (_, inner) in properties {
        check(inner, depth - 1)?;
    }
    check(&schema["items"], depth - 1)
}
