//! OpenAI's requests in GigaChat's dialect: what is sent for what is asked. What is refused is in `gigachat_refused.rs`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;

use std::path::Path;

use domain::UnixMs;
use providers::gigachat::{Encoding, File, chat_answer, chat_request, embeddings_request};
use serde_json::{Value, json};
use wire::gemini::Framing;

use asking::{PNG, empty, tool, translate};

/// What is sent for a request with these members.
fn check(request: &Value, expected: &Value) {
    let mut expected = expected.clone();
    expected["model"] = json!("GigaChat-2");
    assert_eq!(translate(request).unwrap(), expected, "{request:#}");
}

/// What is sent for a conversation.
fn check_messages(messages: &Value, expected: &Value) {
    check(
        &json!({"messages": messages}),
        &json!({"messages": expected}),
    );
}

/// What is sent for members besides the messages.
fn check_options(options: &Value, expected: &Value) {
    let messages = json!([{"role": "user", "content": "a"}]);
    let (mut request, mut sent) = (options.clone(), expected.clone());
    request["messages"] = messages.clone();
    sent["messages"] = messages;
    check(&request, &sent);
}

#[test]
fn a_conversation_with_a_call_becomes_that_of_the_fixture() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/providers/gigachat/chat_request.json"
    );
    let mut expected: Value =
        serde_json::from_slice(&std::fs::read(Path::new(path)).unwrap()).unwrap();
    let call = json!({
        "id": "call_g019a0c110000700080000000000000a1",
        "type": "function",
        "function": {"name": "find_train", "arguments": "{\"from\":\"Казань\",\"days\":3}"},
    });
    let request = json!({
        "model": "gigachat/GigaChat-2-Pro",
        "messages": [
            {"role": "system", "content": "Отвечай кратко."},
            {"role": "user", "content": [
                {"type": "text", "text": "Какие поезда идут из Казани в ближайшие три дня?"},
                {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
            ]},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_g019a0c110000700080000000000000a1", "content": "{\"trains\": [\"102Й\"]}"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "find_train",
            "description": "Поиск поездов",
            "strict": true,
            "parameters": {
                "type": "object",
                "properties": {"from": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["from"],
                "additionalProperties": {"type": "string"},
            },
        }}],
        "temperature": 0,
        "max_completion_tokens": 512,
        "stream": false,
    });
    let request = chat_request(request.to_string().as_bytes(), "GigaChat-2-Pro").unwrap();
    let id = "bc7e4f0a-0000-4c2b-9d3e-000000000001".to_owned();
    let sent: Value = serde_json::from_slice(&request.finish(&[id])).unwrap();
    // Objects without an order compare equal.
    expected["model"] = json!("GigaChat-2-Pro");
    assert_eq!(sent, expected);
}

#[test]
fn system_messages_are_one_and_first() {
    check_messages(
        &json!([
            {"role": "system", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "developer", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]},
        ]),
        &json!([{"role": "system", "content": "a\n\nc\nd"}, {"role": "user", "content": "b"}]),
    );
}

#[test]
fn neighbours_of_one_role_are_joined() {
    check_messages(
        &json!([
            {"role": "user", "content": "a", "name": "Ann"},
            {"role": "user", "content": [{"type": "text", "text": "b"}, "c"]},
            {"role": "assistant", "content": "d", "refusal": null},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "e"}], "reasoning_content": "r"},
        ]),
        &json!([
            {"role": "user", "content": "a\n\nb\nc"},
            {"role": "assistant", "content": "d\n\ne", "reasoning_content": "r"},
        ]),
    );
}

#[test]
fn several_calls_become_pairs_of_a_call_and_its_result() {
    let call = |id: &str, name: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": ""}});
    check_messages(
        &json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b", "tool_calls": [call("1", "f"), call("2", "g")]},
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "x"}]},
            {"role": "tool", "tool_call_id": "2", "content": "[1]"},
            {"role": "assistant", "content": "c"},
        ]),
        &json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b", "function_call": {"name": "f", "arguments": {}}},
            {"role": "function", "name": "f", "content": "{\"result\":\"x\"}"},
            {"role": "assistant", "content": "", "function_call": {"name": "g", "arguments": {}}},
            {"role": "function", "name": "g", "content": "{\"result\":[1]}"},
            {"role": "assistant", "content": "c"},
        ]),
    );
}

