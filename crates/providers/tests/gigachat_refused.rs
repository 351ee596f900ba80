//! Requests that cannot be put into GigaChat's dialect, and what hostile callers try.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;

use proptest::prelude::*;
use providers::gigachat::{chat_request, embeddings_request};
use serde_json::{Value, json};

use asking::{PNG, empty, tool, translate};

fn check_refused(request: &Value, param: Option<&str>, words: &str) {
    let refused = translate(request).unwrap_err();
    assert_eq!(refused.param.as_deref(), param, "{refused}");
    assert!(refused.to_string().contains(words), "{refused}");
}

#[test]
fn a_conversation_that_cannot_be_sent_is_refused_by_the_member_at_fault() {
    let user = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let picture = |url: &str| {
        user(
            json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": url}}]),
        )
    };
    let part = Some("messages[0].content[1]");
    let call = |id: &str| json!({"id": id, "function": {"name": "f"}});
    let calls = json!({"role": "assistant", "tool_calls": [call("1"), call("2")]});
    for (request, param, words) in [
        (json!({}), Some("messages"), "no array"),
        (json!({"messages": []}), Some("messages"), "no array"),
        (
            json!({"messages": [7]}),
            Some("messages[0]"),
            "not an object",
        ),
        (
            json!({"messages": [{"role": "robot"}]}),
            Some("messages[0]"),
            "\"robot\"",
        ),
        (
            user(json!(7)),
            Some("messages[0].content"),
            "neither a text",
        ),
        (
            user(json!([{"type": "video_url"}])),
            Some("messages[0].content[0]"),
            "\"video_url\"",
        ),
        (picture("data:image/gif;base64,AA=="), part, "\"image/gif\""),
        (picture("data:image/png;base64,A"), part, "not base64"),
        (picture("data:image/png;base64,"), part, "is empty"),
        (picture("data:image/png,AA=="), part, "without base64"),
        (picture("ftp://a/b.png"), part, "http"),
        (
            picture(&format!("data:image/png;base64,{}", "A".repeat(22_000_000))),
            part,
            "15 MiB",
        ),
        (
            user(json!(vec![
                json!({"type": "image_url", "image_url": PNG});
                11
            ])),
            Some("messages[0].content[10]"),
            "takes 10",
        ),
        (
            json!({"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": PNG}]}]}),
            Some("messages[0].content"),
            "only in messages of the role \"user\"",
        ),
        (
            json!({"messages": [{"role": "tool", "tool_call_id": "9", "content": ""}]}),
            Some("messages[0].tool_call_id"),
            "\"9\"",
        ),
        (
            json!({"messages": [{"role": "function", "content": ""}]}),
            Some("messages[0].name"),
            "no name",
        ),
        (
            json!({"messages": [calls, {"role": "user", "content": "a"}]}),
            Some("messages[1]"),
            "\"1\" before it has no result",
        ),
        (json!({"messages": [calls]}), Some("messages"), "\"1\""),
        (
            json!({"messages": [{"role": "assistant", "tool_calls": [call("1"), call("1")]}]}),
            Some("messages[0].tool_calls[1]"),
            "another call",
        ),
        (
            json!({"messages": [{"role": "assistant", "tool_calls": [{"type": "custom"}]}]}),
            Some("messages[0].tool_calls[0]"),
            "names no function",
        ),
    ] {
        check_refused(&request, param, words);
    }
}

#[test]
fn functions_that_cannot_be_sent_are_refused_by_the_member_at_fault() {
    let with = |members: Value| {
        let mut request = json!({"messages": [{"role": "user", "content": "a"}]});
        request
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        request
    };
    let tools = |schema: Value| with(json!({"tools": [tool("f", &schema)]}));
    for (request, param, words) in [
        (with(json!({"tools": 7})), Some("tools"), "not an array"),
        (
            with(json!({"tools": [{"type": "custom"}]})),
            Some("tools[0]"),
            "\"custom\"",
        ),
        (
            with(json!({"tools": [{"type": "function", "function": 7}]})),
            Some("tools[0].function"),
            "not an object",
        ),
        (
            with(json!({"functions": [{}]})),
            Some("functions[0]"),
            "no name",
        ),
        (
            with(json!({"tools": [tool("f", &empty())], "tool_choice": 7})),
            Some("tool_choice"),
            "not understood",
        ),
        (
            with(
                json!({"tools": [tool("f", &empty())], "tool_choice": {"type": "function", "function": {"name": "g"}}}),
            ),
            Some("tool_choice"),
            "\"g\"",
        ),
        (
            tools(json!({"$ref": "#/$defs/x"})),
            Some("tools[0].function.parameters"),
            "\"#/$defs/x\"",
        ),
        (
            tools(json!({"$ref": "https://x"})),
            Some("tools[0].function.parameters"),
            "\"https://x\"",
        ),
        (
            with(json!({"response_format": {"type": "grammar"}})),
            Some("response_format"),
            "none of",
        ),
        (
            with(json!({"response_format": {"type": "json_schema", "json_schema": {}}})),
            Some("response_format.json_schema.schema"),
            "no object",
        ),
    ] {
        check_refused(&request, param, words);
    }
}

#[test]
fn references_that_grow_without_end_are_refused() {
    let mut defs = json!({"d40": {"type": "string"}});
    for at in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
        defs[format!("d{at}")] = json!({"type": "object", "properties": {"a": next, "b": next}});
    }
    let schema = json!({"$ref": "#/$defs/d0", "$defs": defs});
    let request = json!({"messages": [{"role": "user"}], "tools": [tool("f", &schema)]});
    check_refused(
        &request,
        Some("tools[0].function.parameters"),
        "more than 1048576 bytes",
    );
}

