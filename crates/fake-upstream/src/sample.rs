//! Values that fit a schema: arguments of a function call, and structured answers.
//! Both forms are read: Google's `Schema` (upper-case types) and JSON Schema.

use serde_json::{Map, Value, json};

/// The deepest nesting that is filled; what lies below becomes null.
const DEEPEST: usize = 8;

/// A value that fits `schema`; texts are `word`.
pub(crate) fn value(schema: &Value, word: &str) -> Value {
    fitting(schema, word, DEEPEST)
}

/// The last capitalised word of a prompt, which tends to be what it is about.
pub(crate) fn subject(prompt: &str) -> String {
    subjects(prompt)
        .pop()
        .unwrap_or_else(|| "example".to_owned())
}

/// The capitalised words of a prompt in their order.
pub(crate) fn subjects(prompt: &str) -> Vec<String> {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    prompt
        .split_whitespace()
        .map(bare)
        .filter(|word| word.starts_with(char::is_uppercase))
        .collect()
}

fn fitting(schema: &Value, word: &str, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["anyOf"].get(0) {
        return fitting(first, word, depth - 1);
    }
    match type_of(schema).as_str() {
        "string" => json!(word),
        "integer" => json!(schema["minimum"].as_i64().unwrap_or(1)),
        "number" => json!(schema["minimum"].as_f64().unwrap_or(1.5)),
        "boolean" => json!(true),
        "array" => json!([fitting(&schema["items"], word, depth - 1)]),
        "object" => object(schema, word, depth),
        _ => Value::Null,
    }
}

fn type_of(schema: &Value) -> String {
    let named = schema["type"]
        .as_str()
        .or_else(|| schema["type"][0].as_str());
    let implied = if schema["properties"].is_object() {
        "object"
    } else {
        ""
    };
    named.unwrap_or(implied).to_ascii_lowercase()
}

fn object(schema: &Value, word: &str, depth: usize) -> Value {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let filled = |(name, inner): (&String, &Value)| (name.clone(), fitting(inner, word, depth - 1));
    Value::Object(properties.iter().map(filled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schema_forms_are_filled() {
        let google = json!({"type": "OBJECT", "properties": {
            "city": {"type": "STRING"}, "unit": {"type": "STRING", "enum": ["c", "f"]}}});
        assert_eq!(value(&google, "Oslo"), json!({"city": "Oslo", "unit": "c"}));
        let standard = json!({"type": "array", "items": {"type": ["integer", "null"]}});
        assert_eq!(value(&standard, "x"), json!([1]));
    }

    #[test]
    fn a_prompt_is_about_its_last_capitalised_word() {
        assert_eq!(subject("What is the weather in Oslo?"), "Oslo");
        assert_eq!(subject("hello"), "example");
    }
}
