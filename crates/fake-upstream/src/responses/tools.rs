//! The function tools of a Responses request, which are flat: `{type, name, parameters}`.

use serde_json::Value;

use crate::dialect::tools::is_name;
use crate::dialect::wrong::Wrong;

/// The functions that the model may call; hosted tools are no functions.
pub(crate) fn callable(body: &Value) -> Result<Vec<Value>, Wrong> {
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    let mut functions = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let at = format!("tools[{index}]");
        match tool["type"].as_str() {
            Some("function") => functions.push(function(tool, &at)?),
            Some(_) => {}
            None => return Err(Wrong::missing(&format!("{at}.type"))),
        }
    }
    let choice = &body["tool_choice"];
    if choice == "none" {
        return Ok(Vec::new());
    }
    if choice["type"] == "function" {
        functions.retain(|function| function["name"] == choice["name"]);
        if functions.is_empty() {
            let message = "Tool choice 'function' not found in 'tools' parameter.";
            return Err(Wrong::value("tool_choice", "invalid_value", message));
        }
    }
    Ok(functions)
}

fn function(tool: &Value, at: &str) -> Result<Value, Wrong> {
    let at = format!("{at}.name");
    let name = tool["name"].as_str().ok_or_else(|| Wrong::missing(&at))?;
    if is_name(name) {
        return Ok(tool.clone());
    }
    let message = format!(
        "Invalid '{at}': string does not match pattern. Expected a string that matches the pattern \
         '^[a-zA-Z0-9_-]+$'."
    );
    Err(Wrong::value(&at, "invalid_value", message))
}
