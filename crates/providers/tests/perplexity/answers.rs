//! What answers of the Agent API become: snapshots of the fixtures, and tables of what they do not show.

use providers::perplexity::{Asked, chat_answer};
use serde_json::{Value, json};
use wire::gemini::Framing;

use crate::{fixture, translated};

/// A chat that has two functions of its own.
pub(crate) fn asked() -> Asked {
    let body = json!({"tools": [
        {"type": "function", "function": {"name": "get_weather"}},
        {"type": "function", "name": "get_time"},
    ]});
    Asked::new(
        "perplexity/sonar",
        body.to_string().as_bytes(),
        1_700_000_000,
    )
}

fn document(body: &Value) -> Value {
    let answer = chat_answer(Framing::Json, &asked());
    let out = translated(answer, [body.to_string().as_bytes()]);
    serde_json::from_slice(&out).unwrap()
}

pub(crate) fn stream(body: &[u8]) -> String {
    let out = translated(chat_answer(Framing::Sse, &asked()), [body]);
    String::from_utf8(out).unwrap()
}

/// The chunks that a stream of these events becomes; `[DONE]` is a text among them.
fn chunks(events: &[Value]) -> Vec<Value> {
    let body = events.iter().fold(String::new(), |body, event| {
        body + &format!("event: x\ndata: {event}\n\n")
    });
    let read = |event: &str| {
        let data = event.strip_prefix("data: ").unwrap();
        serde_json::from_str(data).unwrap_or_else(|_| data.into())
    };
    let out = stream(body.as_bytes());
    out.split_terminator("\n\n").map(read).collect()
}

fn deltas(events: &[Value]) -> Vec<Value> {
    let chunks = chunks(events);
    let mut deltas = Vec::new();
    for chunk in chunks {
        deltas.push(match chunk["choices"].get(0) {
            Some(choice) if choice["finish_reason"].is_null() => choice["delta"].clone(),
            Some(choice) => choice["finish_reason"].clone(),
            None => chunk,
        });
    }
    deltas
}

fn response(status: &str, output: Value) -> Value {
    json!({"id": "resp_1", "created_at": 5, "status": status, "output": output})
}

fn says(text: &str) -> Value {
    json!({"type": "message", "content": [{"type": "output_text", "text": text}]})
}

fn completed(response: &Value) -> Value {
    json!({"type": "response.completed", "response": response})
}

fn delta(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "delta": text})
}

#[test]
fn a_document_is_a_completion_with_sources() {
    let answer: Value = serde_json::from_slice(&fixture("perplexity/agent_ok.json")).unwrap();
    insta::assert_json_snapshot!("document", document(&answer));
}

#[test]
fn the_price_is_passed_as_it_is_written() {
    let body = fixture("perplexity/agent_ok.json");
    let out = translated(chat_answer(Framing::Json, &asked()), [&body[..]]);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("\"input_cost\": 0.0003065,"), "{out}");
}

#[test]
fn a_stream_is_chunks() {
    insta::assert_snapshot!("stream", stream(&fixture("perplexity/agent_stream.sse")));
}

#[test]
fn a_failure_inside_a_success_is_an_error() {
    let body = serde_json::from_slice(&fixture("perplexity/agent_failed_200.json")).unwrap();
    insta::assert_json_snapshot!(document(&body), @r#"
    {
      "error": {
        "message": "Search failed",
        "type": "server_error",
        "param": null,
        "code": "search_failed"
      }
    }
    "#);
    insta::assert_snapshot!(stream(&fixture("perplexity/agent_stream_failed.sse")), @r#"data: {"error":{"message":"Upstream provider error","type":"server_error","param":null,"code":"internal_error"}}"#);
}

#[test]
fn errors_are_told_wherever_they_stand() {
    let error = json!({"message": "no", "type": "rate_limit_exceeded", "code": 429});
    let expected = json!([{"error": {
        "message": "no", "type": "rate_limit_exceeded", "param": null, "code": "429"
    }}]);
    for event in [
        json!({"type": "response.failed", "error": error}),
        json!({"type": "response.failed", "response": {"status": "failed", "error": error}}),
        json!({"type": "response.completed", "response": {"status": "failed", "error": error}}),
        json!({"type": "error", "error": error}),
        json!({"error": error}),
    ] {
        let seen = chunks(&[event.clone(), delta("late"), completed(&json!({}))]);
        assert_eq!(json!(seen), expected, "{event}");
    }
    let flat = chunks(&[json!({"type": "error", "message": "no", "code": "c"})]);
    let expected = json!([{"error": {
        "message": "no", "type": "server_error", "param": null, "code": "c"
    }}]);
    assert_eq!(json!(flat), expected);
    let bare = stream(b"{\"error\": {\n\"message\": \"no\"}\n}");
    assert!(
        bare.starts_with("data: {\"error\":{\"message\":\"no\""),
        "{bare}"
    );
}

#[test]
fn a_document_that_is_no_answer_is_an_error() {
    for body in [
        json!({"error": {"message": "no"}}),
        response("failed", json!([])),
        response("cancelled", json!([])),
        response("queued", json!([])),
        json!({"status": "completed"}),
        json!([]),
        json!(7),
    ] {
        let seen = document(&body);
        assert!(seen["error"]["message"].is_string(), "{body}: {seen}");
        assert_eq!(seen["error"]["type"], "server_error", "{body}");
    }
}

#[test]
fn a_document_over_the_limit_is_an_error() {
    let chunk = vec![b' '; 1024 * 1024];
    let chunks = std::iter::repeat_n(&chunk[..], 65);
    let out = translated(chat_answer(Framing::Json, &asked()), chunks);
    let seen: Value = serde_json::from_slice(&out).unwrap();
    let message = seen["error"]["message"].as_str().unwrap();
    assert!(message.contains("larger than"), "{message}");
}

#[test]
fn the_end_says_why() {
    let cases = [
        (json!({"status": "completed"}), "stop"),
        (json!({"status": "requires_action"}), "stop"),
        (json!({"status": "incomplete"}), "length"),
        (
            json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}),
            "length",
        ),
        (
            json!({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}),
            "content_filter",
        ),
        (json!({"status": "new", "incomplete_details": null}), "stop"),
    ];
    for (ending, expected) in cases {
        let mut whole = response("", json!([says("x")]));
        let members = ending.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(members);
        let seen = document(&whole);
        assert_eq!(seen["choices"][0]["finish_reason"], expected, "{ending}");
        let seen = deltas(&[delta("x"), completed(&whole)]);
        assert_eq!(seen[2..], [json!(expected), json!("[DONE]")], "{ending}");
    }
}

