//! Tools become GigaChat's functions, and the choice among them its `function_call`.
//! GigaChat calls functions only when it is told `auto` or a name; `auto` without functions would let it draw pictures.

use serde_json::{Value, json};

use super::names::Names;
use super::{Object, schema};
use crate::Refused;
use crate::gigachat::asked::Calls;
use crate::gigachat::refuse;

/// What a request says of functions.
#[derive(Debug, Default)]
pub(super) struct Functions {
    pub(super) functions: Vec<Value>,
    pub(super) function_call: Option<Value>,
    pub(super) calls: Calls,
}

/// Which functions may be called.
enum Choice {
    None,
    Auto,
    /// Any, but one. GigaChat has no such mode: it is held to it only where there is but one function.
    Required,
    Named(String, Option<Value>),
    Allowed(Vec<String>, Box<Choice>),
}

/// Takes tools, functions and the choice among them out of the body.
pub(super) fn take(body: &mut Object, names: &mut Names) -> Result<Functions, Refused> {
    let tools = list(body.shift_remove("tools"), "tools")?;
    let functions = list(body.shift_remove("functions"), "functions")?;
    let choices = [
        body.shift_remove("tool_choice").map(|c| (c, "tool_choice")),
        body.shift_remove("function_call")
            .map(|c| (c, "function_call")),
    ];
    let (calls, list) = if tools.is_empty() && !functions.is_empty() {
        let own = |(at, function)| (format!("functions[{at}]"), function);
        (
            Calls::Functions,
            functions.into_iter().enumerate().map(own).collect(),
        )
    } else {
        (Calls::Tools, functions_of(tools)?)
    };
    if list.is_empty() {
        return Ok(Functions::default());
    }
    names.keep(list.iter().filter_map(|(_, function)| name_of(function)));
    let (choice, at) = match choices.into_iter().flatten().next() {
        Some((choice, at)) => (read_choice(&choice, at)?, at),
        None => (Choice::Auto, "tool_choice"),
    };
    let (list, choice) = allowed(list, choice);
    let function_call = call_of(&choice, at, &list, names)?;
    Ok(Functions {
        functions: translate(list, names)?,
        function_call,
        calls,
    })
}

fn list(value: Option<Value>, at: &str) -> Result<Vec<Value>, Refused> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(refuse::member(at, format!("{at} is not an array"))),
    }
}

/// The functions of tools, each with where it stands.
fn functions_of(tools: Vec<Value>) -> Result<Vec<(String, Value)>, Refused> {
    let function = |(at, mut tool): (usize, Value)| {
        let at = format!("tools[{at}]");
        let function = tool.get_mut("function").map(Value::take);
        match (tool.get("type").and_then(Value::as_str), function) {
            (None | Some("function"), Some(function)) => Ok((format!("{at}.function"), function)),
            (kind, _) => {
                let kind = kind.unwrap_or("none");
                let text = format!(
                    "{at} is of type {kind:?}, or has no function; GigaChat takes only tools of type \"function\""
                );
                Err(refuse::member(at, text))
            }
        }
    };
    tools.into_iter().enumerate().map(function).collect()
}

fn name_of(function: &Value) -> Option<&str> {
    function.get("name").and_then(Value::as_str)
}

fn translate(list: Vec<(String, Value)>, names: &mut Names) -> Result<Vec<Value>, Refused> {
    let mut budget = schema::Budget::default();
    let one = |(at, function): (String, Value)| translate_one(&at, function, names, &mut budget);
    list.into_iter().map(one).collect()
}

fn translate_one(
    at: &str,
    function: Value,
    names: &mut Names,
    budget: &mut schema::Budget,
) -> Result<Value, Refused> {
    let Value::Object(mut function) = function else {
        return Err(refuse::member(at, format!("{at} is not an object")));
    };
    let name = match function.get("name").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => names.sent(name),
        _ => return Err(refuse::member(at, format!("{at} has no name"))),
    };
    function.insert("name".to_owned(), json!(name));
    function.shift_remove("strict");
    let parameters = function.get("parameters").unwrap_or(&Value::Null);
    let parameters = schema::clean_object(parameters, &format!("{at}.parameters"), budget)?;
    function.insert("parameters".to_owned(), Value::Object(parameters));
    if let Some(returned) = function.get("return_parameters") {
        let returned = schema::clean_object(returned, &format!("{at}.return_parameters"), budget)?;
        function.insert("return_parameters".to_owned(), Value::Object(returned));
    }
    Ok(Value::Object(function))
}

fn read_choice(choice: &Value, at: &str) -> Result<Choice, Refused> {
    let name = |value: &Value| {
        let function = value.get("function").unwrap_or(value);
        name_of(function).map(str::to_owned)
    };
    let read = match choice.as_str() {
        Some("none") => Some(Choice::None),
        Some("auto") => Some(Choice::Auto),
        Some("required" | "any") => Some(Choice::Required),
        Some(_) => None,
        None => match choice.get("allowed_tools") {
            Some(allowed) => allowed
                .get("tools")
                .and_then(Value::as_array)
                .and_then(|tools| tools.iter().map(name).collect())
                .map(|names| Choice::Allowed(names, Box::new(mode_of(allowed)))),
            None => name(choice)
                .map(|name| Choice::Named(name, choice.get("partial_arguments").cloned())),
        },
    };
    read.ok_or_else(|| {
        let words =
            "\"none\", \"auto\", \"required\" or {\"type\":\"function\",\"function\":{\"name\":…}}";
        refuse::member(at, format!("{at} is not understood; it may be {words}"))
    })
}

fn mode_of(allowed: &Value) -> Choice {
    match allowed.get("mode").and_then(Value::as_str) {
        Some("required") => Choice::Required,
        _ => Choice::Auto,
    }
}

/// Leaves those functions that a choice of `allowed_tools` names.
fn allowed(list: Vec<(String, Value)>, choice: Choice) -> (Vec<(String, Value)>, Choice) {
    match choice {
        Choice::Allowed(names, mode) => {
            let names: std::collections::HashSet<_> = names.into_iter().collect();
            let is_allowed =
                |function: &Value| name_of(function).is_some_and(|n| names.contains(n));
            let list = list
                .into_iter()
                .filter(|(_, function)| is_allowed(function))
                .collect();
            (list, *mode)
        }
        choice => (list, choice),
    }
}

fn call_of(
    choice: &Choice,
    at: &str,
    list: &[(String, Value)],
    names: &mut Names,
) -> Result<Option<Value>, Refused> {
    let (name, partial) = match (choice, list) {
        (_, []) => return Ok(None),
        (Choice::None, _) => return Ok(Some(json!("none"))),
        (Choice::Named(name, partial), _) => (name.as_str(), partial.as_ref()),
        (Choice::Required, [(_, only)]) => (name_of(only).unwrap_or_default(), None),
        _ => return Ok(Some(json!("auto"))),
    };
    if !list
        .iter()
        .any(|(_, function)| name_of(function) == Some(name))
    {
        let text = format!("{at} names the function {name:?}, which is not among the tools");
        return Err(refuse::member(at, text));
    }
    let mut call = json!({"name": names.sent(name)});
    if let Some(partial) = partial {
        call["partial_arguments"] = partial.clone();
    }
    Ok(Some(call))
}