#[test]
fn the_older_spelling_of_calls_is_understood() {
    let function = json!({"name": "f", "parameters": {"type": "object", "properties": {}}});
    check(
        &json!({
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "no json"}},
                {"role": "function", "name": "f", "content": "x"},
            ],
            "functions": [function],
            "function_call": {"name": "f"},
        }),
        &json!({
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": {"arguments": "no json"}}},
                {"role": "function", "name": "f", "content": "{\"result\":\"x\"}"},
            ],
            "functions": [function],
            "function_call": {"name": "f"},
        }),
    );
}

#[test]
fn a_state_is_sent_back_from_the_id_of_the_call_or_from_the_message() {
    let call = json!({"id": "call_x7a_1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}});
    let sent = |state: &str, call: &Value| json!([{"role": "assistant", "content": "", "function_call": call, "functions_state_id": state}]);
    let called = json!({"name": "f", "arguments": {"a": 1}});
    check_messages(
        &json!([{"role": "assistant", "tool_calls": [call]}]),
        &sent("z", &called),
    );
    check_messages(
        &json!([{"role": "assistant", "tool_calls": [call], "functions_state_id": "own"}]),
        &sent("own", &called),
    );
}

#[test]
fn names_that_gigachat_does_not_take_are_changed_all_through_and_back() {
    let request = json!({
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "web_search", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "{}"},
        ],
        "tools": [tool("web_search", &empty()), tool("get-time", &empty())],
        "tool_choice": {"type": "function", "function": {"name": "get-time"}},
    });
    check(
        &request,
        &json!({
            "messages": [
                {"role": "assistant", "content": "", "function_call": {"name": "web_search_2", "arguments": {}}},
                {"role": "function", "name": "web_search_2", "content": "{}"},
            ],
            "functions": [{"name": "web_search_2", "parameters": empty()}, {"name": "get_time", "parameters": empty()}],
            "function_call": {"name": "get_time"},
        }),
    );
    let asked = chat_request(request.to_string().as_bytes(), "m")
        .unwrap()
        .asked("chatcmpl-7", UnixMs(0));
    let mut translator = chat_answer(Framing::Json, asked);
    let mut out = Vec::new();
    translator.push(
        br#"{"choices":[{"message":{"function_call":{"name":"web_search_2"}}}]}"#,
        &mut out,
    );
    translator.finish(&mut out);
    let answer: Value = serde_json::from_slice(&out).unwrap();
    let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call, &json!({"name": "web_search", "arguments": "{}"}));
}

fn check_choice(names: &[&str], choice: &Value, expected: &Value) {
    let tools: Vec<_> = names.iter().map(|name| tool(name, &empty())).collect();
    let request = json!({"messages": [{"role": "user", "content": "a"}], "tools": tools, "tool_choice": choice});
    let sent = translate(&request).unwrap();
    let functions: Vec<_> = sent["functions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|function| &function["name"])
        .collect();
    let seen = json!({"call": sent.get("function_call"), "functions": functions});
    assert_eq!(&seen, expected, "{choice}");
}

#[test]
fn the_choice_of_tools_is_gigachats() {
    let allowed = |mode: &str| json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [{"type": "function", "function": {"name": "g"}}]}});
    for (names, choice, call, left) in [
        (
            &["f", "g"][..],
            Value::Null,
            json!("auto"),
            json!(["f", "g"]),
        ),
        (&["f"], json!("none"), json!("none"), json!(["f"])),
        (
            &["f"],
            json!("required"),
            json!({"name": "f"}),
            json!(["f"]),
        ),
        (
            &["f", "g"],
            json!("required"),
            json!("auto"),
            json!(["f", "g"]),
        ),
        (
            &["f", "g"],
            json!({"type": "function", "function": {"name": "g"}}),
            json!({"name": "g"}),
            json!(["f", "g"]),
        ),
        (
            &["f", "g"],
            allowed("required"),
            json!({"name": "g"}),
            json!(["g"]),
        ),
        (&["f", "g"], allowed("auto"), json!("auto"), json!(["g"])),
        // Alone it would switch GigaChat's own functions on.
        (&[], json!("auto"), Value::Null, json!([])),
        (&["f"], allowed("auto"), Value::Null, json!([])),
    ] {
        check_choice(names, &choice, &json!({"call": call, "functions": left}));
    }
}

