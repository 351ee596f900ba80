//! What the messages of a chat become as items of an Agent API's input.

use serde_json::{Value, json};

use crate::requests::{check_refused, request};

fn check_items(messages: Value, expected: Value) {
    let request = request("openai/gpt-6-luna", &json!({"messages": messages}));
    assert_eq!(request["input"], expected, "{messages}");
}

fn check_message_refused(message: Value, param: &str, says: &str) {
    let body = json!({"messages": [message]}).to_string();
    check_refused(&body, Some(param), says);
}

#[test]
fn messages_become_items() {
    check_items(
        json!([
            {"role": "system", "content": "Be brief.", "name": "s"},
            {"role": "developer", "content": [{"type": "text", "text": "And kind."}]},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]},
            {"role": "assistant", "content": null, "refusal": "no"},
            {"role": "assistant", "content": ""},
        ]),
        json!([
            {"type": "message", "role": "system", "content": "Be brief."},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "And kind."}]},
            {"type": "message", "role": "user", "content": "hi"},
            {"type": "message", "role": "assistant", "content": "Hello"},
            {"type": "message", "role": "assistant", "content": "no"},
        ]),
    );
}

#[test]
fn parts_are_renamed_and_their_data_left_alone() {
    check_items(
        json!([{"role": "user", "content": [
            {"type": "text", "text": "see", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "https://e.org/a.png", "detail": "low"}},
            {"type": "image_url", "image_url": "data:image/png;base64,AA=="},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
            {"type": "file", "file": {"file_id": "f1"}},
            {"type": "file_url", "file_url": {"url": "https://e.org/b.pdf"}, "file_name": "b.pdf"},
            {"type": "input_text", "text": "own"},
        ]}]),
        json!([{"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "see"},
            {"type": "input_image", "image_url": "https://e.org/a.png"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
            {"type": "input_file", "file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"},
            {"type": "input_file", "file_id": "f1"},
            {"type": "input_file", "file_url": "https://e.org/b.pdf", "filename": "b.pdf"},
            {"type": "input_text", "text": "own"},
        ]}]),
    );
}

#[test]
fn calls_and_results_keep_their_ids_and_signatures() {
    let call = |id: &str, arguments: Value, extra: (&str, Value)| {
        let mut call = json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
        call[extra.0] = extra.1;
        call
    };
    let googles = (
        "extra_content",
        json!({"google": {"thought_signature": "sig"}}),
    );
    let litellms = (
        "provider_specific_fields",
        json!({"thought_signature": "gis"}),
    );
    check_items(
        json!([
            {"role": "assistant", "content": "Let me see.", "tool_calls": [
                call("c1", json!("{\"a\":1}"), googles),
                call("c2", json!(""), litellms),
                call("c3", json!({"b": 2}), ("index", json!(2))),
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c3", "content": [{"type": "text", "text": "th"}, {"type": "text", "text": "ree"}]},
            {"role": "tool", "tool_call_id": "other", "content": null},
        ]),
        json!([
            {"type": "message", "role": "assistant", "content": "Let me see."},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}", "thought_signature": "sig"},
            {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}", "thought_signature": "gis"},
            {"type": "function_call", "call_id": "c3", "name": "f", "arguments": "{\"b\":2}"},
            {"type": "function_call_output", "call_id": "c1", "output": "one", "name": "f", "thought_signature": "sig"},
            {"type": "function_call_output", "call_id": "c3", "output": "three", "name": "f"},
            {"type": "function_call_output", "call_id": "other", "output": ""},
        ]),
    );
}

#[test]
fn a_wrong_message_is_named_by_its_place() {
    let say = |content: Value| json!({"role": "user", "content": content});
    check_message_refused(json!(7), "messages[0]", "an object");
    check_message_refused(json!({"content": "hi"}), "messages[0].role", "missing");
    let function = json!({"role": "function", "content": "hi"});
    check_message_refused(function, "messages[0].role", "\"function\"");
    check_message_refused(say(json!(null)), "messages[0].content", "missing");
    check_message_refused(say(json!(7)), "messages[0].content", "a text or a list");
    let audio = say(json!([{"type": "input_audio", "input_audio": {}}]));
    check_message_refused(audio, "messages[0].content[0].type", "input_audio");
    let image = say(json!([{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {}}]));
    check_message_refused(image, "messages[0].content[1].image_url.url", "missing");
    let file = say(json!([{"type": "file", "file": "a.pdf"}]));
    check_message_refused(file, "messages[0].content[0].file", "an object");
    let result = json!({"role": "tool", "content": "x"});
    check_message_refused(result, "messages[0].tool_call_id", "missing");
    let image = json!({"role": "tool", "tool_call_id": "c", "content": [{"type": "image_url"}]});
    check_message_refused(image, "messages[0].content[0]", "only text");
    let call = json!({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": 5}}]});
    check_message_refused(call, "messages[0].tool_calls[0].function.name", "a text");
}
