//! Answers of OpenAI's shape, whoever sends them: usage, content, ends and errors, wherever the stream is cut.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reading;

use domain::{Nanodollars, Usage};
use proptest::prelude::*;
use wire::gemini::error::ErrorBody;
use wire::gemini::{AnswerScan, Content, Finish, Framing, stream_error_tail};

use reading::{Answer, chunks, scan};

const fn document(file: &'static str) -> Answer {
    (file, Framing::Json, Content::OpenAi)
}

const fn stream(file: &'static str) -> Answer {
    (file, Framing::Sse, Content::OpenAi)
}

const ANSWERS: &[Answer] = &[
    document("openai/chat_ok.json"),
    document("openai/chat_tool_calls.json"),
    document("openai/chat_content_filter.json"),
    stream("openai/chat_stream.sse"),
    stream("openai/chat_stream_error.sse"),
    stream("openai/chat_stream_fragmented_args.sse"),
    stream("openai/chat_stream_reasoning.sse"),
    stream("openai/chat_stream_tool_calls.sse"),
    document("openai/embeddings_base64.json"),
    document("openai/embeddings_float.json"),
    document("openai/images.json"),
    document("openai/responses_ok.json"),
    stream("openai/responses_stream.sse"),
    stream("openai/responses_stream_function.sse"),
    document("openai/errors/429_rate.json"),
    document("gemini/errors/openai_compat_400.json"),
    document("xai/chat_ok.json"),
    stream("xai/chat_stream.sse"),
    document("xai/chat_tool_calls_empty_finish.json"),
    document("xai/responses_ok.json"),
    stream("perplexity/agent_stream.sse"),
    document("perplexity/embeddings.json"),
    stream("gigachat/chat_stream.sse"),
];

#[test]
fn every_answer_is_understood() {
    insta::assert_snapshot!(reading::describe(ANSWERS));
}

fn read(framing: Framing, content: Content, body: &str) -> wire::gemini::Summary {
    scan(framing, content, [body.as_bytes()]).0
}

fn check_usage(content: Content, body: &str, expected: Option<Usage>) {
    assert_eq!(read(Framing::Json, content, body).usage, expected, "{body}");
}

