//! JSON Schemas within GigaChat's limits: no `$ref`, `anyOf`, `oneOf` or `allOf`; every object has `properties`; an `enum`
//! is of strings; formats are `date`, `date-time` and `time`. What a schema allows only becomes narrower by it, but for
//! keywords that GigaChat does not know. References are written out, within a budget and never in a circle.

use serde_json::{Value, json};

use super::Object;
use crate::Refused;
use crate::gigachat::refuse;

/// Schemas within each other, references written out; what is deeper may be any object.
const DEEPEST: usize = 48;
/// What is counted for a schema, a member, or an alternative, whatever it says: looking at it takes time.
const EACH: usize = 8;
/// The most that the schemas of one request may come to once their references are written out, in bytes.
const MOST: usize = 1024 * 1024;

/// Keywords that pass as they are; those that are changed are in [`Cleaner::keyword`], and all others are left out.
const PLAIN: &[&str] = &[
    "default",
    "description",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "title",
    "uniqueItems",
];
const FORMATS: [&str; 3] = ["date", "date-time", "time"];

/// What may still be written of the schemas of a request.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MOST)
    }
}

/// The schema within GigaChat's limits; `at` is the member it stands in, for a refusal.
pub(super) fn clean(schema: &Value, at: &str, budget: &mut Budget) -> Result<Object, Refused> {
    let mut cleaner = Cleaner {
        root: schema,
        at,
        budget,
        open: Vec::new(),
    };
    cleaner.clean(schema, 0)
}

/// The same where an object is needed: the parameters of a function, or what it returns.
pub(super) fn clean_object(
    schema: &Value,
    at: &str,
    budget: &mut Budget,
) -> Result<Object, Refused> {
    let mut clean = clean(schema, at, budget)?;
    if clean.get("type").and_then(Value::as_str) != Some("object") {
        clean.insert("type".to_owned(), json!("object"));
        clean.entry("properties").or_insert_with(|| json!({}));
    }
    Ok(clean)
}

struct Cleaner<'a, 'b> {
    root: &'a Value,
    at: &'b str,
    budget: &'b mut Budget,
    /// The references that are being written out.
    open: Vec<&'a str>,
}

impl<'a> Cleaner<'a, '_> {
    fn clean(&mut self, schema: &'a Value, depth: usize) -> Result<Object, Refused> {
        self.spend(EACH)?;
        let Some(schema) = schema.as_object() else {
            return Ok(Object::new());
        };
        self.spend(EACH * schema.len())?;
        if depth > DEEPEST {
            return Ok(any_object());
        }
        let mut clean = Object::new();
        for (name, value) in schema {
            self.keyword(&mut clean, name, value, depth)?;
        }
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.referred(pointer, depth)?;
            merge(&mut clean, target);
        }
        for part in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let part = self.clean(part, depth + 1)?;
            merge(&mut clean, part);
        }
        for name in ["anyOf", "oneOf"] {
            let alternatives = schema.get(name).and_then(Value::as_array);
            let alternatives = alternatives.map_or(&[][..], Vec::as_slice);
            self.spend(EACH * alternatives.len())?;
            if let Some(first) = first_alternative(alternatives) {
                let first = self.clean(first, depth + 1)?;
                merge(&mut clean, first);
            }
        }
        complete(&mut clean);
        Ok(clean)
    }

    fn keyword(
        &mut self,
        clean: &mut Object,
        name: &str,
        value: &'a Value,
        depth: usize,
    ) -> Result<(), Refused> {
        let kept = match (name, value) {
            ("type", _) => {
                self.spend(size(value))?;
                first_type(value).map(|name| json!(name))
            }
            ("format", Value::String(format)) => {
                FORMATS.contains(&&**format).then(|| value.clone())
            }
            ("const", _) => return self.choices(clean, std::slice::from_ref(value)),
            ("enum", Value::Array(values)) => return self.choices(clean, values),
            ("properties", Value::Object(properties)) => {
                Some(Value::Object(self.properties(properties, depth)?))
            }
            ("items", Value::Array(items)) => match items.first() {
                Some(first) => Some(Value::Object(self.clean(first, depth + 1)?)),
                None => None,
            },
            ("items", _) => Some(Value::Object(self.clean(value, depth + 1)?)),
            ("required", Value::Array(names)) => Some(self.required(names)?),
            ("additionalProperties", Value::Bool(_)) => Some(value.clone()),
            _ if PLAIN.contains(&name) => {
                self.spend(size(value))?;
                Some(value.clone())
            }
            _ => None,
        };
        if let Some(kept) = kept {
            clean.entry(name).or_insert(kept);
        }
        Ok(())
    }

    fn properties(&mut self, properties: &'a Object, depth: usize) -> Result<Object, Refused> {
        let mut clean = Object::new();
        for (name, schema) in properties {
            self.spend(name.len())?;
            clean.insert(name.clone(), Value::Object(self.clean(schema, depth + 1)?));
        }
        Ok(clean)
    }

    fn required(&mut self, names: &[Value]) -> Result<Value, Refused> {
        self.spend(names.iter().map(size).sum())?;
        let names = names.iter().filter(|name| name.is_string()).cloned();
        Ok(Value::Array(names.collect()))
    }

    /// Strings stay an `enum`. Other values keep their type, and are told in the description: as strings the model
    /// would answer with strings.
    fn choices(&mut self, clean: &mut Object, values: &[Value]) -> Result<(), Refused> {
        self.spend(values.iter().map(size).sum())?;
        let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        if values.iter().all(|value| value.is_string()) {
            let values: Vec<_> = values
                .into_iter()
                .filter(|value| value.as_str() != Some(""))
                .collect();
            if !values.is_empty() {
                clean.insert("enum".to_owned(), json!(values));
            }
            return Ok(());
        }
        let listed: Vec<String> = values.iter().map(ToString::to_string).collect();
        clean.insert(CHOICES.to_owned(), json!(listed.join(", ")));
        Ok(())
    }

    fn referred(&mut self, pointer: &'a str, depth: usize) -> Result<Object, Refused> {
        if self.open.contains(&pointer) {
            return Ok(any_object());
        }
        let target = pointer
            .strip_prefix('#')
            .and_then(|path| self.root.pointer(path));
        let Some(target) = target else {
            return Err(refuse::member(
                self.at,
                format!("{}: there is nothing at \"$ref\": {pointer:?}", self.at),
            ));
        };
        self.spend(pointer.len())?;
        self.open.push(pointer);
        let clean = self.clean(target, depth + 1);
        self.open.pop();
        clean
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Refused> {
        let Some(left) = self.budget.0.checked_sub(bytes) else {
            return Err(refuse::member(
                self.at,
                format!(
                    "{}: the schemas come to more than {MOST} bytes with their references written out; make them smaller",
                    self.at
                ),
            ));
        };
        self.budget.0 = left;
        Ok(())
    }
}

