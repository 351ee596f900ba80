//! However the network cuts a stream, the caller gets the same.

use proptest::prelude::*;
use providers::perplexity::chat_answer;
use serde_json::json;
use wire::gemini::Framing;

use crate::answers::{asked, stream};
use crate::{fixture, translated};

fn stream_of_everything() -> Vec<u8> {
    [
        "openai/responses_stream_function.sse",
        "openai/responses_stream.sse",
        "perplexity/agent_stream.sse",
    ]
    .map(fixture)
    .concat()
}

proptest! {
    #[test]
    fn any_split_of_a_stream_gives_the_same(file in 0_usize..4, cuts in prop::collection::vec(any::<usize>(), 0..12)) {
        let body = match file {
            0 => fixture("perplexity/agent_stream.sse"),
            1 => fixture("perplexity/agent_stream_failed.sse"),
            2 => fixture("openai/responses_stream_function.sse"),
            _ => stream_of_everything(),
        };
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % (body.len() + 1)).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|ends| &body[ends[0]..ends[1]]);
        let split = translated(chat_answer(Framing::Sse, &asked()), chunks);
        prop_assert_eq!(String::from_utf8(split).unwrap(), stream(&body));
    }
}

#[test]
fn streams_byte_by_byte_are_the_same() {
    for file in [
        "perplexity/agent_stream.sse",
        "openai/responses_stream_function.sse",
    ] {
        let body = fixture(file);
        let bytes = translated(chat_answer(Framing::Sse, &asked()), body.chunks(1));
        assert_eq!(String::from_utf8(bytes).unwrap(), stream(&body), "{file}");
    }
}

#[test]
fn the_last_event_may_repeat_an_answer_of_any_length() {
    let text = "x".repeat(4 * 1024 * 1024);
    let event = json!({"type": "response.completed", "response": {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
        "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    }});
    let piece = json!({"type": "response.output_text.delta", "delta": "x"});
    let seen = stream(format!("data: {piece}\n\ndata: {event}\n\n").as_bytes());
    assert!(seen.contains("\"total_tokens\":3"), "{seen}");
    assert!(
        seen.ends_with("data: [DONE]\n\n") && seen.len() < 1000,
        "{seen}"
    );
    // What no event before has told would be left out.
    let seen = stream(format!("data: {event}\n\n").as_bytes());
    assert!(seen.contains("too large") && seen.len() < 1000, "{seen}");
}

#[test]
fn events_that_say_nothing_are_passed_over() {
    let body = fixture("perplexity/agent_stream.sse");
    let idle = b": ping\n\ndata:\n\ndata: {}\n\ndata: {\"type\":\"new\",\"item\":[7]}\n\n";
    let seen = stream(&[&idle[..], &body, b"data: [DONE]\n\n"].concat());
    assert_eq!(seen, stream(&body));
}
