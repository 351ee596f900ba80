//! How a prompt is found in Google's generating requests.
//! Fields are found in `camelCase` and `snake_case`, as Google's proto3 JSON accepts both.
//! Whether the request is well formed is judged by `strict.rs`.

use serde_json::Value;

use crate::prompt::{FILE_TOKENS, Prompt};
use crate::voice::tokens;

impl Prompt {
    /// Reads a `GenerateContentRequest`; anything missing stays empty.
    pub(crate) fn read(request: &Value) -> Self {
        let contents = contents(request);
        let last = contents.last();
        let system = field(request, "systemInstruction")
            .map(text_of)
            .unwrap_or_default();
        let config = field(request, "generationConfig")
            .cloned()
            .unwrap_or_default();
        let all_parts = || contents.iter().flat_map(parts);
        let file_uris: Vec<String> = all_parts().filter_map(file_uri).collect();
        let inline = all_parts()
            .filter(|part| field(part, "inlineData").is_some())
            .count();
        let words: String = contents.iter().map(text_of).collect();
        Self {
            text: last.map(text_of).unwrap_or_default(),
            turns: contents.len(),
            functions: callable(request),
            function_result: last.and_then(function_result),
            cached_content: text_field(request, "cachedContent"),
            wants_thoughts: field(&config, "thinkingConfig")
                .and_then(|thinking| field(thinking, "includeThoughts"))
                .is_some_and(|include| include == true),
            wants_json: text_field(&config, "responseMimeType").as_deref()
                == Some("application/json"),
            schema: ["responseSchema", "responseJsonSchema"]
                .iter()
                .find_map(|name| field(&config, name).cloned()),
            max_output_tokens: field(&config, "maxOutputTokens").and_then(Value::as_u64),
            tokens: tokens(&words)
                + tokens(&system)
                + FILE_TOKENS * (file_uris.len() + inline) as u64,
            system,
            file_uris,
        }
    }
}

/// A field by its camelCase name, in either spelling.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value
        .get(name)
        .or_else(|| value.get(snake(name)))
        .filter(|found| !found.is_null())
}

/// A text field by its camelCase name, in either spelling.
pub(crate) fn text_field(value: &Value, name: &str) -> Option<String> {
    field(value, name)?.as_str().map(ToOwned::to_owned)
}

/// `systemInstruction` → `system_instruction`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// The contents, of which proto3 JSON accepts a single one without its array.
fn contents(request: &Value) -> Vec<Value> {
    match field(request, "contents") {
        Some(Value::Array(list)) => list.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    }
}

fn parts(content: &Value) -> &[Value] {
    match content.get("parts") {
        Some(Value::Array(list)) => list,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

/// The text of all parts of a content, thoughts left out.
pub(crate) fn text_of(content: &Value) -> String {
    let spoken = |part: &&Value| part.get("thought") != Some(&Value::Bool(true));
    parts(content)
        .iter()
        .filter(spoken)
        .filter_map(|part| part.get("text")?.as_str())
        .collect()
}

fn file_uri(part: &Value) -> Option<String> {
    text_field(field(part, "fileData")?, "fileUri")
}

fn function_result(content: &Value) -> Option<(String, Value)> {
    let result = parts(content)
        .iter()
        .find_map(|part| field(part, "functionResponse"))?;
    let response = result.get("response").cloned().unwrap_or_default();
    Some((text_field(result, "name").unwrap_or_default(), response))
}

fn callable(request: &Value) -> Vec<Value> {
    let config = field(request, "toolConfig").and_then(|c| field(c, "functionCallingConfig"));
    if config
        .and_then(|c| c.get("mode"))
        .is_some_and(|mode| mode == "NONE")
    {
        return Vec::new();
    }
    let allowed = config
        .and_then(|c| field(c, "allowedFunctionNames"))
        .and_then(Value::as_array);
    let is_allowed = |function: &Value| {
        allowed.is_none_or(|names| {
            function
                .get("name")
                .is_some_and(|name| names.contains(name))
        })
    };
    let tools = field(request, "tools")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    tools
        .iter()
        .filter_map(|tool| field(tool, "functionDeclarations")?.as_array())
        .flatten()
        .filter(|function| is_allowed(function))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_are_read() {
        let camel = json!({"systemInstruction": {"parts": [{"text": "s"}]}});
        let snake = json!({"system_instruction": {"parts": {"text": "s"}}});
        assert_eq!(Prompt::read(&camel).system, "s");
        assert_eq!(Prompt::read(&snake).system, "s");
    }

    #[test]
    fn functions_are_limited_to_the_allowed_ones() {
        let request = |config: Value| {
            json!({
                "tools": [{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}],
                "toolConfig": {"functionCallingConfig": config},
            })
        };
        let names = |config: Value| -> Vec<Value> {
            Prompt::read(&request(config))
                .functions
                .iter()
                .map(|f| f["name"].clone())
                .collect()
        };
        assert_eq!(names(json!({})), ["a", "b"]);
        assert_eq!(
            names(json!({"mode": "ANY", "allowedFunctionNames": ["b"]})),
            ["b"]
        );
        assert!(names(json!({"mode": "NONE"})).is_empty());
    }
}