#[test]
fn a_document_has_only_the_callers_calls() {
    let call = |name: &str, arguments: &str| {
        json!({"type": "function_call", "id": "fc", "call_id": "call_7", "name": name,
            "arguments": arguments, "thought_signature": "sig"})
    };
    let output = json!([
        call("search_web", "{}"),
        call("get_weather", "{\"city\":\"Oslo\"}"),
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "skill_loaded"},
        null,
    ]);
    let seen = document(&response("completed", output));
    insta::assert_json_snapshot!(seen["choices"][0], @r#"
    {
      "index": 0,
      "message": {
        "role": "assistant",
        "content": null,
        "refusal": null,
        "reasoning_content": "Hm.",
        "annotations": [],
        "tool_calls": [
          {
            "id": "call_7",
            "type": "function",
            "function": {
              "name": "get_weather",
              "arguments": "{\"city\":\"Oslo\"}"
            },
            "extra_content": {
              "google": {
                "thought_signature": "sig"
              }
            }
          }
        ]
      },
      "finish_reason": "tool_calls"
    }
    "#);
}

#[test]
fn markers_are_cited_by_character() {
    let output = json!([
        {"type": "search_results", "results": [
            {"id": 3, "url": "https://c.org", "title": "C"},
            {"id": 1, "url": "https://a.org", "title": "A"},
        ]},
        says("Éé [1"), says("][2][3] a[x] [[3]"),
    ]);
    let seen = document(&response("completed", output));
    assert_eq!(seen["citations"], json!(["https://a.org", "https://c.org"]));
    let cited: Vec<_> = seen["choices"][0]["message"]["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["url_citation"])
        .map(|c| {
            (
                c["start_index"].as_u64(),
                c["end_index"].as_u64(),
                c["title"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        cited,
        [
            (Some(3), Some(6), Some("A")),
            (Some(9), Some(12), Some("C")),
            (Some(19), Some(22), Some("C")),
        ]
    );
}

#[test]
fn calls_in_a_stream_come_whole_or_in_pieces() {
    let item = |kind: &str, place: u64, item: Value| json!({"type": kind, "output_index": place, "item": item});
    let call = |id: &str, name: &str, arguments: &str| json!({"type": "function_call", "id": id, "call_id": format!("call_{id}"), "name": name, "arguments": arguments});
    let (added, done) = ("response.output_item.added", "response.output_item.done");
    let seen = deltas(&[
        // The provider's own, at the place where its results follow.
        item(added, 0, call("s", "search_web", "{}")),
        json!({"type": "response.function_call_arguments.delta", "item_id": "s", "output_index": 0, "delta": "{}"}),
        // In pieces.
        item(added, 0, call("a", "get_weather", "")),
        json!({"type": "response.function_call_arguments.delta", "item_id": "a", "output_index": 0, "delta": "{\"c\":"}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "1}"}),
        json!({"type": "response.function_call_arguments.done", "item_id": "a", "arguments": "{\"c\":1}"}),
        item(done, 0, call("a", "get_weather", "{\"c\":1}")),
        // Whole.
        item(done, 1, call("b", "get_time", "")),
        // Only at the end.
        completed(&response(
            "completed",
            json!([
                call("a", "get_weather", "{\"c\":1}"),
                call("b", "get_time", ""),
                call("d", "get_time", "{\"d\":1}"),
            ]),
        )),
    ]);
    let begun = |index: u64, id: &str, name: &str| {
        json!({"tool_calls": [{"index": index, "id": id, "type": "function",
            "function": {"name": name, "arguments": ""}}]})
    };
    let piece = |index: u64, text: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]});
    assert_eq!(
        seen,
        [
            json!({"role": "assistant", "content": ""}),
            begun(0, "call_a", "get_weather"),
            piece(0, "{\"c\":"),
            piece(0, "1}"),
            begun(1, "call_b", "get_time"),
            piece(1, "{}"),
            begun(2, "call_d", "get_time"),
            piece(2, "{\"d\":1}"),
            json!("tool_calls"),
            json!("[DONE]"),
        ]
    );
}

