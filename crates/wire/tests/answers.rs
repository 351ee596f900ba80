//! Every answer among the fixtures, read whole and cut anywhere: what is understood must not depend on the cuts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reading;

use proptest::prelude::*;
use wire::gemini::error::ErrorBody;
use wire::gemini::{AnswerScan, Content, Framing, Summary, stream_error_tail};

use reading::{Answer, chunks, scan};

const ANSWERS: &[Answer] = &[
    (
        "gemini/account_limited.json",
        Framing::Json,
        Content::Generate,
    ),
    ("gemini/batch_done.json", Framing::Json, Content::Any),
    (
        "gemini/batch_embed_contents.json",
        Framing::Json,
        Content::Any,
    ),
    ("gemini/cached_content.json", Framing::Json, Content::Any),
    (
        "gemini/candidate_recitation.json",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/candidate_safety.json",
        Framing::Json,
        Content::Generate,
    ),
    ("gemini/continuation.json", Framing::Json, Content::Generate),
    ("gemini/count_tokens.json", Framing::Json, Content::Any),
    ("gemini/embed_content.json", Framing::Json, Content::Any),
    (
        "gemini/empty_no_candidates.json",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/empty_stop_no_parts.json",
        Framing::Json,
        Content::Generate,
    ),
    ("gemini/empty_text.json", Framing::Json, Content::Generate),
    (
        "gemini/errors/429_per_day.json",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/errors/429_stream_array.json",
        Framing::JsonArray,
        Content::Generate,
    ),
    (
        "gemini/errors/502_html.html",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/errors/interactions_400.json",
        Framing::Json,
        Content::Interaction,
    ),
    (
        "gemini/errors/openai_compat_400.json",
        Framing::Json,
        Content::Any,
    ),
    ("gemini/file_failed.json", Framing::Json, Content::Any),
    (
        "gemini/function_call.json",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/function_call_parallel.json",
        Framing::Json,
        Content::Generate,
    ),
    ("gemini/generate_ok.json", Framing::Json, Content::Generate),
    (
        "gemini/generate_ok_cached.json",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/generate_ok_grounded.json",
        Framing::Json,
        Content::Generate,
    ),
    ("gemini/image_output.json", Framing::Json, Content::Generate),
    (
        "gemini/interactions_ok.json",
        Framing::Json,
        Content::Interaction,
    ),
    (
        "gemini/interactions_stream.sse",
        Framing::Sse,
        Content::Interaction,
    ),
    (
        "gemini/interactions_stream_error.sse",
        Framing::Sse,
        Content::Interaction,
    ),
    ("gemini/logprobs.json", Framing::Json, Content::Generate),
    (
        "gemini/malformed_function_call.json",
        Framing::Json,
        Content::Generate,
    ),
    ("gemini/max_tokens.json", Framing::Json, Content::Generate),
    (
        "gemini/max_tokens_only_thoughts.json",
        Framing::Json,
        Content::Generate,
    ),
    ("gemini/models_list_page1.json", Framing::Json, Content::Any),
    (
        "gemini/operation_done_filtered.json",
        Framing::Json,
        Content::Any,
    ),
    (
        "gemini/operation_done_video.json",
        Framing::Json,
        Content::Any,
    ),
    ("gemini/operation_error.json", Framing::Json, Content::Any),
    (
        "gemini/prompt_blocked.json",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/stream_error_bare_json.sse",
        Framing::Sse,
        Content::Generate,
    ),
    (
        "gemini/stream_first_event_error.sse",
        Framing::Sse,
        Content::Generate,
    ),
    (
        "gemini/stream_function_call.sse",
        Framing::Sse,
        Content::Generate,
    ),
    (
        "gemini/stream_midstream_error.sse",
        Framing::Sse,
        Content::Generate,
    ),
    ("gemini/stream_ok.sse", Framing::Sse, Content::Generate),
    (
        "gemini/stream_ok_array.json",
        Framing::JsonArray,
        Content::Generate,
    ),
    (
        "gemini/stream_prompt_blocked.sse",
        Framing::Sse,
        Content::Generate,
    ),
    (
        "gemini/stream_thoughts.sse",
        Framing::Sse,
        Content::Generate,
    ),
    (
        "gemini/stream_truncated.sse",
        Framing::Sse,
        Content::Generate,
    ),
    ("gemini/thoughts.json", Framing::Json, Content::Generate),
    (
        "gemini/two_candidates.json",
        Framing::Json,
        Content::Generate,
    ),
    (
        "gemini/unknown_fields.json",
        Framing::Json,
        Content::Generate,
    ),
];

#[test]
fn every_answer_is_understood() {
    insta::assert_snapshot!(reading::describe(ANSWERS));
}