#[test]
fn options_are_put_into_gigachats_terms() {
    for (options, expected) in [
        (json!({"temperature": 0, "top_p": 0.5}), json!({"top_p": 0})),
        (json!({"temperature": 0.0}), json!({"top_p": 0})),
        (
            json!({"temperature": 0.7, "top_p": 0.5}),
            json!({"temperature": 0.7, "top_p": 0.5}),
        ),
        (
            json!({"max_tokens": 1, "max_completion_tokens": 2}),
            json!({"max_tokens": 2}),
        ),
        (
            json!({"max_tokens": 1, "max_completion_tokens": null}),
            json!({"max_tokens": 1}),
        ),
        (
            json!({"stream": true, "stream_options": {"include_usage": true}}),
            json!({"stream": true}),
        ),
        (
            json!({"n": 2, "repetition_penalty": 1.1, "profanity_check": true}),
            json!({"n": 2, "repetition_penalty": 1.1, "profanity_check": true}),
        ),
        (
            json!({"stop": ["x"], "seed": 1, "logprobs": true, "top_logprobs": 2, "presence_penalty": 1, "frequency_penalty": 1,
                "logit_bias": {}, "parallel_tool_calls": false, "user": "u", "store": true, "metadata": {}, "service_tier": "auto"}),
            json!({}),
        ),
        (
            json!({"reasoning_effort": "none"}),
            json!({"reasoning_effort": "low"}),
        ),
        (
            json!({"reasoning_effort": "medium"}),
            json!({"reasoning_effort": "medium"}),
        ),
        (
            json!({"reasoning_effort": "max"}),
            json!({"reasoning_effort": "high"}),
        ),
        (
            json!({"response_format": {"type": "json_object"}}),
            json!({}),
        ),
        (json!({"response_format": {"type": "text"}}), json!({})),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": {"type": "object"}}}}),
            json!({"response_format": {"type": "json_schema", "schema": empty(), "strict": true}}),
        ),
        (
            json!({"response_format": {"type": "json_schema", "schema": {}, "strict": false}}),
            json!({"response_format": {"type": "json_schema", "schema": {}, "strict": false}}),
        ),
    ] {
        check_options(&options, &expected);
    }
}

fn check_schema(schema: &Value, expected: &Value) {
    let request = json!({"messages": [{"role": "user"}], "tools": [tool("f", schema)]});
    let sent = translate(&request).unwrap();
    assert_eq!(&sent["functions"][0]["parameters"], expected, "{schema:#}");
}

#[test]
fn schemas_are_brought_within_gigachats_limits() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    for (property, expected) in [
        (json!({"type": "object"}), empty()),
        (json!({"properties": {}}), empty()),
        (
            json!({"type": ["null", "integer"]}),
            json!({"type": "integer"}),
        ),
        (
            json!({"anyOf": [{"type": "null"}, {"type": "string"}, {"type": "integer"}], "description": "d"}),
            json!({"description": "d", "type": "string"}),
        ),
        (
            json!({"oneOf": [{"type": "number"}]}),
            json!({"type": "number"}),
        ),
        (
            json!({"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a", "z"]}, {"type": "object", "properties": {"b": {}}, "required": ["b", "a"]}]}),
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a", "b"]}),
        ),
        (
            json!({"enum": ["x", "", null]}),
            json!({"type": "string", "enum": ["x"]}),
        ),
        (
            json!({"const": "x"}),
            json!({"type": "string", "enum": ["x"]}),
        ),
        (
            json!({"type": "integer", "enum": [1, 2], "description": "d"}),
            json!({"type": "integer", "description": "d; one of: 1, 2"}),
        ),
        (
            json!({"type": "string", "format": "date-time"}),
            json!({"type": "string", "format": "date-time"}),
        ),
        (
            json!({"type": "string", "format": "uuid", "$comment": "c", "not": {}}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "array", "items": [{"$ref": "#/$defs/d"}, {}]}),
            json!({"type": "array", "items": {"type": "boolean", "title": "t"}}),
        ),
        (
            json!({"$ref": "#/$defs/d", "title": "mine"}),
            json!({"type": "boolean", "title": "mine"}),
        ),
        (
            json!({"$ref": "#/$defs/node"}),
            object(json!({"next": empty()})),
        ),
        (json!(true), json!({})),
    ] {
        let defs = json!({
            "d": {"type": "boolean", "title": "t"},
            "node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}},
        });
        check_schema(
            &json!({"type": "object", "properties": {"p": property}, "$defs": defs}),
            &object(json!({"p": expected})),
        );
    }
    check_schema(&Value::Null, &empty());
    check_schema(&json!({"type": "string"}), &empty());
}

