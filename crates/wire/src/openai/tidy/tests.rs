//! Streams and documents in every cut, against what callers shall see of them.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/providers");

fn fixture(file: &str) -> String {
    fs::read_to_string(format!("{FIXTURES}/{file}")).unwrap()
}

/// What comes out of a body in chunks of this size, and whether it ended cleanly.
fn tidied(mut tidy: Tidy, body: &str, size: usize) -> (String, bool) {
    let mut out = Vec::new();
    for chunk in body.as_bytes().chunks(size) {
        tidy.push(Bytes::copy_from_slice(chunk), &mut out);
    }
    tidy.finish(&mut out);
    (
        String::from_utf8(out.concat()).unwrap(),
        tidy.ended_cleanly(),
    )
}

fn check(tidy: fn() -> Tidy, body: &str, expected: &str) {
    for size in (1..80).chain([body.len().max(1)]) {
        let (seen, _) = tidied(tidy(), body, size);
        assert_eq!(seen, expected, "{body} in chunks of {size}");
    }
}

fn asked_all() -> Tidy {
    Tidy::stream()
        .hide_usage()
        .mend_finish_reasons()
        .drop_done_after_error()
}

fn without_usage() -> Tidy {
    Tidy::stream().hide_usage()
}

/// Streams of which nothing has to change, whatever is asked for.
const TIDY: &[&str] = &[
    "openai/chat_stream_error.sse",
    "openai/chat_stream_fragmented_args.sse",
    "openai/chat_stream_reasoning.sse",
    "openai/chat_stream_tool_calls.sse",
    "openai/responses_stream.sse",
    "openai/responses_stream_function.sse",
];

