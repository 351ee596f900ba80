//! Tools of a chat as the Agent API takes them: functions flat, the rest as it is, and web search at most once.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::raw::{as_text, elements, object, refuse, text, tree};
use crate::Refused;
use crate::perplexity::members::Members;

/// One element of `tools`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    /// Flat already, or one of the provider's own: it passes untouched.
    Raw(&'a RawValue),
    Function(Flat<'a>),
    Search(Map<String, Value>),
}

/// A function whose members stand beside its type.
#[derive(Debug, Serialize)]
pub(super) struct Flat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    function: Members<'a>,
}

/// What is to be called.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Choice<'a> {
    Raw(&'a RawValue),
    Made(Value),
}

/// Whether a tool of this type searches the web, in either dialect's words.
pub(super) fn is_search(tool: &Members<'_>) -> bool {
    let kind = tool.get("type").and_then(|kind| text(kind, "type").ok());
    kind.is_some_and(|kind| kind == "web_search" || kind.starts_with("web_search_preview"))
}

/// One of the caller's tools: how it is named to the caller, as it is written, and its members.
type Given<'a> = (String, &'a RawValue, Members<'a>);

/// The caller's tools, as yet untouched.
pub(super) fn given(tools: Option<&RawValue>) -> Result<Vec<Given<'_>>, Refused> {
    let Some(tools) = tools else {
        return Ok(Vec::new());
    };
    let mut read = Vec::new();
    for (at, tool) in elements(tools, "tools")?.into_iter().enumerate() {
        let param = format!("tools[{at}]");
        let members = object(tool, &param)?;
        read.push((param, tool, members));
    }
    Ok(read)
}

/// The tools to be sent. `search` has taken in what the caller's own search tools say, and stands for them.
pub(super) fn read<'a>(
    fields: &mut Fields<'a>,
    search: Option<Map<String, Value>>,
) -> Result<Vec<Tool<'a>>, Refused> {
    let mut tools: Vec<_> = search.map(Tool::Search).into_iter().collect();
    for (param, tool, members) in given(fields.take("tools"))? {
        if !is_search(&members) {
            tools.push(flat(&param, tool, &members)?);
        }
    }
    Ok(tools)
}

fn flat<'a>(param: &str, tool: &'a RawValue, members: &Members<'a>) -> Result<Tool<'a>, Refused> {
    let Some(function) = members.get("function") else {
        return Ok(Tool::Raw(tool));
    };
    let param = format!("{param}.function");
    let mut function: Members<'a> = object(function, &param)?;
    function.0.retain(|(name, _)| name != "type");
    let name_param = format!("{param}.name");
    match function.get("name") {
        Some(name) => as_text(name, &name_param)?,
        None => {
            return Err(refuse(&name_param, format!("\"{name_param}\" is missing")));
        }
    };
    let kind = "function";
    Ok(Tool::Function(Flat { kind, function }))
}

/// What is to be called; without tools of the caller's there is nothing to choose from.
pub(super) fn choice<'a>(fields: &mut Fields<'a>) -> Result<Option<Choice<'a>>, Refused> {
    let Some(choice) = fields.take("tool_choice") else {
        return Ok(None);
    };
    if given(fields.look("tools"))?.is_empty() {
        return Ok(None);
    }
    if !choice.get().starts_with('{') {
        return Ok(Some(Choice::Raw(as_text(choice, "tool_choice")?)));
    }
    let made = match tree(choice, "tool_choice")? {
        Value::Object(choice) => flat_choice(choice),
        other => other,
    };
    Ok(Some(Choice::Made(made)))
}

/// `{"type":"function","function":{"name"}}` as `{"type":"function","name"}`, and alike for a choice of several.
fn flat_choice(mut choice: Map<String, Value>) -> Value {
    for nested in ["function", "allowed_tools"] {
        if let Some(Value::Object(inner)) = choice.remove(nested) {
            choice.extend(inner);
        }
    }
    if let Some(Value::Array(tools)) = choice.get_mut("tools") {
        for tool in tools {
            if let Some(function) = tool.get("function").and_then(|f| f.get("name")) {
                *tool = json!({"type": "function", "name": function});
            }
        }
    }
    Value::Object(choice)
}
