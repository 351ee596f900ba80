//! The tools of a chat completion: checked, and narrowed by `tool_choice` to what may be called.

use serde_json::Value;

use super::wrong::Wrong;

/// The functions that the model may call: `{name, description?, parameters?}`.
pub(crate) fn callable(body: &Value) -> Result<Vec<Value>, Wrong> {
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    let mut functions = Vec::with_capacity(tools.len());
    for (index, tool) in tools.iter().enumerate() {
        functions.push(function(tool, &format!("tools[{index}]"))?);
    }
    let choice = &body["tool_choice"];
    if functions.is_empty() {
        return unneeded(choice, body["tools"].is_array());
    }
    match choice {
        Value::Null => Ok(functions),
        Value::String(mode) => match mode.as_str() {
            "auto" | "required" => Ok(functions),
            "none" => Ok(Vec::new()),
            other => Err(bad_mode(other)),
        },
        Value::Object(_) => named(functions, choice),
        other => Err(Wrong::kind("tool_choice", "a string or an object", other)),
    }
}

fn function(tool: &Value, at: &str) -> Result<Value, Wrong> {
    match tool["type"].as_str() {
        Some("function") => {}
        Some(other) => {
            let message = format!("Invalid value: '{other}'. Supported values are: 'function'.");
            return Err(Wrong::value(
                &format!("{at}.type"),
                "invalid_value",
                message,
            ));
        }
        None => return Err(Wrong::missing(&format!("{at}.type"))),
    }
    let function = &tool["function"];
    let at = format!("{at}.function");
    let name = function["name"].as_str();
    let name = name.ok_or_else(|| Wrong::missing(&format!("{at}.name")))?;
    if !is_name(name) {
        let message = format!(
            "Invalid '{at}.name': string does not match pattern. Expected a string that matches \
             the pattern '^[a-zA-Z0-9_-]+$'."
        );
        return Err(Wrong::value(
            &format!("{at}.name"),
            "invalid_value",
            message,
        ));
    }
    let parameters = &function["parameters"];
    if !parameters.is_null() && !parameters.is_object() {
        return Err(Wrong::kind(
            &format!("{at}.parameters"),
            "a map",
            parameters,
        ));
    }
    Ok(function.clone())
}

/// OpenAI's rule for the names of functions.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name.len() <= 64 && name.chars().all(allowed)
}

fn unneeded(choice: &Value, empty: bool) -> Result<Vec<Value>, Wrong> {
    if empty {
        let message = "Invalid 'tools': empty array. Expected an array with minimum length 1, but \
                       got an empty array instead.";
        return Err(Wrong::value("tools", "empty_array", message));
    }
    if choice.is_null() {
        return Ok(Vec::new());
    }
    let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are \
                   specified.";
    Err(Wrong::value("tool_choice", "invalid_value", message))
}

/// A named function, or the functions of `allowed_tools`.
fn named(functions: Vec<Value>, choice: &Value) -> Result<Vec<Value>, Wrong> {
    let named = match choice["type"].as_str() {
        Some("function") => vec![&choice["function"]["name"]],
        Some("allowed_tools") => {
            let allowed = choice["allowed_tools"]["tools"].as_array();
            let names = allowed.into_iter().flatten();
            names.map(|tool| &tool["function"]["name"]).collect()
        }
        other => return Err(bad_mode(other.unwrap_or_default())),
    };
    let found: Vec<Value> = functions
        .into_iter()
        .filter(|function| named.contains(&&function["name"]))
        .collect();
    if found.is_empty() {
        let message = "Tool choice not found in 'tools' parameter.";
        return Err(Wrong::value("tool_choice", "invalid_value", message));
    }
    Ok(found)
}

fn bad_mode(mode: &str) -> Wrong {
    let message =
        format!("Invalid value: '{mode}'. Supported values are: 'none', 'auto', and 'required'.");
    Wrong::value("tool_choice", "invalid_value", message)
}