#[test]
fn usage_is_found_in_every_form() {
    let usage = Usage {
        prompt: 9,
        output: 38,
        reasoning: 31,
        cached: 4,
        tool: 0,
        total: 47,
    };
    for body in [
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":38,"total_tokens":47,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":31}}}"#,
        r#"{"usage":{"output_tokens_details":{"reasoning_tokens":31,"x":{}},"input_tokens_details":{"cached_tokens":4},"output_tokens":38,"input_tokens":9,"total_tokens":47}}"#,
        r#"{"type":"response.completed","response":{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":38,"output_tokens_details":{"reasoning_tokens":31},"total_tokens":47}}}"#,
        r#"[{"usage":{"prompt_tokens":"9","prompt_tokens_details":{"cached_tokens":4},"completion_tokens":7,"completion_tokens_details":{"reasoning_tokens":31},"total_tokens":47}}]"#,
    ] {
        check_usage(Content::OpenAi, body, Some(usage));
        if body.starts_with('{') {
            check_usage(Content::Any, body, Some(usage));
        }
    }
    check_usage(Content::OpenAi, r#"{"usage":null}"#, None);
    check_usage(Content::OpenAi, r#"{"usage":{"cost":{}}}"#, None);
    check_usage(
        Content::OpenAi,
        r#"{"x":{"usage":{"total_tokens":5}}}"#,
        None,
    );
}

fn check_cost(content: Content, usage: &str, expected: Option<i64>) {
    let body = format!(r#"{{"id":"x","usage":{usage}}}"#);
    let cost = read(Framing::Json, content, &body).cost;
    assert_eq!(cost, expected.map(Nanodollars), "{usage}");
}

#[test]
fn what_a_provider_charges_is_read_to_the_nanodollar() {
    let openai = Content::OpenAi;
    check_cost(openai, r#"{"cost_in_usd_ticks":2980000}"#, Some(298_000));
    check_cost(openai, r#"{"cost_in_usd_ticks":15}"#, Some(2));
    check_cost(
        openai,
        r#"{"cost":{"input_tokens_cost":1,"total_cost":0.00062}}"#,
        Some(620_000),
    );
    check_cost(openai, r#"{"cost":2.98e-4}"#, Some(298_000));
    check_cost(openai, r#"{"cost":0.00029800000000000003}"#, Some(298_000));
    check_cost(openai, r#"{"cost":0}"#, Some(0));
    for usage in [
        "{}",
        r#"{"cost":null}"#,
        r#"{"cost":-1}"#,
        r#"{"cost":[1]}"#,
        r#"{"cost":{"currency":"USD"}}"#,
        &format!(r#"{{"cost":1.{}}}"#, "0".repeat(60)),
    ] {
        check_cost(openai, usage, None);
    }
    check_cost(Content::Any, r#"{"cost_in_usd_ticks":2980000}"#, None);
}

/// xAI answers a deferred request with an id, behind which the answer is made; elsewhere such an id is one of many.
#[test]
fn a_promise_of_an_answer_is_pending() {
    let deferred = read(Framing::Json, Content::OpenAi, r#"{"request_id":"r"}"#);
    assert_eq!(deferred.finish(), Some(Finish::Pending));
    assert!(deferred.complete);
    let body = r#"{"id":"x","request_id":"r","choices":[]}"#;
    assert_eq!(read(Framing::Json, Content::OpenAi, body).finish(), None);
}

#[test]
fn an_empty_usage_takes_no_earlier_one_back() {
    let body = "data: {\"usage\":{\"prompt_tokens\":5}}\n\n\
        data: {\"usage\":{}}\n\ndata: {\"usage\":null}\n\ndata: [DONE]\n\n";
    let usage = read(Framing::Sse, Content::OpenAi, body).usage;
    assert_eq!(usage.map(|usage| usage.total), Some(5));
}

/// An interaction that went on in the background is counted when it is asked for.
#[test]
fn a_fetched_interaction_is_read_for_usage() {
    let usage = r#""usage":{"total_input_tokens":11,"total_output_tokens":1,"total_thought_tokens":24,"total_cached_tokens":2,"total_tool_use_tokens":3,"total_tokens":39}"#;
    let expected = Usage {
        prompt: 11,
        output: 25,
        reasoning: 24,
        cached: 2,
        tool: 3,
        total: 39,
    };
    let document = format!(r#"{{"id":"v1","status":"completed",{usage}}}"#);
    check_usage(Content::Any, &document, Some(expected));
    check_usage(Content::Interaction, &document, Some(expected));
    let event = format!(r#"{{"event_type":"interaction.completed","interaction":{{{usage}}}}}"#);
    check_usage(Content::Any, &event, Some(expected));
}

fn check_useful(event: &str, useful: bool) {
    let mut scan = AnswerScan::new(Framing::Sse, Content::OpenAi);
    let progress = scan.push(format!("data: {event}\n\n").as_bytes());
    assert_eq!(progress.useful, useful, "{event}");
    let is_end = scan.summary().finish().is_some_and(Finish::is_final);
    assert_eq!(scan.summary().has_content, useful && !is_end, "{event}");
}

#[test]
fn an_event_is_useful_when_it_holds_something() {
    for event in [
        r#"{"choices":[{"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}"#,
        r#"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#,
        r#"{"choices":[{"delta":{"refusal":"a"}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#,
        r#"{"choices":[{"delta":{"function_call":{}}}]}"#,
        r#"{"choices":[{"message":{"audio":{"data":""}}}]}"#,
        r#"{"choices":[{"text":"a"}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#,
        r#"{"type":"response.output_text.delta","delta":"a"}"#,
        r#"{"type":"response.output_item.added","item":{"type":"function_call"}}"#,
        r#"{"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"a"}]}}"#,
        r#"{"type":"image_generation.partial_image","b64_json":"aaaa"}"#,
        r#"{"data":[{"embedding":[]}]}"#,
    ] {
        check_useful(event, true);
    }
    for event in [
        "{}",
        "[DONE]",
        r#"{"choices":[]}"#,
        r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        r#"{"choices":[{"delta":{"content":null,"tool_calls":[],"reasoning_content":""}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"text","text":""}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"choices":"a","data":{},"delta":{},"text":{"format":{}}}"#,
        r#"{"type":"response.created","response":{"status":"in_progress","output":[],"text":{}}}"#,
        r#"{"type":"response.output_item.added","item":{"type":"message","content":[]}}"#,
        r#"{"type":"response.output_item.added","item":{"type":"reasoning","summary":[]}}"#,
        r#"{"usage":{"total_tokens":7},"data":[]}"#,
    ] {
        check_useful(event, false);
    }
}

#[test]
fn errors_are_found_in_every_wrapper() {
    for (framing, body, expected) in [
        (
            Framing::Json,
            r#"[{"error":{"code":400,"message":"m"}}]"#,
            Some(r#"{"code":400,"message":"m"}"#),
        ),
        (
            Framing::Sse,
            "data: [{\"error\":{\"code\":400}}]\n\n",
            Some(r#"{"code":400}"#),
        ),
        (
            Framing::Sse,
            "[{\n\"error\": {\"code\":400}}\n]\n",
            Some(r#"{"code":400}"#),
        ),
        (
            Framing::Sse,
            "data: {\"code\":\"c\",\"type\":\"error\",\"message\":\"a \\\"b\\\"\",\"param\":null}\n\n",
            Some(r#"{"code":"c","message":"a \"b\""}"#),
        ),
        (
            Framing::Sse,
            "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"c\"}}}\n\n",
            Some(r#"{"code":"c"}"#),
        ),
        (
            Framing::Sse,
            "data: {\"code\":\"resource-exhausted\",\"error\":\"a \\\"b\\\"\",\"type\":\"x\"}\n\n",
            Some(r#"{"code":"resource-exhausted","message":"a \"b\""}"#),
        ),
        (Framing::Json, r#"{"error":null,"data":[{}]}"#, None),
        (Framing::Json, r#"{"error":"","data":[{}]}"#, None),
        (
            Framing::Json,
            r#"{"type":"x","code":"c","message":"m"}"#,
            None,
        ),
    ] {
        let summary = read(framing, Content::OpenAi, body);
        let error = summary
            .error
            .map(|error| String::from_utf8(error.into()).unwrap());
        assert_eq!(error.as_deref(), expected, "{body}");
    }
}

#[test]
fn a_broken_stream_ends_with_an_error_of_its_dialect() {
    let mut scan = AnswerScan::new(Framing::Sse, Content::OpenAi);
    scan.push(b"data: {\"choices\":[]}\n\ndata: {\"cho");
    let tail = stream_error_tail(&scan, &ErrorBody::new(502, "cut"));
    let expected = "data: {\"error\":{\"message\":\"cut\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n";
    assert_eq!(String::from_utf8(tail).unwrap(), expected);
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        answer in 0..ANSWERS.len(),
        cuts in proptest::collection::vec(0..8192_usize, 0..12),
    ) {
        let (file, framing, content) = ANSWERS[answer];
        let bytes = reading::body(file);
        let (one, one_whole, _) = scan(framing, content, [bytes.as_slice()]);
        let (cut, cut_whole, _) = scan(framing, content, chunks(&bytes, cuts));
        prop_assert_eq!(one, cut);
        prop_assert_eq!(one_whole, cut_whole);
    }

    #[test]
    fn damaged_answers_never_panic(damage: (usize, u8), answer in 0..ANSWERS.len()) {
        let (file, framing, content) = ANSWERS[answer];
        let mut bytes = reading::body(file);
        let at = damage.0 % bytes.len();
        bytes[at] = damage.1;
        scan(framing, content, bytes.chunks(7));
    }
}

#[test]
fn what_is_of_no_known_shape_is_strange() {
    for (framing, body, expected) in [
        (Framing::Sse, "data: hi\n\n", true),
        (Framing::Sse, "data: hi there\n\n", true),
        (Framing::Sse, "data: 5\n\n", true),
        (Framing::Sse, "data: [1]\n\n", true),
        (Framing::Sse, "data: {\"foo\":{\"choices\":[]}}\n\n", true),
        (Framing::Sse, "data: {\"choices\":[]}\n\ndata: hi\n\n", true),
        (Framing::Sse, "data: hi", false),
        (Framing::Sse, "data: [DONE]\n\n", false),
        (Framing::Sse, ": hi\n\n", false),
        (Framing::Sse, "data: {}\n\n", false),
        (Framing::Sse, "data: {\"type\":\"ping\"}\n\n", false),
        (Framing::Sse, "data: {\"id\":1,\"choices\":[]}\n\n", false),
        (Framing::Json, "{\"foo\":1}", true),
        (Framing::Json, "[]", true),
        (Framing::Json, "\"text\"", true),
        (Framing::Json, "{}", false),
        (Framing::Json, "{\"foo\":1", false),
        (Framing::Json, "<html>", false),
        (Framing::Json, "{\"data\":[]}", false),
        (Framing::Json, "", false),
    ] {
        for size in 1..=body.len().max(1) {
            let mut scan = AnswerScan::new(framing, Content::OpenAi);
            for chunk in body.as_bytes().chunks(size) {
                scan.push(chunk);
            }
            assert_eq!(scan.is_strange(), expected, "{body:?} in chunks of {size}");
        }
    }
}
