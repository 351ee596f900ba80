//! Streams: framings, cumulative usage, and how many chunks come when.

use std::time::{Duration, Instant};

use fake_upstream::gemini;
use serde_json::{Value, json};

use crate::support::{ask_model, post, said};

const SSE: &str = "streamGenerateContent?alt=sse";

#[tokio::test]
async fn an_sse_stream_says_the_text_in_the_chunks_asked_for() {
    let upstream = gemini()
        .says("Hello, world")
        .chunks(4, Duration::ZERO)
        .start()
        .await;
    let answer = ask_model(SSE, "x").send(&upstream).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let events = answer.events();
    assert_eq!(events.len(), 4);
    assert_eq!(events.iter().map(said).collect::<String>(), "Hello, world");
}

#[tokio::test]
async fn usage_grows_the_id_stays_and_only_the_last_chunk_is_finished() {
    let upstream = gemini().says("Hello, wide world").start().await;
    let events = ask_model(SSE, "x").send(&upstream).await.events();
    let output = |event: &Value| {
        event["usageMetadata"]["candidatesTokenCount"]
            .as_u64()
            .unwrap()
    };
    let finish = |event: &Value| event["candidates"][0]["finishReason"].clone();
    let [first, middle, last] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(output(first) < output(middle) && output(middle) < output(last));
    assert_eq!(
        [finish(first), finish(middle), finish(last)],
        [Value::Null, Value::Null, json!("STOP")]
    );
    assert_eq!(first["responseId"], last["responseId"]);
}

#[tokio::test]
async fn without_alt_sse_a_stream_is_a_json_array() {
    let upstream = gemini()
        .says("Hello")
        .chunks(2, Duration::ZERO)
        .start()
        .await;
    let answer = ask_model("streamGenerateContent", "x")
        .send(&upstream)
        .await;
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=UTF-8"
    );
    let list = answer.json();
    let texts: String = list.as_array().unwrap().iter().map(said).collect();
    assert_eq!(texts, "Hello");
    assert!(answer.text().contains("}\r\n,\r\n{"));
}

#[tokio::test]
async fn chunks_are_apart_by_the_pause() {
    let pause = Duration::from_millis(20);
    let upstream = gemini().chunks(4, pause).start().await;
    let started = Instant::now();
    ask_model(SSE, "x").send(&upstream).await;
    assert!(started.elapsed() >= 3 * pause, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_called_function_is_an_event_of_its_own() {
    let upstream = gemini().start().await;
    let body = json!({
        "contents": [{"parts": [{"text": "x"}]}],
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
    });
    let path = format!("/v1beta/models/gemini-3.8-flash:{SSE}");
    let events = post(&path, body.to_string()).send(&upstream).await.events();
    let first = &events[0]["candidates"][0]["content"]["parts"][0];
    assert_eq!(first["functionCall"]["name"], "f");
    assert_eq!(events[1]["candidates"][0]["finishReason"], "STOP");
}

#[tokio::test]
async fn a_blocked_prompt_is_one_event() {
    let upstream = gemini().start().await;
    let events = ask_model(SSE, "BLOCK_ME").send(&upstream).await.events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0]["promptFeedback"]["blockReason"],
        "PROHIBITED_CONTENT"
    );
}

#[tokio::test]
async fn fast_streams_have_their_chunks_and_size_too() {
    let script = gemini().chunks(50, Duration::ZERO).chunk_bytes(200).fast();
    let upstream = script.start().await;
    let events = ask_model(SSE, "x").send(&upstream).await.events();
    assert_eq!(events.len(), 50);
    assert!(events.iter().all(|event| said(event).len() == 200));
}
