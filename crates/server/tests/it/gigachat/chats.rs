//! A caller of OpenAI's dialect talks to GigaChat as to OpenAI: documents, streams, tools, schemas, embeddings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_upstream::{Rule, gigachat};
use serde_json::{Value, json};

use super::{MODEL, ONE, attempts, last_chat, start, stream, upstream};
use crate::support::talk::{ask_with, chat, chunks, is_done, said};
use crate::support::{Answer, TestGateway};

const WHOLE: &str = r#"{"choices":[{"message":{"content":"Осло.","role":"assistant"},"index":0,"finish_reason":"stop"}],
    "created":1763630200,"model":"GigaChat-2-Max:2.0.28.2","object":"chat.completion",
    "usage":{"prompt_tokens":17,"completion_tokens":9,"total_tokens":26,"precached_prompt_tokens":3}}"#;

fn weather() -> Value {
    json!({"name": "get-weather", "description": "The weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}})
}

async fn ask_with_members(gateway: &TestGateway, text: &str, members: Value) -> Answer {
    let answer = gateway.talk(chat(MODEL, text, members)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

#[tokio::test]
async fn a_document_has_the_members_of_openais() {
    let gateway = start(gigachat(), ONE).await;
    let answer = ask_with_members(&gateway, "Привет", json!({"seed": 7, "user": "u"})).await;
    let body = answer.json();
    assert_eq!(body["object"], "chat.completion");
    assert!(
        body["id"].as_str().unwrap().starts_with("chatcmpl-"),
        "{body}"
    );
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["choices"][0]["message"]["role"], "assistant");
    assert_eq!(said(&answer), "You said: Привет");
    assert_eq!(answer.header("x-keymux-provider"), "gigachat");
    let asked = last_chat(&gateway);
    assert_eq!(asked["model"], "GigaChat-2-Max");
    assert_eq!(asked["seed"], Value::Null);
}

#[tokio::test]
async fn tokens_are_counted_with_those_of_the_cache() {
    let rule = Rule::new().path_contains("/chat/").respond(200, WHOLE);
    let gateway = start(gigachat().rule(rule), ONE).await;
    let answer = ask_with_members(&gateway, "Столица Норвегии?", json!({})).await;
    let usage = &answer.json()["usage"];
    assert_eq!(usage["prompt_tokens"], 20, "{usage}");
    assert_eq!(
        usage["prompt_tokens_details"]["cached_tokens"], 3,
        "{usage}"
    );
    assert_eq!(usage["completion_tokens"], 9, "{usage}");
    let record = gateway.record_of(&answer).await;
    let usage = record.usage.unwrap();
    assert_eq!((usage.prompt, usage.cached, usage.output), (20, 3, 9));
    assert_eq!(record.model.as_deref(), Some("GigaChat-2-Max"));
}

#[tokio::test]
async fn a_stream_comes_event_by_event_and_says_that_it_is_over() {
    let gateway = start(gigachat(), ONE).await;
    for (options, counts) in [(json!(null), false), (json!({"include_usage": true}), true)] {
        let members = json!({"stream": true, "stream_options": options});
        let answer = ask_with_members(&gateway, "Привет", members).await;
        let chunks = chunks(&answer);
        assert_eq!(said(&answer), "You said: Привет");
        assert!(is_done(&answer), "{}", answer.text());
        assert!(chunks.len() >= 3, "{chunks:?}");
        let id = &chunks[0]["id"];
        assert!(id.is_string());
        for chunk in &chunks {
            assert_eq!(chunk["object"], "chat.completion.chunk", "{chunk}");
            assert_eq!(&chunk["id"], id, "{chunk}");
        }
        assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
        let with_usage = chunks.iter().filter(|chunk| chunk["usage"].is_object());
        assert_eq!(with_usage.count(), usize::from(counts), "{chunks:?}");
        let finish = chunks
            .iter()
            .filter(|c| c["choices"][0]["finish_reason"] == "stop");
        assert_eq!(finish.count(), 1, "{chunks:?}");
        assert!(gateway.record_of(&answer).await.usage.unwrap().output > 0);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error() {
    let chats = || Rule::new().path_contains("/chat/");
    let rules = [
        chats().cut_after_chunks(1),
        chats().reset_after_chunks(1),
        chats().end_after_chunks(1),
        chats().error_after_chunks(1, "gigachat/errors/500.json"),
    ];
    for (number, rule) in rules.into_iter().enumerate() {
        let gateway = start(gigachat().rule(rule.times(1)), ONE).await;
        let answer = stream(&gateway).await;
        assert_eq!(answer.status, 200, "rule {number}");
        let chunks = chunks(&answer);
        let error = &chunks.last().unwrap()["error"];
        assert!(
            error["message"].is_string(),
            "rule {number}: {}",
            answer.text()
        );
        assert!(!said(&answer).is_empty(), "rule {number}");
        let record = gateway.record_of(&answer).await;
        assert!(record.error.is_some(), "rule {number}");
        assert_eq!(record.attempts.len(), 1, "rule {number}");
    }
}

#[tokio::test]
async fn a_stream_that_fails_before_it_says_anything_is_tried_again() {
    let chats = || Rule::new().path_contains("/chat/").times(1);
    let rules = [
        chats().reset(),
        chats().cut_after_chunks(0),
        chats().error_after_chunks(0, "gigachat/errors/500.json"),
        chats().empty(fake_upstream::EmptyKind::NoCandidates),
    ];
    for (number, rule) in rules.into_iter().enumerate() {
        let gateway = start(gigachat().rule(rule), ONE).await;
        let answer = stream(&gateway).await;
        assert_eq!(
            said(&answer),
            "You said: Привет",
            "rule {number}: {}",
            answer.text()
        );
        assert!(is_done(&answer), "rule {number}");
        assert!(
            attempts(&gateway, &answer).await.ends_with(" ok"),
            "rule {number}"
        );
    }
}

/// The messages that follow a call.
fn with_result(call: &Value) -> Value {
    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "rain, 4 degrees"});
    json!([
        {"role": "user", "content": "Weather in Oslo?"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        result,
    ])
}

#[tokio::test]
async fn a_tool_is_called_and_its_result_goes_back_with_the_state() {
    let gateway = start(gigachat(), ONE).await;
    let tools = json!([{"type": "function", "function": weather()}]);
    for streamed in [false, true] {
        let members = json!({"tools": tools, "stream": streamed});
        let answer = ask_with_members(&gateway, "Weather in Oslo?", members).await;
        let asked = last_chat(&gateway);
        assert_eq!(asked["functions"][0]["name"], "get_weather", "{asked}");
        let (message, finish) = if streamed {
            let chunks = chunks(&answer);
            let calls = chunks.iter().map(|c| c["choices"][0].clone());
            let with_call = calls.clone().find(|c| c["delta"]["tool_calls"].is_array());
            let last = calls
                .clone()
                .find(|c| c["finish_reason"].is_string())
                .unwrap();
            (
                with_call.unwrap()["delta"].clone(),
                last["finish_reason"].clone(),
            )
        } else {
            let choice = &answer.json()["choices"][0];
            (choice["message"].clone(), choice["finish_reason"].clone())
        };
        assert_eq!(finish, "tool_calls", "{message}");
        let mut call = message["tool_calls"][0].clone();
        assert_eq!(call["function"]["name"], "get-weather", "{call}");
        let arguments = call["function"]["arguments"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(arguments).unwrap(),
            json!({"city": "Oslo"})
        );
        call.as_object_mut().unwrap().remove("index");
        let members = json!({"tools": tools, "messages": with_result(&call)});
        let answer = ask_with_members(&gateway, "", members).await;
        assert!(
            said(&answer).contains("rain, 4 degrees"),
            "{}",
            answer.text()
        );
        let messages = last_chat(&gateway)["messages"].clone();
        let state = messages[1]["functions_state_id"].as_str().unwrap();
        assert_eq!(state.len(), 36, "{messages}");
        assert_eq!(
            messages[1]["function_call"]["name"], "get_weather",
            "{messages}"
        );
        assert_eq!(messages[2]["role"], "function", "{messages}");
        assert_eq!(messages[2]["name"], "get_weather", "{messages}");
    }
}

#[tokio::test]
async fn functions_of_the_older_kind_are_called_as_such() {
    let gateway = start(gigachat(), ONE).await;
    let members = json!({"functions": [weather()], "function_call": "auto"});
    let answer = ask_with_members(&gateway, "Weather in Oslo?", members).await;
    let choice = answer.json()["choices"][0].clone();
    assert_eq!(choice["finish_reason"], "function_call", "{choice}");
    let call = &choice["message"]["function_call"];
    assert_eq!(call["name"], "get-weather", "{choice}");
    assert!(choice["message"]["tool_calls"].is_null(), "{choice}");
    let messages = json!([
        {"role": "user", "content": "Weather in Oslo?"},
        {"role": "assistant", "content": null, "function_call": call},
        {"role": "function", "name": "get-weather", "content": "rain"},
    ]);
    let members = json!({"functions": [weather()], "messages": messages});
    let answer = ask_with_members(&gateway, "", members).await;
    assert!(said(&answer).contains("rain"), "{}", answer.text());
}

#[tokio::test]
async fn an_answer_keeps_to_a_schema() {
    let gateway = start(gigachat(), ONE).await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}},
        "required": ["city"], "additionalProperties": false});
    let format = json!({"type": "json_schema",
        "json_schema": {"name": "place", "strict": true, "schema": schema}});
    let answer = ask_with_members(&gateway, "Where?", json!({"response_format": format})).await;
    let content: Value = serde_json::from_str(&said(&answer)).unwrap();
    assert!(content["city"].is_string(), "{content}");
}

