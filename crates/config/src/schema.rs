//! The declarations of `sections/` as a JSON Schema, with which editors check and complete `keymux.yaml` while it is written.
//! It is as lenient as the file: any value may be `null`, a `${NAME}`, or be read from a `file:/…`.

use serde_json::{Value as Json, json};

use crate::Shape;
use crate::section::{Field, Section};
use crate::sections::Sections;
use crate::settings::Form;
use crate::value::Value;

/// What stands for a value that is somewhere else.
const REFERENCE: &str = r"\$\{|^file:/";

/// The JSON Schema (draft 2020-12) of `keymux.yaml`.
pub fn json_schema() -> Json {
    let mut schema = Sections::section().map_or(Json::Null, mapping);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "keymux.yaml".into();
    schema["$defs"] = json!({"reference": {"type": "string", "pattern": REFERENCE}});
    schema
}

fn mapping(section: &'static Section) -> Json {
    let fields = section.fields.iter();
    let required = section.fields.iter().filter(|it| it.default.is_none());
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": fields.map(|it| (it.name.to_owned(), property(it))).collect::<Json>(),
        "required": required.map(|it| it.name).collect::<Vec<_>>(),
    })
}

fn property(field: &'static Field) -> Json {
    let form = Form::of(field);
    let mut value = value(&form.shape, (field.section)());
    for (name, bound) in [("minimum", &form.minimum), ("maximum", &form.maximum)] {
        if let Some(Json::Number(bound)) = bound {
            value[name] = bound.clone().into();
        }
    }
    let mut alternatives = vec![value];
    if form.default.is_some() {
        alternatives.push(json!({"type": "null"}));
    }
    if !matches!(form.shape, Shape::Fields { .. } | Shape::Mapping(_)) {
        alternatives.push(json!({"$ref": "#/$defs/reference"}));
    }
    let mut property = json!({"description": form.doc, "anyOf": alternatives});
    if let Some(default) = form.default {
        property["default"] = default;
    }
    property
}

fn value(shape: &Shape, section: Option<&'static Section>) -> Json {
    match shape {
        Shape::Integer => json!({"type": "integer"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Duration { .. } | Shape::Size => json!({"type": ["string", "integer"]}),
        Shape::Choice(names) => json!({"enum": names_and_numbers(names)}),
        Shape::Models => json!({"anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ]}),
        Shape::List(element) => json!({"type": "array", "items": value(element, section)}),
        Shape::Mapping(element) => {
            let mut element = value(element, section);
            // What is built in need not be said again.
            if let Some(element) = element.as_object_mut() {
                element.remove("required");
            }
            json!({"type": "object", "additionalProperties": element})
        }
        Shape::Fields { short } => {
            let mapping = section.map_or(Json::Null, mapping);
            match short {
                Some(_) => json!({"anyOf": [{"type": "string"}, mapping]}),
                None => mapping,
            }
        }
        _ => json!({"type": "string"}),
    }
}

/// `503` without quotes is a number in YAML.
fn names_and_numbers(names: &[&str]) -> Vec<Json> {
    let numbers = names.iter().filter_map(|name| name.parse::<u64>().ok());
    let texts = names.iter().map(|name| Json::from(*name));
    texts.chain(numbers.map(Json::from)).collect()
}
