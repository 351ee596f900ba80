//! GigaChat's answers in OpenAI's dialect: every fixture as it comes out, wherever it is cut, and what a lying provider
//! can send.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use domain::{Class, UnixMs, Usage, Verdict};
use proptest::prelude::*;
use providers::Translate;
use providers::gigachat::{
    Asked, Encoding, chat_answer, chat_request, embeddings_answer, judge_success,
};
use serde_json::{Value, json};
use wire::gemini::{AnswerScan, Content, Framing};

const FIXTURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/providers/gigachat"
);
const TOOLS: &str = r#"{"messages":[{"role":"user","content":"?"}],
    "tools":[{"type":"function","function":{"name":"find_train"}},{"type":"function","function":{"name":"find-hotel"}}]}"#;
const FUNCTIONS: &str =
    r#"{"messages":[{"role":"user","content":"?"}],"functions":[{"name":"find_train"}]}"#;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(FIXTURES).join(name)).unwrap()
}

fn asked(request: &str) -> Asked {
    let request = chat_request(request.as_bytes(), "GigaChat-2").unwrap();
    request.asked("chatcmpl-7", UnixMs(1_700_000_000_999))
}

fn run<'a>(
    mut translator: Box<dyn Translate>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> String {
    let mut out = Vec::new();
    for chunk in chunks {
        translator.push(chunk, &mut out);
    }
    translator.finish(&mut out);
    String::from_utf8(out).unwrap()
}

fn document(body: &[u8], request: &str) -> Value {
    let out = run(chat_answer(Framing::Json, asked(request)), [body]);
    serde_json::from_str(&out).unwrap()
}

fn stream(body: &[u8], request: &str) -> String {
    run(chat_answer(Framing::Sse, asked(request)), [body])
}

/// The chunks of a stream, and its other events as texts.
fn events(stream: &str) -> Vec<Value> {
    let event = |event: &str| {
        let data = event.strip_prefix("data: ").unwrap();
        serde_json::from_str(data).unwrap_or_else(|_| json!(data))
    };
    stream.split_terminator("\n\n").map(event).collect()
}

/// An event of GigaChat's with one choice.
fn event(choice: &Value) -> String {
    format!("data: {}\n\n", json!({"choices": [choice]}))
}

