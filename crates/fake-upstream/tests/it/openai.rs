//! The plain OpenAI-compatible server: chat, streams, tools, media, embeddings, refusals.

use base64::Engine;
use fake_upstream::{EmptyKind, FakeKey, FakeUpstream, KeyFault, Rule, openai};
use serde_json::{Value, json};

use crate::support::{Answer, chunks, get, post, streamed_text, user, weather_tool};

async fn ask(upstream: &FakeUpstream, path: &str, body: &Value) -> Answer {
    post(path, body.to_string())
        .bearer("sk-test")
        .send(upstream)
        .await
}

/// A completion of the usual model with these members besides.
async fn chat(upstream: &FakeUpstream, members: Value) -> Answer {
    let mut body = json!({"model": "gpt-6-mini", "messages": [user("Hi")]});
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    ask(upstream, "/v1/chat/completions", &body).await
}

async fn check(members: Value) -> Value {
    chat(&openai().start().await, members).await.json()
}

#[tokio::test]
async fn a_completion_quotes_the_prompt_and_counts() {
    let body = check(json!({})).await;
    let choice = &body["choices"][0];
    assert_eq!(choice["message"]["content"], "You said: Hi");
    assert_eq!(choice["finish_reason"], "stop");
    let usage = &body["usage"];
    assert_eq!(
        (&usage["prompt_tokens"], &usage["total_tokens"]),
        (&json!(1), &json!(4))
    );
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
}

#[tokio::test]
async fn usage_is_streamed_only_when_asked_for() {
    let upstream = openai().says("Hello").start().await;
    let plain = chat(&upstream, json!({"stream": true})).await;
    assert_eq!(streamed_text(&chunks(&plain)), "Hello");
    assert!(
        chunks(&plain)
            .iter()
            .all(|chunk| chunk.get("usage").is_none())
    );
    assert!(plain.text().ends_with("data: [DONE]\n\n"));
    let counted = json!({"stream": true, "stream_options": {"include_usage": true}});
    let counted = chunks(&chat(&upstream, counted).await);
    let (last, others) = counted.split_last().unwrap();
    assert_eq!(
        (&last["choices"], &last["usage"]["completion_tokens"]),
        (&json!([]), &json!(2))
    );
    assert!(
        others
            .iter()
            .all(|chunk| chunk.get("usage") == Some(&Value::Null))
    );
    assert_eq!(
        others.last().unwrap()["choices"][0]["finish_reason"],
        "stop"
    );
}