#[test]
fn reasoning_and_refusals_are_told_apart_from_text() {
    let seen = deltas(&[
        json!({"type": "response.reasoning.started", "thought": "Searching"}),
        json!({"type": "response.reasoning_summary_text.delta", "delta": "Hm."}),
        json!({"type": "response.reasoning_text.delta", "delta": "So."}),
        json!({"type": "response.refusal.delta", "delta": "No."}),
        json!({"type": "response.new_thing", "delta": "?"}),
    ]);
    assert_eq!(
        seen,
        [
            json!({"role": "assistant", "content": ""}),
            json!({"reasoning_content": "Hm."}),
            json!({"reasoning_content": "So."}),
            json!({"refusal": "No."}),
        ]
    );
}

#[test]
fn a_stream_that_breaks_off_has_no_end() {
    let head = json!({"type": "response.created", "response": {"id": "resp_1", "created_at": 5}});
    let seen = chunks(&[head, delta("x")]);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1]["choices"][0]["finish_reason"], Value::Null);
    assert_eq!(
        (&seen[1]["id"], &seen[1]["created"]),
        (&json!("resp_1"), &json!(5))
    );
}

#[test]
fn an_event_that_cannot_be_passed_on_ends_the_stream() {
    let long = "x".repeat(1024 * 1024 + 1);
    for (body, says) in [
        ("data: {\"type\":\n\n".to_owned(), "not JSON"),
        (format!("data: {}\n\n", delta(&long)), "too large"),
    ] {
        let body = format!("{body}data: {}\n\n", delta("late"));
        let seen = stream(body.as_bytes());
        assert!(
            seen.starts_with("data: {\"error\":") && seen.contains(says),
            "{seen}"
        );
        assert!(!seen.contains("late"), "{seen}");
    }
}

#[test]
fn sources_are_kept_within_bounds() {
    let results: Vec<_> = (1..=400)
        .map(|id| json!({"id": id, "url": format!("https://e.org/{id}"), "snippet": "s".repeat(400)}))
        .collect();
    let seen = chunks(&[json!({"type": "response.reasoning.search_results", "results": results})]);
    let seen = seen[1]["search_results"].as_array().unwrap();
    assert_eq!(seen.len(), 256);
    let snippets: usize = seen
        .iter()
        .filter_map(|source| source["snippet"].as_str())
        .map(str::len)
        .sum();
    assert!((12_000..=16 * 1024).contains(&snippets), "{snippets}");
}

#[test]
fn the_same_number_for_another_page_is_another_source() {
    let found = |url: &str| json!({"type": "search_results", "results": [{"id": 1, "url": url}, {"url": ""}, 5]});
    let output = json!([
        found("https://a.org"),
        found("https://b.org"),
        found("https://a.org"),
        says("x")
    ]);
    let seen = document(&response("completed", output));
    assert_eq!(seen["citations"], json!(["https://a.org", "https://b.org"]));
}

#[test]
fn text_that_only_the_last_event_has_is_told() {
    let whole = response("completed", json!([says("Oslo"), says(" it is")]));
    assert_eq!(
        deltas(&[completed(&whole)]),
        [
            json!({"role": "assistant", "content": ""}),
            json!({"content": "Oslo"}),
            json!({"content": " it is"}),
            json!("stop"),
            json!("[DONE]"),
        ]
    );
    let refused = json!({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]});
    let told = deltas(&[completed(&response("completed", json!([refused])))]);
    assert_eq!(told[1], json!({"refusal": "no"}));
    // What came in pieces is not told once more.
    let told = deltas(&[delta("Os"), delta("lo"), completed(&whole)]);
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(told[2], json!({"content": "lo"}));
}

#[test]
fn members_of_a_document_that_are_not_known_are_kept() {
    let mut body = response("completed", json!([says("Oslo")]));
    body["related_questions"] = json!(["Bergen?"]);
    body["images"] = json!([{"url": "https://x.test/1.png", "size": 1.50}]);
    body["truncation"] = json!("auto");
    let answer = document(&body);
    assert_eq!(answer["related_questions"], json!(["Bergen?"]));
    assert_eq!(answer["images"], body["images"]);
    assert!(answer.get("truncation").is_none());
    assert_eq!(answer["object"], "chat.completion");
}