#[test]
fn every_document_is_translated() {
    let mut seen = String::new();
    for name in [
        "chat_ok.json",
        "chat_function_call.json",
        "chat_image.json",
        "chat_blacklist.json",
    ] {
        let answer = document(&fixture(name), TOOLS);
        let _ = writeln!(seen, "{name}\n{answer:#}\n");
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn every_stream_is_translated() {
    let mut seen = String::new();
    for name in ["chat_stream.sse", "chat_stream_function.sse"] {
        let _ = writeln!(seen, "{name}\n{}", stream(&fixture(name), TOOLS));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn embeddings_are_translated() {
    let mut seen = String::new();
    for encoding in [Encoding::Float, Encoding::Base64] {
        let body = fixture("embeddings.json");
        let out = run(embeddings_answer(encoding), [&*body]);
        let _ = writeln!(seen, "{encoding:?}\n{out}\n");
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn callers_with_functions_get_a_function_call() {
    let answer = document(&fixture("chat_function_call.json"), FUNCTIONS);
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "function_call");
    assert_eq!(
        choice["message"]["function_call"],
        json!({"name": "find_train", "arguments": "{\"from\":\"Казань\",\"days\":3}"})
    );
    assert_eq!(choice["message"].get("tool_calls"), None);
    let events = events(&stream(&fixture("chat_stream_function.sse"), FUNCTIONS));
    let delta = &events[1]["choices"][0]["delta"];
    assert_eq!(delta["function_call"]["arguments"], "{\"from\":\"Тверь\"}");
    assert_eq!(events[2]["choices"][0]["finish_reason"], "function_call");
}

#[test]
fn a_renamed_function_comes_back_under_the_callers_name() {
    let call = json!({"name": "find_hotel", "arguments": {}});
    let body = json!({"choices": [{"message": {"function_call": call}, "finish_reason": "function_call"}]});
    let answer = document(body.to_string().as_bytes(), TOOLS);
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "find-hotel");
    assert_eq!(call["id"], "call_7");
}

#[test]
fn what_gigachat_leaves_out_is_filled_in_and_what_is_not_known_stays() {
    let body = json!({"choices": [{"message": {"content": "a", "mood": 1}, "x": 2}], "y": 3});
    let answer = document(body.to_string().as_bytes(), TOOLS);
    let expected = json!({
        "id": "chatcmpl-7", "object": "chat.completion", "created": 1_700_000_000, "model": "GigaChat-2",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "a", "mood": 1}, "x": 2, "finish_reason": "stop"}],
        "y": 3,
    });
    assert_eq!(answer, expected);
}

fn check_finish(reason: &str, expected: &str) {
    let message = json!({"content": "a", "role": "assistant"});
    let body = json!({"choices": [{"message": message, "finish_reason": reason}]}).to_string();
    let answer = document(body.as_bytes(), TOOLS);
    assert_eq!(answer["choices"][0]["finish_reason"], expected, "{reason}");
    let body = event(&json!({"delta": message, "finish_reason": reason}));
    let events = events(&stream(body.as_bytes(), TOOLS));
    assert_eq!(
        events[2]["choices"][0]["finish_reason"], expected,
        "{reason}"
    );
    assert_eq!(events[3], "[DONE]");
}

#[test]
fn finish_reasons_are_openais() {
    for (reason, expected) in [
        ("stop", "stop"),
        ("length", "length"),
        ("function_call", "stop"),
        ("blacklist", "content_filter"),
        ("error", "stop"),
        ("PUP_LIMITED_DISABLED", "stop"),
    ] {
        check_finish(reason, expected);
    }
}

#[test]
fn reasoning_is_kept_and_what_gigachat_does_itself_is_not_told() {
    let body = [
        event(&json!({"delta": {"role": "function_in_progress", "content": "3 s"}})),
        event(&json!({"delta": {"role": "search_result", "content": "[…]"}})),
        event(&json!({"delta": {"role": "assistant", "content": "", "reasoning_content": "hm"}})),
        event(&json!({"delta": {"content": "a"}, "finish_reason": "stop"})),
    ]
    .concat();
    let events = events(&stream(body.as_bytes(), TOOLS));
    let deltas: Vec<_> = events.iter().map(|e| &e["choices"][0]["delta"]).collect();
    let expected = [
        &json!({"role": "assistant", "content": ""}),
        &json!({"reasoning_content": "hm"}),
        &json!({"content": "a"}),
        &json!({}),
        &Value::Null,
    ];
    assert_eq!(deltas, expected);
}

#[test]
fn each_of_several_choices_has_its_role_and_its_finish_and_the_counts_come_last() {
    let choice = |index: u32, finish: Value| json!({"index": index, "delta": {"content": "a"}, "finish_reason": finish});
    let both = json!({
        "choices": [choice(0, json!("stop")), choice(1, Value::Null)],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    });
    let body = format!("data: {both}\n\n{}", event(&choice(1, json!("length"))));
    let events = events(&stream(body.as_bytes(), TOOLS));
    let told: Vec<_> = events
        .iter()
        .map(|e| {
            format!(
                "{}{}",
                e["choices"][0]["index"], e["choices"][0]["finish_reason"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "0null",
            "0null",
            "0\"stop\"",
            "1null",
            "1null",
            "1null",
            "1\"length\"",
            "nullnull",
            "nullnull"
        ]
    );
    assert_eq!(events[7]["usage"]["total_tokens"], 3);
}

#[test]
fn a_stream_that_breaks_gets_no_done() {
    let whole = fixture("chat_stream.sse");
    let text = String::from_utf8(whole).unwrap();
    let (before_finish, _) = text.match_indices("\n\n").nth(1).unwrap();
    assert!(!stream(&text.as_bytes()[..before_finish + 2], TOOLS).contains("[DONE]"));
    // The provider's own word is not enough without a finish.
    let lied = format!("{}\n\ndata: [DONE]\n\n", &text[..before_finish]);
    assert!(!stream(lied.as_bytes(), TOOLS).contains("[DONE]"));
    // Its finish is enough without the word.
    let (before_done, _) = text.match_indices("\n\n").nth(2).unwrap();
    assert!(stream(&text.as_bytes()[..before_done + 2], TOOLS).ends_with("data: [DONE]\n\n"));
    assert_eq!(stream(b"", TOOLS), "");
}

fn judged(framing: Framing, body: &[u8]) -> (Verdict, Option<Usage>) {
    let out = run(chat_answer(framing, asked(TOOLS)), [body]);
    let mut scan = AnswerScan::new(framing, Content::OpenAi);
    scan.push(out.as_bytes());
    scan.finish();
    let verdict = judge_success(scan.summary(), framing == Framing::Sse);
    (verdict, scan.summary().usage)
}

#[test]
fn counts_are_those_that_are_billed_with_the_cached_ones_in_the_prompt() {
    let expected = Usage {
        prompt: 20,
        output: 9,
        reasoning: 0,
        cached: 3,
        tool: 0,
        total: 26,
    };
    let document = judged(Framing::Json, &fixture("chat_ok.json"));
    assert_eq!(document, (Verdict::ok(), Some(expected)));
    let stream = judged(Framing::Sse, &fixture("chat_stream.sse"));
    assert_eq!(stream, (Verdict::ok(), Some(expected)));
}

fn check_failure(body: &str, error: &Value, class: Class) {
    assert_eq!(
        document(body.as_bytes(), TOOLS),
        json!({"error": error}),
        "{body}"
    );
    let events = events(&stream(
        format!("data: {body}\n\ndata: {{\"choices\":[]}}\n\ndata: [DONE]\n\n").as_bytes(),
        TOOLS,
    ));
    assert_eq!(events, [json!({"error": error})], "{body}");
    assert_eq!(
        judged(Framing::Json, body.as_bytes()).0.class,
        class,
        "{body}"
    );
    // As it may also come: without a prefix and a blank line.
    assert_eq!(
        judged(Framing::Sse, body.as_bytes()).0.class,
        class,
        "{body}"
    );
}

#[test]
fn an_error_inside_a_success_is_told_and_judged_by_its_status() {
    let error = |message: &str, kind: &str, code: Option<&str>| json!({"message": message, "type": kind, "param": null, "code": code});
    for (body, told, class) in [
        (
            r#"{"status":429,"message":"Too many requests"}"#,
            error("Too many requests", "rate_limit_error", Some("429")),
            Class::RateLimited,
        ),
        (
            r#"{"status":"404","message":"No such model"}"#,
            error("No such model", "invalid_request_error", Some("404")),
            Class::ModelUnavailable,
        ),
        (
            r#"{"error":{"message":"m","code":500}}"#,
            error("m", "server_error", Some("500")),
            Class::ServerError,
        ),
        (
            r#"{"status":422}"#,
            error(
                "the provider failed without a word",
                "invalid_request_error",
                Some("422"),
            ),
            Class::BadRequest,
        ),
        (
            r#"{"message":"m","status":7}"#,
            error("m", "server_error", None),
            Class::ServerError,
        ),
    ] {
        check_failure(body, &told, class);
    }
}

#[test]
fn an_error_after_content_is_a_truncated_answer() {
    let body = event(&json!({"delta": {"content": "a"}}));
    let body = format!("{body}data: {{\"status\":500,\"message\":\"m\"}}\n\n");
    let verdict = judged(Framing::Sse, body.as_bytes()).0;
    assert_eq!(
        (verdict.class, verdict.reason),
        (Class::Truncated, "error_after_content")
    );
}

#[test]
fn what_is_no_answer_is_a_failure_of_the_provider() {
    for body in [
        "",
        "<html></html>",
        "{",
        "[]",
        "null",
        "{}",
        "{\"choices\":7}",
        "\u{0}",
    ] {
        let answer = document(body.as_bytes(), TOOLS);
        assert!(answer["error"]["message"].is_string(), "{body}");
        let class = judged(Framing::Json, body.as_bytes()).0.class;
        assert_eq!(class, Class::ServerError, "{body}");
    }
    for body in [
        "data: {\n\n",
        "data: \u{7f}\n\n",
        "data: []\n\n",
        "data: {\"choices\":[{\"index\":500}]}\n\n",
    ] {
        let events = events(&stream(body.as_bytes(), TOOLS));
        assert_eq!(events.len(), 1, "{body}");
        assert!(events[0]["error"]["message"].is_string(), "{body}");
    }
}

#[test]
fn arguments_that_are_no_good_make_an_empty_answer() {
    let call = json!({"role": "assistant", "content": "", "function_call": {"name": "find_train", "arguments": "{"}});
    let document = json!({"choices": [{"message": call, "finish_reason": "error"}]}).to_string();
    let stream = event(&json!({"delta": call, "finish_reason": "error"}));
    for (framing, body) in [(Framing::Json, document), (Framing::Sse, stream)] {
        let verdict = judged(framing, body.as_bytes()).0;
        assert_eq!(verdict.class, Class::EmptyAnswer, "{framing:?}");
    }
}

#[test]
fn an_endless_event_is_not_gathered() {
    let mut translator = chat_answer(Framing::Sse, asked(TOOLS));
    let mut out = Vec::new();
    let piece = vec![b'x'; 1024 * 1024];
    translator.push(b"data: ", &mut out);
    for _ in 0..5 {
        translator.push(&piece, &mut out);
    }
    translator.push(b"\n\n", &mut out);
    let events = events(&String::from_utf8(out).unwrap());
    let message = events[0]["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "the provider's answer is larger than 4194304 bytes"
    );
}

#[test]
fn what_are_no_embeddings_is_a_failure() {
    for body in [
        "",
        "{}",
        r#"{"data":7}"#,
        r#"{"data":[{}]}"#,
        r#"{"data":[{"embedding":"AAAA"}]}"#,
        r#"{"data":[{"embedding":{}}]}"#,
    ] {
        for encoding in [Encoding::Float, Encoding::Base64] {
            let out = run(embeddings_answer(encoding), [body.as_bytes()]);
            assert!(out.starts_with(r#"{"error":{"#), "{body}: {out}");
        }
    }
    let told = run(
        embeddings_answer(Encoding::Float),
        [&br#"{"status":402,"message":"Payment Required"}"#[..]],
    );
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["error"]["code"], "402");
}

/// JSON of any form, with the members of answers more likely than others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z{}\"\\\\é]{0,4}".prop_map(Value::from),
        prop::sample::select(vec![
            "assistant",
            "function_call",
            "stop",
            "error",
            "blacklist"
        ])
        .prop_map(Value::from),
    ];
    let names = vec![
        "choices",
        "delta",
        "message",
        "content",
        "role",
        "function_call",
        "name",
        "arguments",
        "functions_state_id",
        "index",
        "finish_reason",
        "usage",
        "prompt_tokens",
        "error",
        "status",
        "created",
        "model",
        "id",
        "tool_calls",
        "data",
        "embedding",
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(names.clone()), inner), 0..6).prop_map(
                |members| {
                    let member = |(name, value): (&str, Value)| (name.to_owned(), value);
                    Value::Object(members.into_iter().map(member).collect())
                }
            ),
        ]
    })
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