#[tokio::test]
async fn a_tool_is_called_whole_and_in_fragments() {
    let upstream = openai().start().await;
    let members = |stream: bool| json!({"messages": [user("Weather in Oslo?")], "tools": [weather_tool()], "stream": stream});
    let whole = chat(&upstream, members(false)).await.json();
    let message = &whole["choices"][0]["message"];
    let function = &message["tool_calls"][0]["function"];
    assert_eq!(function["arguments"], r#"{"city":"Oslo"}"#);
    assert_eq!(message["content"], Value::Null);
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    let events = chunks(&chat(&upstream, members(true)).await);
    let calls = events
        .iter()
        .map(|event| &event["choices"][0]["delta"]["tool_calls"][0]);
    let arguments: String = calls
        .filter_map(|call| call["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, r#"{"city":"Oslo"}"#);
}

#[tokio::test]
async fn two_tools_are_called_when_two_are_asked_for() {
    let two =
        json!({"messages": [user("Weather in both Oslo and Bergen?")], "tools": [weather_tool()]});
    let body = check(two.clone()).await;
    assert_eq!(
        body["choices"][0]["message"]["tool_calls"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let mut single = two;
    single["parallel_tool_calls"] = json!(false);
    let body = check(single).await;
    assert_eq!(
        body["choices"][0]["message"]["tool_calls"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": "{}"}})
}

fn result(id: &str, content: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": content})
}

#[tokio::test]
async fn tool_results_are_quoted_by_name() {
    let messages = json!([
        user("Weather?"),
        {"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]},
        result("a", "{\"degrees\":7}"),
        result("b", "rain"),
    ]);
    let body = check(json!({"messages": messages, "tools": [weather_tool()]})).await;
    let said = body["choices"][0]["message"]["content"].as_str().unwrap();
    let expected = "The function weather returned {\"degrees\":7}. The function weather returned \
        \"rain\".";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn wishes_for_the_answer_are_heard() {
    let upstream = openai().says("one two three four").start().await;
    let stopped = chat(&upstream, json!({"stop": ["three"]})).await.json();
    assert_eq!(stopped["choices"][0]["message"]["content"], "one two ");
    let short = chat(&upstream, json!({"max_tokens": 1})).await.json();
    assert_eq!(short["choices"][0]["finish_reason"], "length");
    let both = chat(&upstream, json!({"n": 2})).await.json();
    assert_eq!(both["choices"][1]["index"], 1);
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "out", "schema": schema}});
    let json = chat(&upstream, json!({"response_format": format}))
        .await
        .json();
    assert_eq!(json["choices"][0]["message"]["content"], "{\"n\":1}");
}

#[tokio::test]
async fn media_are_decoded_and_mentioned() {
    let content = json!([
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
    ]);
    let body = check(json!({"messages": [{"role": "user", "content": content}]})).await;
    let said = body["choices"][0]["message"]["content"].as_str().unwrap();
    let expected = "The image is image/png of 8 bytes. The audio is wav of 4 bytes. The file a.pdf \
        is application/pdf of 5 bytes. You said: Look";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn reasoning_is_told_and_counted() {
    let upstream = openai().says("Hello").start().await;
    let members = json!({"model": "deepseek-reasoner", "stream": true, "stream_options": {"include_usage": true}});
    let events = chunks(&chat(&upstream, members).await);
    let thoughts = events
        .iter()
        .filter(|event| event["choices"][0]["delta"]["reasoning_content"].is_string());
    assert_eq!(thoughts.count(), 2);
    let usage = &events.last().unwrap()["usage"];
    assert_eq!(usage["completion_tokens"], 26);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 24);
}

#[tokio::test]
async fn wrong_requests_are_refused_by_member() {
    let image = |url: &str| json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]});
    let cases = [
        (json!({"messages": null}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": "hi"}), "messages"),
        (json!({"messages": [{"content": "x"}]}), "messages[0].role"),
        (
            json!({"messages": [{"role": "user"}]}),
            "messages[0].content",
        ),
        (
            json!({"messages": [user("x"), result("a", "x")]}),
            "messages",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": null, "tool_calls": [call("a")]}]}),
            "messages",
        ),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"temperature": 3}), "temperature"),
        (json!({"stop": ["a", "b", "c", "d", "e"]}), "stop"),
        (
            json!({"stream_options": {"include_usage": true}}),
            "stream_options",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "a b"}}]}),
            "tools[0].function.name",
        ),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {}}}),
            "response_format.json_schema.name",
        ),
        (
            image("data:image/png;base64,!!!"),
            "messages[0].content[0].image_url",
        ),
        (
            image("data:image/tiff;base64,AAAA"),
            "messages[0].content[0].image_url",
        ),
    ];
    let upstream = openai().start().await;
    for (members, at) in cases {
        let answer = chat(&upstream, members.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]["param"]),
            (400, &json!(at)),
            "{members}"
        );
    }
    assert_eq!(chat(&upstream, json!({"unheard_of": 1})).await.status, 200);
}