#[tokio::test]
async fn a_topic_that_is_not_talked_about_is_filtered_content() {
    let gateway = start(gigachat(), ONE).await;
    for streamed in [false, true] {
        let answer = ask_with_members(&gateway, "BLOCK_ME", json!({"stream": streamed})).await;
        let documents = if streamed {
            chunks(&answer)
        } else {
            vec![answer.json()]
        };
        let mut finish = documents.iter().map(|d| &d["choices"][0]["finish_reason"]);
        assert!(
            finish.any(|finish| finish == "content_filter"),
            "{documents:?}"
        );
        assert_eq!(gateway.record_of(&answer).await.attempts.len(), 1);
    }
    assert_eq!(upstream(&gateway).token_requests(), 1);
}

async fn embed(gateway: &TestGateway, members: Value) -> Value {
    let mut body = json!({"model": "gigachat/Embeddings", "input": ["один", "два"]});
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let answer = gateway.talk(ask_with("/v1/embeddings", &[], &body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn embeddings_come_as_numbers_or_in_base64_and_are_the_same() {
    let gateway = start(gigachat(), ONE).await;
    let numbers = embed(&gateway, json!({"encoding_format": "float"})).await;
    let texts = embed(&gateway, json!({"encoding_format": "base64"})).await;
    for place in 0..2 {
        let floats = numbers["data"][place]["embedding"].as_array().unwrap();
        assert_eq!(floats.len(), 1024);
        let bytes = STANDARD
            .decode(texts["data"][place]["embedding"].as_str().unwrap())
            .unwrap();
        assert_eq!(bytes.len(), 4096);
        let first = f64::from(f32::from_le_bytes(bytes[..4].try_into().unwrap()));
        assert!((first - floats[0].as_f64().unwrap()).abs() < 1e-6);
        assert_eq!(numbers["data"][place]["index"], place);
        assert!(
            numbers["data"][place]["usage"].is_null(),
            "{}",
            numbers["data"][place]
        );
    }
    // One token for each of the texts.
    assert_eq!(
        numbers["usage"],
        json!({"prompt_tokens": 2, "total_tokens": 2})
    );
    let one = embed(&gateway, json!({"input": "один"})).await;
    assert_eq!(one["data"].as_array().unwrap().len(), 1);
}