#[test]
fn reads_at_awkward_positions_make_one_event() {
    let text = String::from_utf8(body("stream_split_bytes.hexlines")).unwrap();
    let byte = |at: usize, line: &str| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    let decode = |line: &str| {
        (0..line.len())
            .step_by(2)
            .map(|at| byte(at, line))
            .collect()
    };
    let reads: Vec<Vec<u8>> = text.lines().map(decode).collect();
    let chunks = reads.iter().map(Vec::as_slice);
    let (summary, whole, _) = scan(Framing::Sse, Content::Generate, chunks);
    assert!(
        summary.complete && summary.has_content && summary.events == 1,
        "{summary:?}"
    );
    assert_eq!(whole, reads.iter().map(Vec::len).sum::<usize>());
    assert_eq!(summary.usage.map(|usage| usage.total), Some(7));
}

#[test]
fn a_long_text_is_useful_before_it_ends() {
    let mut scan = AnswerScan::new(Framing::Json, Content::Generate);
    let head = br#"{"candidates":[{"content":{"parts":[{"text":"#;
    assert!(!scan.push(head).useful);
    assert!(scan.push(br#""On"#).useful);
}

#[test]
fn an_image_is_useful_before_it_ends() {
    let mut scan = AnswerScan::new(Framing::Json, Content::Generate);
    let head = br#"{"candidates":[{"content":{"parts":[{"inlineData":{"data":"AAA"#;
    assert!(scan.push(head).useful);
}

#[test]
fn empty_text_with_a_signature_is_no_content_and_no_loss() {
    let event = b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"eA==\"}]}}]}\r\n\r\n";
    let mut scan = AnswerScan::new(Framing::Sse, Content::Generate);
    let progress = scan.push(event);
    assert!(!progress.useful && !scan.summary().has_content);
    assert_eq!(progress.whole_events_end, event.len());
}

#[test]
fn an_error_larger_than_what_is_kept_is_still_an_error() {
    let long = "x".repeat(100_000);
    let body = format!(r#"{{"error":{{"code":500,"message":"{long}"}}}}"#);
    let (summary, ..) = scan(
        Framing::Json,
        Content::Generate,
        body.as_bytes().chunks(777),
    );
    assert_eq!(
        summary.error.map(|error| error.len()),
        Some(Summary::MAX_ERROR)
    );
}

#[test]
fn a_scan_is_small() {
    assert!(size_of::<AnswerScan>() < 1024);
}

fn body(file: &str) -> Vec<u8> {
    reading::body(&format!("gemini/{file}"))
}

/// What a caller receives when the upstream goes away after `sent`: the whole events and the tail.
fn ended(framing: Framing, content: Content, sent: &[u8]) -> String {
    let mut scan = AnswerScan::new(framing, content);
    let whole = scan.push(sent).whole_events_end;
    let tail = stream_error_tail(&scan, &ErrorBody::new(502, "cut"));
    String::from_utf8([&sent[..whole], &tail].concat()).unwrap()
}

#[test]
fn a_cut_array_is_closed_behind_its_last_whole_element() {
    let array = body("stream_ok_array.json");
    for cut in 0..array.len() {
        let seen = ended(Framing::JsonArray, Content::Generate, &array[..cut]);
        let list: Vec<serde_json::Value> = serde_json::from_str(&seen).unwrap();
        let end = list.last().unwrap();
        let closed = array[..cut].trim_ascii_end().ends_with(b"\r\n]");
        assert_eq!(end["error"]["code"] == 502, !closed, "cut at {cut}: {seen}");
    }
}

#[test]
fn a_cut_event_stream_ends_with_an_error_event() {
    let seen = ended(
        Framing::Sse,
        Content::Generate,
        b"data: {\"candidates\":[]}\r\n\r\ndata: {\"cand",
    );
    assert_eq!(
        seen,
        "data: {\"candidates\":[]}\r\n\r\n\
         data: {\"error\":{\"code\":502,\"message\":\"cut\",\"status\":\"INTERNAL\"}}\r\n\r\n"
    );
    let seen = ended(Framing::Sse, Content::Interaction, b"event: x\nda");
    assert_eq!(
        seen,
        "event: error\ndata: {\"event_type\":\"error\",\"error\":{\"code\":\"api_error\",\"message\":\"cut\"}}\n\n"
    );
}

#[test]
fn one_document_cannot_be_ended() {
    assert_eq!(ended(Framing::Json, Content::Generate, b"{\"a\":"), "");
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        answer in 0..ANSWERS.len(),
        cuts in proptest::collection::vec(0..4096_usize, 0..12),
    ) {
        let (file, framing, content) = ANSWERS[answer];
        let bytes = reading::body(file);
        let (one, one_whole, _) = scan(framing, content, [bytes.as_slice()]);
        let (cut, cut_whole, _) = scan(framing, content, chunks(&bytes, cuts));
        prop_assert_eq!(one, cut);
        prop_assert_eq!(one_whole, cut_whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(body: Vec<Vec<u8>>, damage: (usize, u8), answer in 0..ANSWERS.len()) {
        let (file, framing, content) = ANSWERS[answer];
        scan(framing, content, body.iter().map(Vec::as_slice));
        let mut bytes = reading::body(file);
        let at = damage.0 % bytes.len();
        bytes[at] = damage.1;
        scan(framing, content, bytes.chunks(7));
    }
}