#[test]
fn streams_whose_caller_asked_for_no_usage_have_none() {
    let mut seen = String::new();
    for file in ["openai/chat_stream.sse", "xai/chat_stream.sse"] {
        let (stream, _) = tidied(without_usage(), &fixture(file), 7);
        seen = format!("{seen}{file}\n{stream}");
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn a_byte_order_mark_does_not_pass() {
    let stream = "data: {\"a\":1}\n\ndata: \u{feff}\n\n\u{feff}data: {}\n\ndata: [DONE]\n\n";
    check(asked_all, &format!("\u{feff}{stream}"), stream);
    let usage = "data: {\"choices\":[],\"usage\":{}}\n\n";
    check(without_usage, &format!("\u{feff}{usage}{stream}"), stream);
}

#[test]
fn nothing_passes_behind_the_end() {
    for (end, blank) in [
        ("\n\n", ""),
        ("\r\n\r\n", ""),
        ("\r\r", ""),
        ("\n\n", "\n\n\n"),
    ] {
        let stream = format!("data: {{\"a\":1}}{end}data: [DONE]{end}");
        let late = format!("{blank}data: {{\"error\":{{}}}}{end}: late{end}data: [DONE]{end}data");
        check(
            || Tidy::stream().stop_at_done().stop_at_error(),
            &format!("{stream}{late}"),
            &stream,
        );
    }
}

#[test]
fn streams_with_nothing_to_change_stay_as_they_are() {
    for file in TIDY {
        let body = fixture(file);
        check(asked_all, &body, &body);
    }
    let body = fixture("openai/chat_stream.sse");
    check(Tidy::stream, &body, &body);
}

#[test]
fn only_the_streams_usage_is_hidden() {
    for (event, expected) in [
        (r#"{"choices":[ ],"usage":{"total_tokens":1}}"#, None),
        (
            r#"{"choices":[],"usage":null,"a":1}"#,
            Some(r#"{"choices":[],"a":1}"#),
        ),
        (
            r#"{"usage":{"a":{}}, "choices":[{"delta":{"content":"\"usage\":1"}}]}"#,
            Some(r#"{"choices":[{"delta":{"content":"\"usage\":1"}}]}"#),
        ),
        (r#"{"usage":{}}"#, Some("{}")),
        (
            r#"{"choices":[{"usage":1}]}"#,
            Some(r#"{"choices":[{"usage":1}]}"#),
        ),
        (r#"{"usage""#, Some(r#"{"usage""#)),
    ] {
        for end in ["\n", "\r\n", "\r"] {
            let event_of = |data: &str| format!("event: x{end}data: {data}{end}{end}");
            let around = |middle: &str| format!("{}{middle}{}", event_of("1"), event_of("2"));
            let expected = expected.map(event_of).unwrap_or_default();
            check(without_usage, &around(&event_of(event)), &around(&expected));
        }
    }
}

#[test]
fn an_event_without_its_blank_line_is_looked_at_too() {
    check(without_usage, "data: {\"choices\":[],\"usage\":{}}\n", "");
    check(without_usage, "data: {\"usage\":{}}", "data: {}");
    check(without_usage, "data: {\"usage\":", "data: {\"usage\":");
}

#[test]
fn an_empty_finish_reason_becomes_the_real_one() {
    fn mend() -> Tidy {
        Tidy::stream().mend_finish_reasons()
    }
    let stream = |events: [&str; 4]| events.map(|event| format!("data: {event}\n\n")).concat();
    let called =
        r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0}]},"finish_reason":null}]}"#;
    let said = |reason| {
        format!(
            r#"{{"choices":[{{"delta":{{"content":"a"}},"index":0,"finish_reason": {reason}}}]}}"#
        )
    };
    let ended = |first, second| {
        format!(
            r#"{{"choices":[{{"index":1,"delta":{{}},"finish_reason":{first}}},{{"index":0,"delta":{{"content":""}},"finish_reason":{second}}}]}}"#
        )
    };
    let empty = r#""""#;
    check(
        mend,
        &stream([called, &said(empty), &ended(empty, empty), "[DONE]"]),
        &stream([
            called,
            &said("null"),
            &ended(r#""tool_calls""#, r#""stop""#),
            "[DONE]",
        ]),
    );
}

#[test]
fn documents_with_an_empty_finish_reason_are_mended() {
    fn mend() -> Tidy {
        Tidy::document().mend_finish_reasons()
    }
    let body = fixture("xai/chat_tool_calls_empty_finish.json");
    let expected = body.replace(r#""finish_reason": """#, r#""finish_reason": "tool_calls""#);
    assert_ne!(body, expected);
    check(mend, &body, &expected);
    check(
        mend,
        r#"{"choices":[{"finish_reason":"","message":{"tool_calls":[],"content":"a"}}]}"#,
        r#"{"choices":[{"finish_reason":"stop","message":{"tool_calls":[],"content":"a"}}]}"#,
    );
    for same in [
        "",
        "{\"choices\":[{\"finish_reason\":\"\"",
        "<html>",
        r#"{"finish_reason":""}"#,
    ] {
        check(mend, same, same);
    }
}

#[test]
fn done_after_an_error_is_dropped() {
    let good = "data: {}\n\n";
    for error in [
        "data: {\"error\":{\"message\":\"m\"}}\r\n\r\n",
        "data: [{\"error\":{}}]\n\n",
    ] {
        check(
            asked_all,
            &format!("{good}{error}data: [DONE]\r\n\r\n"),
            &format!("{good}{error}"),
        );
    }
    let same = "data: {\"error\":null}\n\ndata: [DONE]\n\n";
    check(asked_all, same, same);
}

#[test]
fn a_stream_says_how_it_ended() {
    let done = "data: [DONE]\n\n";
    let finished = "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";
    let going_on = "data: {\"choices\":[{\"finish_reason\":null}]}\n\n";
    let error = "data: {\"error\":{\"message\":\"m\"}}\n\n";
    for (events, expected) in [
        (vec![going_on], false),
        (vec![], false),
        (vec![going_on, done], true),
        (vec![going_on, finished], true),
        (vec![going_on, "data: [DONE]"], true),
        (vec![error, done], false),
        (vec![finished, error], false),
    ] {
        for tidy in [Tidy::stream, asked_all] {
            let (_, is_clean) = tidied(tidy(), &events.concat(), 5);
            assert_eq!(is_clean, expected, "{events:?}");
        }
    }
}

#[test]
fn embeddings_come_as_they_were_asked_for() {
    fn as_base64() -> Tidy {
        Tidy::document().write_vectors(Vectors::Base64)
    }
    fn as_floats() -> Tidy {
        Tidy::document().write_vectors(Vectors::Floats)
    }
    let floats = fixture("openai/embeddings_float.json");
    let base64 = fixture("openai/embeddings_base64.json");
    check(as_base64, &base64, &base64);
    check(as_floats, &floats, &floats);
    let value = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let (seen, _) = tidied(as_base64(), &floats, 10);
    assert_eq!(value(&seen), value(&base64));
    let (seen, _) = tidied(as_floats(), &base64, 10);
    assert_eq!(value(&seen), value(&floats));
    for same in [
        r#"{"data":[{"embedding":["a"]}]}"#,
        r#"{"data":[{"embedding":null}],"embedding":[1]}"#,
        r#"{"data":[{"x":{"embedding":[1]}}]}"#,
        r#"{"data":{"embedding":[1]}}"#,
        r#"{"error":{"message":"m"}}"#,
        r#"{"data":[{"embedding":[1]"#,
    ] {
        check(as_base64, same, same);
    }
    for same in [
        r#"{"data":[{"embedding":"?"}]}"#,
        r#"{"data":[{"embedding":"AAAA"}]}"#,
        // Not a number.
        r#"{"data":[{"embedding":"AADAfw=="}]}"#,
    ] {
        check(as_floats, same, same);
    }
}

#[test]
fn a_stream_may_stop_at_its_error() {
    let before = "data: {\"a\":1}\n\n";
    for error in [
        r#"{"error":{"message":"m"}}"#,
        r#"[{"error":{"message":"m"}}]"#,
    ] {
        let body = format!("{before}data: {error}\n\ndata: {{\"b\":2}}\n\ndata: [DONE]\n\n");
        check(|| Tidy::stream().stop_at_error(), &body, before);
    }
    let whole = format!("{before}data: [DONE]\n\n");
    check(|| Tidy::stream().stop_at_error(), &whole, &whole);
}

#[test]
fn what_is_not_changed_is_not_copied() {
    let usage = "data: {\"choices\":[],\"usage\":{}}\n\n";
    let body = Bytes::from(format!(
        "data: 1\n\ndata: 2\n\n{usage}data: 3\n\ndata: 4\n\n"
    ));
    let mut out = Vec::new();
    without_usage().push(body.clone(), &mut out);
    assert_eq!(out.len(), 2);
    for slice in &out {
        assert!(body.as_ptr_range().contains(&slice.as_ptr()));
    }
}

#[test]
fn an_event_without_end_is_not_held() {
    let mut tidy = asked_all();
    let mut out = Vec::new();
    tidy.push(Bytes::from_static(b"data: {\"usage\":\""), &mut out);
    assert!(out.is_empty());
    for _ in 0..100 {
        tidy.push(Bytes::from(vec![b'x'; 1024]), &mut out);
    }
    assert!(out.concat().len() > 99 * 1024);
    out.clear();
    tidy.push(
        Bytes::from_static(b"\"}\n\ndata: {\"usage\":1}\n\n"),
        &mut out,
    );
    assert_eq!(out.concat(), b"\"}\n\ndata: {}\n\n");
}

/// Events of all kinds, in any order.
fn events() -> impl Strategy<Value = String> {
    let event = prop::sample::select(vec![
        json!({"choices": [{"delta": {"content": "\"usage\":"}, "finish_reason": null}], "usage": null}),
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [{}]}, "finish_reason": ""}]}),
        json!({"choices": [{"index": 2, "delta": {}, "finish_reason": ""}], "usage": {"a": 1}}),
        json!({"choices": [], "usage": {"a": 1}}),
        json!({"error": {"message": "m"}}),
        json!([{"error": {"message": "m"}}]),
        json!("long".repeat(20_000)),
        json!({"usage": "long".repeat(20_000)}),
    ]);
    let event = prop_oneof![
        8 => event.prop_map(|event| format!("data: {event}")),
        1 => Just("data: [DONE]".to_owned()),
        1 => Just(": comment".to_owned()),
        1 => Just("data: {\"usage\":\u{20}1}\u{2028}".to_owned()),
        1 => Just("data: a\ndata: \"usage\"".to_owned()),
    ];
    let end = prop::sample::select(vec!["\n\n", "\r\n\r\n", "\r\r", "\n", ""]);
    let events = prop::collection::vec((event, end), 0..8);
    events.prop_map(|events| {
        let events: Vec<_> = events.into_iter().map(|(event, end)| event + end).collect();
        events.concat()
    })
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        body in events(),
        cuts in prop::collection::vec(0..100_000_usize, 0..10),
        parts_line_ends: bool,
    ) {
        let whole = tidied(asked_all(), &body, body.len().max(1));
        let mut tidy = asked_all();
        let mut out = Vec::new();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % (body.len() + 1)).collect();
        if parts_line_ends {
            cuts.extend(body.match_indices('\r').map(|(at, _)| at + 1));
        }
        cuts.sort_unstable();
        cuts.push(body.len());
        let mut from = 0;
        for cut in cuts {
            tidy.push(Bytes::copy_from_slice(&body.as_bytes()[from..cut]), &mut out);
            from = cut;
        }
        tidy.finish(&mut out);
        prop_assert_eq!(String::from_utf8(out.concat()).unwrap(), whole.0);
        prop_assert_eq!(tidy.ended_cleanly(), whole.1);
    }

    #[test]
    fn vectors_survive_both_ways(vector in prop::collection::vec(-1e3_f32..1e3, 0..20)) {
        let body = json!({"data": [{"embedding": vector}]}).to_string();
        let (base64, _) = tidied(Tidy::document().write_vectors(Vectors::Base64), &body, 9);
        let (floats, _) = tidied(Tidy::document().write_vectors(Vectors::Floats), &base64, 9);
        let seen: Value = serde_json::from_str(&floats).unwrap();
        let seen: Vec<f32> = serde_json::from_value(seen["data"][0]["embedding"].clone()).unwrap();
        prop_assert_eq!(seen, vector);
    }

    #[test]
    fn arbitrary_bytes_never_panic(chunks: Vec<Vec<u8>>) {
        let all = |tidy: Tidy| tidy.hide_usage().mend_finish_reasons().drop_done_after_error();
        for tidy in [all(Tidy::stream()), all(Tidy::document()).write_vectors(Vectors::Base64)] {
            let (mut tidy, mut out) = (tidy, Vec::new());
            for chunk in &chunks {
                tidy.push(Bytes::copy_from_slice(chunk), &mut out);
            }
            tidy.finish(&mut out);
        }
    }
}