/// Where values that are no `enum` wait for the description. No keyword: it is taken out again.
const CHOICES: &str = "\0choices";

/// Adds what `part` says and the schema does not; properties and required names of both hold.
fn merge(schema: &mut Object, part: Object) {
    for (name, value) in part {
        match (schema.get_mut(&name), value) {
            (None, value) => {
                schema.insert(name, value);
            }
            (Some(Value::Object(known)), Value::Object(more)) if name == "properties" => {
                for (name, property) in more {
                    known.entry(name).or_insert(property);
                }
            }
            (Some(Value::Array(known)), Value::Array(more)) if name == "required" => {
                known.extend(more);
            }
            (Some(_), _) => {}
        }
    }
}

/// What follows from the rest once a schema is whole.
fn complete(schema: &mut Object) {
    if !schema.contains_key("type")
        && let Some(kind) = implied_type(schema)
    {
        schema.insert("type".to_owned(), json!(kind));
    }
    if let Some(Value::String(choices)) = schema.shift_remove(CHOICES) {
        let said = schema.get("description").and_then(Value::as_str);
        let separator = if said.is_some() { "; " } else { "" };
        let description = format!("{}{separator}one of: {choices}", said.unwrap_or_default());
        schema.insert("description".to_owned(), json!(description));
    }
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    complete_required(schema);
}

fn implied_type(schema: &Object) -> Option<&'static str> {
    ["properties", "items", "enum"]
        .into_iter()
        .zip(["object", "array", "string"])
        .find_map(|(keyword, kind)| schema.contains_key(keyword).then_some(kind))
}

/// Only what there is can be required, and only once.
fn complete_required(schema: &mut Object) {
    let Some(Value::Array(names)) = schema.shift_remove("required") else {
        return;
    };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let mut seen = std::collections::HashSet::new();
    let names: Vec<Value> = names
        .into_iter()
        .filter(|name| {
            name.as_str()
                .is_some_and(|name| properties.contains_key(name) && seen.insert(name.to_owned()))
        })
        .collect();
    if !names.is_empty() {
        schema.insert("required".to_owned(), Value::Array(names));
    }
}

fn any_object() -> Object {
    let mut object = Object::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), json!({}));
    object
}

/// The first type that is not null.
fn first_type(value: &Value) -> Option<&str> {
    match value {
        Value::Array(types) => types
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        _ => value.as_str(),
    }
}

/// The first alternative that is not null.
fn first_alternative(alternatives: &[Value]) -> Option<&Value> {
    let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
    alternatives.iter().find(|schema| !is_null(schema))
}

/// About how many bytes a value is written in.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 4,
        Value::Array(values) => values.iter().map(size).sum::<usize>() + 2,
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + size(value) + 4)
            .sum(),
    }
}
