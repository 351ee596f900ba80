//! Whether the web is searched, and how: what the Sonar API had as fields of a chat is a tool in the Agent API.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::model::Target;
use super::raw::{flag, refuse, tree};
use super::tools;
use crate::Refused;

/// Fields of the Sonar API that are filters of the tool, by the same names. Dates are `MM/DD/YYYY` in both.
const FILTERS: &[&str] = &[
    "search_domain_filter",
    "search_recency_filter",
    "search_after_date_filter",
    "search_before_date_filter",
    "last_updated_after_filter",
    "last_updated_before_filter",
];

/// The search tool, where the model searches by itself or the caller asks for it: by a tool, by options, or by a filter.
pub(super) fn read(
    fields: &mut Fields<'_>,
    target: &Target<'_>,
) -> Result<Option<Map<String, Value>>, Refused> {
    let own = own_tool(fields)?;
    let options = options(fields)?;
    let filters = filters(fields)?;
    let is_disabled = match fields.take("disable_search") {
        Some(value) => flag(value, "disable_search")?,
        None => false,
    };
    let is_asked = own.is_some() || options.is_some() || !filters.is_empty();
    if is_disabled || !(target.searches || is_asked) {
        return Ok(None);
    }
    let mut tool = Map::new();
    tool.insert("type".to_owned(), "web_search".into());
    add(&mut tool, own.unwrap_or_default());
    if !filters.is_empty() {
        let own = tool.entry("filters").or_insert_with(|| json!({}));
        if let Value::Object(own) = own {
            add(own, filters);
        }
    }
    add(&mut tool, options.unwrap_or_default());
    Ok(Some(tool))
}

/// Adds what is not there yet: what stands in the tool itself was said more exactly.
fn add(to: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        to.entry(name).or_insert(value);
    }
}

/// What the caller's own search tools say, the first of them first.
fn own_tool(fields: &mut Fields<'_>) -> Result<Option<Map<String, Value>>, Refused> {
    let tools = fields.look("tools");
    let mut own: Option<Map<String, Value>> = None;
    for (param, tool, members) in tools::given(tools)? {
        if !tools::is_search(&members) {
            continue;
        }
        if let Value::Object(mut tool) = tree(tool, &param)? {
            tool.remove("type");
            flatten_location(&mut tool);
            add(own.get_or_insert_default(), tool);
        }
    }
    Ok(own)
}

fn options(fields: &mut Fields<'_>) -> Result<Option<Map<String, Value>>, Refused> {
    let Some(value) = fields.take("web_search_options") else {
        return Ok(None);
    };
    let Value::Object(mut options) = tree(value, "web_search_options")? else {
        let message = "\"web_search_options\" must be an object, for example {}";
        return Err(refuse("web_search_options", message));
    };
    options.retain(|_, value| !value.is_null());
    flatten_location(&mut options);
    if let Some(kind) = options.get_mut("search_type") {
        // The Agent API has a fast search and the usual one.
        if *kind == "pro" || *kind == "auto" {
            *kind = "web".into();
        }
    }
    Ok(Some(options))
}

/// OpenAI's `user_location` has the place one level further down, with a time zone.
fn flatten_location(tool: &mut Map<String, Value>) {
    let Some(Value::Object(location)) = tool.get_mut("user_location") else {
        return;
    };
    if let Some(Value::Object(place)) = location.remove("approximate") {
        add(location, place);
    }
    location.retain(|name, value| name != "type" && name != "timezone" && !value.is_null());
}

fn filters(fields: &mut Fields<'_>) -> Result<Map<String, Value>, Refused> {
    let mut filters = Map::new();
    for &name in FILTERS {
        let Some(value) = fields.take(name) else {
            continue;
        };
        let value = tree(value, name)?;
        check(name, &value)?;
        if value == json!([]) {
            continue;
        }
        filters.insert(name.to_owned(), value);
    }
    Ok(filters)
}

/// Domains are a list of texts, all other filters are texts.
fn check(name: &str, value: &Value) -> Result<(), Refused> {
    let is_list = name == "search_domain_filter";
    let is_right = match value {
        Value::Array(domains) => is_list && domains.iter().all(Value::is_string),
        value => !is_list && value.is_string(),
    };
    let expected = if is_list {
        "a list of domains"
    } else {
        "a text"
    };
    is_right
        .then_some(())
        .ok_or_else(|| refuse(name, format!("\"{name}\" must be {expected}")))
}