#[test]
fn what_is_looked_at_again_and_again_is_counted_each_time() {
    let nulls = vec![json!({"type": "null"}); 10_000];
    let mut wide = json!({});
    for at in 0..10_000 {
        wide[format!("x{at}")] = json!(0);
    }
    for target in [json!({"anyOf": nulls}), wide] {
        let all = vec![json!({"$ref": "#/$defs/a"}); 1_000];
        let schema = json!({"allOf": all, "$defs": {"a": target}});
        let request = json!({"messages": [{"role": "user"}], "tools": [tool("f", &schema)]});
        check_refused(
            &request,
            Some("tools[0].function.parameters"),
            "more than 1048576 bytes",
        );
    }
}

#[test]
fn a_refusal_quotes_no_more_than_a_line() {
    let request = json!({"messages": [{"role": "é".repeat(10_000)}]});
    let refused = translate(&request).unwrap_err();
    assert_eq!(refused.message.chars().count(), 401);
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    let deep = "[".repeat(100_000);
    let nested = format!("{{\"messages\":{}", "[".repeat(1000));
    for body in [
        &b""[..],
        b"[]",
        b"null",
        b"{\"messages\":[",
        b"\xff{}",
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}",
        deep.as_bytes(),
        nested.as_bytes(),
    ] {
        let refused = chat_request(body, "m").unwrap_err();
        assert_eq!(refused.param, None);
        assert!(embeddings_request(body, "m").is_err());
    }
}

#[test]
fn what_are_no_texts_is_not_embedded() {
    for (request, param) in [
        (json!({}), "input"),
        (json!({"input": []}), "input"),
        (json!({"input": 7}), "input"),
        (json!({"input": [1, 2]}), "input"),
        (json!({"input": [[1], [2]]}), "input"),
        (
            json!({"input": "a", "encoding_format": "hex"}),
            "encoding_format",
        ),
    ] {
        let refused = embeddings_request(request.to_string().as_bytes(), "m").unwrap_err();
        assert_eq!(refused.param.as_deref(), Some(param), "{request}");
    }
}

/// JSON of any form, with the members and words of requests more likely than others.
fn any_json() -> impl Strategy<Value = Value> {
    let words = vec![
        "user",
        "assistant",
        "tool",
        "function",
        "system",
        "text",
        "image_url",
        "file",
        "f",
        "g-h",
        "auto",
        "required",
        "json_schema",
        "object",
        "#",
        "#/properties",
        "#/$defs/a",
        "data:image/png;base64,AA==",
    ];
    let names = vec![
        "role",
        "content",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "function",
        "name",
        "arguments",
        "type",
        "text",
        "image_url",
        "url",
        "file",
        "file_data",
        "parameters",
        "properties",
        "$ref",
        "$defs",
        "anyOf",
        "allOf",
        "enum",
        "const",
        "required",
        "items",
        "json_schema",
        "schema",
        "a",
        "id",
        "attachments",
        "functions_state_id",
        "allowed_tools",
        "tools",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(names.clone()), inner), 0..8).prop_map(
                |members| {
                    let member = |(name, value): (&str, Value)| (name.to_owned(), value);
                    Value::Object(members.into_iter().map(member).collect())
                }
            ),
        ]
    })
}

proptest! {
    #[test]
    fn any_request_is_translated_or_refused(
        messages in prop::collection::vec(any_json(), 1..4),
        members in prop::collection::vec((
            prop::sample::select(vec![
                "tools", "functions", "tool_choice", "function_call", "response_format", "temperature", "reasoning_effort",
            ]),
            any_json(),
        ), 0..4),
    ) {
        let mut request = json!({"messages": messages});
        for (name, value) in members {
            request[name] = value;
        }
        if let Ok(sent) = translate(&request) {
            prop_assert_eq!(&sent["model"], "GigaChat-2");
            prop_assert!(!sent["messages"].as_array().unwrap().is_empty());
            prop_assert!(sent.get("function_call").is_none() || sent["functions"].is_array());
        }
        let _ = embeddings_request(request.to_string().as_bytes(), "m");
    }

    #[test]
    fn any_schema_comes_within_the_limits_or_is_refused(schema in any_json()) {
        let request = json!({"messages": [{"role": "user"}], "tools": [tool("f", &schema)]});
        if let Ok(sent) = translate(&request) {
            let parameters = &sent["functions"][0]["parameters"];
            prop_assert!(parameters["properties"].is_object());
            check_within_limits(parameters)?;
        }
    }
}

fn check_within_limits(schema: &Value) -> Result<(), TestCaseError> {
    for keyword in ["$ref", "$defs", "anyOf", "oneOf", "allOf", "const"] {
        prop_assert!(schema.get(keyword).is_none(), "{schema}");
    }
    if schema["type"] == "object" {
        prop_assert!(schema["properties"].is_object(), "{schema}");
    }
    for choice in schema["enum"].as_array().into_iter().flatten() {
        prop_assert!(choice.is_string(), "{schema}");
    }
    for property in schema["properties"].as_object().into_iter().flatten() {
        check_within_limits(property.1)?;
    }
    schema.get("items").map_or(Ok(()), check_within_limits)
}