proptest! {
    #[test]
    fn a_stream_reads_the_same_wherever_it_is_cut(
        name in prop::sample::select(vec!["chat_stream.sse", "chat_stream_function.sse"]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let body = fixture(name);
        let cut = run(chat_answer(Framing::Sse, asked(TOOLS)), pieces(&body, &cuts));
        prop_assert_eq!(cut, stream(&body, TOOLS));
    }

    #[test]
    fn any_stream_reads_the_same_wherever_it_is_cut_and_stays_well_formed(
        values in prop::collection::vec(any_json(), 1..5),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let body: Vec<_> = values.iter().map(|value| format!("data: {value}\n\n")).collect();
        let body = body.concat();
        let whole = stream(body.as_bytes(), TOOLS);
        for event in events(&whole) {
            prop_assert!(event.is_object() || event == "[DONE]", "{whole}");
        }
        let cut = run(chat_answer(Framing::Sse, asked(TOOLS)), pieces(body.as_bytes(), &cuts));
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn any_document_becomes_an_answer_or_an_error(value in any_json()) {
        let body = value.to_string();
        let answer = document(body.as_bytes(), FUNCTIONS);
        prop_assert!(answer["choices"].is_array() || answer["error"].is_object());
        let vectors = run(embeddings_answer(Encoding::Base64), [body.as_bytes()]);
        prop_assert!(serde_json::from_str::<Value>(&vectors).unwrap().is_object());
    }

    #[test]
    fn any_bytes_are_no_trouble(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for framing in [Framing::Json, Framing::Sse] {
            let mut translator = chat_answer(framing, asked(TOOLS));
            let mut out = Vec::new();
            translator.push(&bytes, &mut out);
            translator.finish(&mut out);
            prop_assert!(std::str::from_utf8(&out).is_ok());
        }
    }
}