#[test]
fn one_picture_a_message_and_native_files_first() {
    let picture = json!({"type": "image_url", "image_url": PNG});
    check_messages(
        &json!([
            {"role": "user", "content": [picture, {"type": "text", "text": "a"}, picture]},
            {"role": "user", "content": [{"type": "file", "file": {"file_id": "mine"}}, {"type": "text", "text": "b"}], "attachments": ["native"]},
        ]),
        &json!([
            {"role": "user", "content": "", "attachments": ["file-0"]},
            {"role": "user", "content": "a\n\nb", "attachments": ["file-1", "native", "mine"]},
        ]),
    );
}

fn check_image(part: &Value, mime: &str, name: &str, data: &[u8]) {
    let request = json!({"messages": [{"role": "user", "content": [part]}]});
    let request = chat_request(request.to_string().as_bytes(), "m").unwrap();
    let expected = File::Inline {
        mime: mime.to_owned(),
        data: data.to_owned().into(),
    };
    assert_eq!(request.files(), [expected], "{part}");
    assert_eq!(request.files()[0].file_name(), name, "{part}");
}

#[test]
fn files_are_read_however_they_are_written() {
    let picture = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let data = &[0xfb, 0xff][..];
    for url in [
        "data:image/jpeg;base64,+/8=",
        "data:image/jpg;base64,-_8",
        " DATA:Image/JPG;charset=x;BASE64, + /\n8= ",
    ] {
        check_image(&picture(url), "image/jpeg", "file.jpg", data);
    }
    check_image(
        &picture("data:image/bmp;base64,+/8="),
        "image/bmp",
        "file.bmp",
        data,
    );
    let audio = json!({"type": "input_audio", "input_audio": {"data": "+/8=", "format": "mp3"}});
    check_image(&audio, "audio/mpeg", "file.mp3", data);
    let file = json!({"type": "file", "file": {"file_data": "+/8=", "filename": "A.TXT"}});
    check_image(&file, "text/plain", "file.txt", data);
    let file = json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,+/8="}});
    check_image(&file, "application/pdf", "file.pdf", data);
    let address = "https://example.com/a.png";
    let request = json!({"messages": [{"role": "user", "content": [picture(address)]}]});
    let request = chat_request(request.to_string().as_bytes(), "m").unwrap();
    assert_eq!(request.files(), [File::Url(address.to_owned())]);
}

#[test]
fn what_was_fetched_is_checked_alike() {
    assert!(File::inline("image/PNG; q=1", vec![1]).is_ok());
    assert!(File::inline("image/webp", vec![1]).is_err());
    assert!(File::inline("image/png", vec![0; 15 * 1024 * 1024 + 1]).is_err());
}

fn check_embeddings(request: &Value, expected: &Value, encoding: Encoding) {
    let sent = embeddings_request(request.to_string().as_bytes(), "Embeddings").unwrap();
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!((&body, sent.encoding), (expected, encoding), "{request}");
}

#[test]
fn embeddings_are_asked_for_as_lists_of_texts() {
    check_embeddings(
        &json!({"model": "gigachat/Embeddings", "input": "a", "encoding_format": "base64", "dimensions": 3, "user": "u"}),
        &json!({"model": "Embeddings", "input": ["a"]}),
        Encoding::Base64,
    );
    check_embeddings(
        &json!({"input": ["a", "b"], "encoding_format": null, "x": 1}),
        &json!({"model": "Embeddings", "input": ["a", "b"], "x": 1}),
        Encoding::Float,
    );
}