#[tokio::test]
async fn models_are_listed_shown_and_missed() {
    let upstream = openai().models(&["a/b"]).start().await;
    let list = get("/v1/models").bearer("k").send(&upstream).await.json();
    assert_eq!(list["data"][0]["id"], "a/b");
    let one = get("/v1/models/a%2Fb")
        .bearer("k")
        .send(&upstream)
        .await
        .json();
    assert_eq!(one["id"], "a/b");
    for missed in [
        get("/v1/models/c").bearer("k").send(&upstream).await,
        chat(&upstream, json!({"model": "c"})).await,
    ] {
        assert_eq!(missed.status, 404);
        assert_eq!(missed.json()["error"]["code"], "model_not_found");
        assert!(missed.text().contains("`c`"));
    }
}

#[tokio::test]
async fn embeddings_come_as_numbers_and_as_base64() {
    let upstream = openai().start().await;
    let body = |format: &str| json!({"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 4, "encoding_format": format});
    let floats = ask(&upstream, "/v1/embeddings", &body("float"))
        .await
        .json();
    let first = floats["data"][0]["embedding"][0].as_f64().unwrap();
    let encoded = ask(&upstream, "/v1/embeddings", &body("base64"))
        .await
        .json();
    let text = encoded["data"][0]["embedding"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap();
    assert_eq!(bytes.len(), 16);
    let value = f32::from_le_bytes(bytes[..4].try_into().unwrap());
    assert!((f64::from(value) - first).abs() < 1e-6);
    let ids = json!({"model": "text-embedding-3-small", "input": [1, 2, 3]});
    let ids = ask(&upstream, "/v1/embeddings", &ids).await.json();
    assert_eq!(ids["usage"]["prompt_tokens"], 3);
    assert_eq!(ids["data"][0]["embedding"].as_array().unwrap().len(), 1536);
    assert_eq!(
        ask(&upstream, "/v1/embeddings", &body("int8")).await.status,
        400
    );
}

#[tokio::test]
async fn images_are_pngs() {
    let upstream = openai().start().await;
    let body = json!({"model": "gpt-image-2", "prompt": "a dot", "n": 2});
    let images = ask(&upstream, "/v1/images/generations", &body).await.json();
    let png = images["data"][1]["b64_json"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(png)
        .unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let blocked = json!({"model": "gpt-image-2", "prompt": "BLOCK_ME"});
    let blocked = ask(&upstream, "/v1/images/generations", &blocked).await;
    assert_eq!(blocked.json()["error"]["code"], "content_policy_violation");
}

#[tokio::test]
async fn responses_are_whole_or_named_events() {
    let upstream = openai().says("Hello").start().await;
    let mut body = json!({"model": "gpt-6-mini", "input": "Hi"});
    let whole = ask(&upstream, "/v1/responses", &body).await.json();
    assert_eq!(whole["output"][0]["content"][0]["text"], "Hello");
    body["stream"] = json!(true);
    let stream = ask(&upstream, "/v1/responses", &body).await;
    let names: Vec<Value> = chunks(&stream)
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    let delta = "response.output_text.delta";
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        delta,
        delta,
        delta,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(names, expected);
    assert!(
        stream
            .text()
            .starts_with("event: response.created\ndata: {")
    );
}

#[tokio::test]
async fn every_fault_has_its_status_and_type() {
    let cases = [
        (KeyFault::Invalid, 401, "invalid_request_error"),
        (KeyFault::PrepayDepleted, 429, "insufficient_quota"),
        (KeyFault::PerMinute, 429, "requests"),
        (KeyFault::NoPermission, 403, "permission_error"),
        (KeyFault::Location, 403, "request_forbidden"),
        (KeyFault::ModelDenied, 404, "invalid_request_error"),
        (KeyFault::TooLong, 400, "invalid_request_error"),
        (KeyFault::Internal, 500, "server_error"),
        (KeyFault::Overloaded, 503, "server_error"),
    ];
    let upstream = openai().start().await;
    for (fault, status, kind) in cases {
        upstream.set_key(FakeKey::new("sk-test").fault(fault));
        let answer = chat(&upstream, json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]["type"]),
            (status, &json!(kind)),
            "{fault:?}"
        );
    }
    for (fault, status) in [(KeyFault::BadGateway, 502), (KeyFault::Deadline, 504)] {
        upstream.set_key(FakeKey::new("sk-test").fault(fault));
        let answer = chat(&upstream, json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, "text/html")
        );
    }
}

#[tokio::test]
async fn a_throttled_answer_says_when_to_come_back() {
    let upstream = openai()
        .key(FakeKey::new("sk-test").rpm("*", 1))
        .start()
        .await;
    assert_eq!(chat(&upstream, json!({})).await.status, 200);
    let answer = chat(&upstream, json!({})).await;
    assert_eq!(answer.status, 429);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let reset = format!("{seconds}s");
    assert_eq!(answer.header("x-ratelimit-reset-requests"), reset);
    upstream.advance_quota_window();
    assert_eq!(chat(&upstream, json!({})).await.status, 200);
    let fixture = openai()
        .rule(Rule::new().fixture("openai/errors/429_rate.json"))
        .start()
        .await;
    assert_eq!(chat(&fixture, json!({})).await.header("retry-after"), "7");
}

#[tokio::test]
async fn keys_are_bearers_alone() {
    let upstream = openai().key(FakeKey::new("sk-test")).start().await;
    let other = get("/v1/models").bearer("sk-other").send(&upstream).await;
    assert_eq!(
        (other.status.as_u16(), &other.json()["error"]["code"]),
        (401, &json!("invalid_api_key"))
    );
    assert!(other.text().contains("****ther") && !other.text().contains("sk-other"));
    let google = get("/v1/models").key("sk-test").send(&upstream).await;
    assert_eq!(google.status, 401);
    chat(&upstream, json!({})).await;
    assert_eq!(upstream.count_for_key("sk-test"), 1);
}

#[tokio::test]
async fn rules_find_the_model_in_the_body() {
    let rule = Rule::new().model("gpt-6-mini").respond(500, "{}");
    let upstream = openai().rule(rule).start().await;
    assert_eq!(chat(&upstream, json!({})).await.status, 500);
    assert_eq!(chat(&upstream, json!({"model": "o5"})).await.status, 200);
}

#[tokio::test]
async fn an_error_ends_a_stream_without_done() {
    let rule = Rule::new().error_after_chunks(2, "openai/errors/500.json");
    let upstream = openai().says("Hello").rule(rule).start().await;
    let stream = chat(&upstream, json!({"stream": true})).await;
    let events = chunks(&stream);
    assert_eq!(
        (events.len(), &events[2]["error"]["type"]),
        (3, &json!("server_error"))
    );
    assert!(!stream.text().contains("[DONE]"));
}

#[tokio::test]
async fn empty_and_blocked_answers_have_openais_forms() {
    let forms = [
        (
            Rule::new().empty(EmptyKind::NoCandidates),
            json!(null),
            json!(null),
        ),
        (
            Rule::new().empty(EmptyKind::StopNoParts),
            json!(null),
            json!("stop"),
        ),
        (
            Rule::new().empty(EmptyKind::EmptyText),
            json!(""),
            json!("stop"),
        ),
        (
            Rule::new().blocked_prompt(),
            json!(null),
            json!("content_filter"),
        ),
        (
            Rule::new().finish_reason("odd"),
            json!("Hello"),
            json!("odd"),
        ),
    ];
    for (rule, content, finish) in forms {
        let upstream = openai().says("Hello").rule(rule.clone()).start().await;
        let choice = chat(&upstream, json!({})).await.json()["choices"][0].clone();
        assert_eq!(
            (&choice["message"]["content"], &choice["finish_reason"]),
            (&content, &finish),
            "{rule:?}"
        );
        let stream = chat(&upstream, json!({"stream": true})).await;
        assert!(stream.text().ends_with("data: [DONE]\n\n"), "{rule:?}");
    }
}
