//! What passes, and when: every byte as it was sent, as soon as it was sent, and no more than the caller reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use domain::{Class, Usage};
use fake_upstream::{Rule, gemini};
use http_body_util::BodyExt;

use super::{Way, answered, ends, raw_gateway, read_at_least, says};
use crate::support::{Answer, Connection, TestGateway, eventually};

#[tokio::test]
async fn the_first_event_passes_while_the_provider_holds_the_rest() {
    for way in Way::ALL {
        let script = way
            .script()
            .says("hello")
            .rule(Rule::new().stall_after_chunks(1));
        let gateway = TestGateway::new().upstream(script).start().await;
        let mut caller = Connection::open(gateway.address).await;
        let mut answer = caller.begin(way.request()).await.into_body();
        let first = read_at_least(&mut answer, 1).await;
        let first = String::from_utf8(first).unwrap();
        assert!(first.contains("\"text\""), "{way:?}: {first}");
        assert!(!gateway.upstream.seen()[0].finished, "{way:?}");
    }
}

#[tokio::test]
async fn each_event_passes_before_the_next_is_sent() {
    for way in [Way::Sse, Way::Array] {
        let (gateway, upstream) = raw_gateway().await;
        let mut caller = Connection::open(gateway.address).await;
        let (head, provider) = tokio::join!(caller.begin(way.request()), async {
            let mut provider = upstream.next().await;
            provider.begin(way.content_type()).await;
            provider.chunk(framed(way, 0, &says("0"))).await;
            provider
        });
        let (mut answer, mut provider) = (head.into_body(), provider);
        for number in 0..5 {
            let sent = framed(way, number, &says(&number.to_string()));
            if number > 0 {
                provider.chunk(&sent).await;
            }
            let came = read_at_least(&mut answer, sent.len()).await;
            assert_eq!(String::from_utf8(came).unwrap(), sent, "{way:?}");
        }
    }
}

/// An event in the middle of a stream; of an array, without the end that the next one brings.
fn framed(way: Way, number: usize, json: &str) -> String {
    match (way.is_sse(), number) {
        (true, _) => format!("data: {json}\r\n\r\n"),
        (false, 0) => format!("[{json}"),
        (false, _) => format!(",\r\n{json}"),
    }
}

#[tokio::test]
async fn bytes_are_those_that_the_provider_sent() {
    let events = "text/event-stream";
    let event = ends("hi");
    let spellings = [
        format!("data: {event}\n\n"),
        format!("data:{event}\r\r"),
        format!(": a comment\r\n\r\ndata: {event}\r\n\r\n"),
        format!("id: 7\r\nevent: message\r\nretry: 10\r\ndata: {event}\r\n\r\n\r\n\r\n"),
        format!("data: {event}"),
        format!(
            "data: {}\r\n\r\ndata: [DONE]\r\n\r\n",
            ends("\u{e9}\u{1f600}\\u00e9")
        ),
        format!("data: {{\"notKnown\": [1e400, {{}}]}}\r\n\r\ndata: {event}\r\n\r\n"),
    ];
    for body in spellings {
        check_bytes(Way::Sse, events, body.into()).await;
    }
    for name in [
        "stream_ok.sse",
        "stream_thoughts.sse",
        "stream_function_call.sse",
    ] {
        check_bytes(Way::Sse, events, fixture(name)).await;
    }
    for name in [
        "stream_prompt_blocked.sse",
        "stream_midstream_error.sse",
        "stream_truncated.sse",
    ] {
        check_bytes(Way::Sse, events, fixture(name)).await;
    }
    let json = "application/json; charset=UTF-8";
    check_bytes(Way::Array, json, fixture("stream_ok_array.json")).await;
    check_bytes(
        Way::Array,
        json,
        format!("  [\n\n{event}  \t,{event}\n]\n\n").into(),
    )
    .await;
}

async fn check_bytes(way: Way, content_type: &str, body: Bytes) {
    let headers = [("content-type", content_type), ("x-goog-new", "1")];
    let script = gemini().rule(Rule::new().respond_with(200, &headers, body.clone()));
    let gateway = TestGateway::new().upstream(script).start().await;
    let answer = gateway.send(way.request()).await;
    assert_eq!(answer.text(), String::from_utf8_lossy(&body));
    assert_eq!((answer.status, answer.is_whole), (200, true));
    assert_eq!(answer.header("content-type"), content_type);
    assert_eq!(answer.header("x-goog-new"), "1");
}

fn fixture(name: &str) -> Bytes {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/providers/gemini/"
    );
    std::fs::read(format!("{folder}{name}")).unwrap().into()
}

#[tokio::test]
async fn chunks_may_be_cut_anywhere() {
    for way in [Way::Sse, Way::Array] {
        let body = format!(
            "{}{}",
            framed(way, 0, &says("h\u{e9}")),
            framed(way, 1, &ends("llo"))
        );
        let body = if way.is_sse() {
            body
        } else {
            format!("{body}]")
        };
        let (gateway, upstream) = raw_gateway().await;
        let answer = answered(gateway.send(way.request()), async {
            let mut provider = upstream.next().await;
            provider.begin(way.content_type()).await;
            for byte in body.as_bytes() {
                provider.chunk([*byte]).await;
            }
            provider.end().await;
        })
        .await;
        assert_eq!(answer.text(), body);
        assert_eq!(answer.said(), "h\u{e9}llo");
    }
}

#[tokio::test]
async fn an_event_of_megabytes_passes_whole() {
    for way in [Way::Sse, Way::Array, Way::SseTls] {
        let script = way
            .script()
            .says("begins")
            .chunks(1, std::time::Duration::ZERO);
        let gateway = TestGateway::new()
            .upstream(script.chunk_bytes(5_000_000))
            .start()
            .await;
        let answer = gateway.send(way.request()).await;
        assert!(answer.is_whole);
        assert_eq!(answer.said().len(), 5_000_000, "{way:?}");
        assert_eq!(gateway.only_record().await.error, None);
    }
}

#[tokio::test]
async fn an_event_of_megabytes_is_not_gathered_first() {
    const SENT: usize = 4 << 20;
    for way in [Way::Sse, Way::Array] {
        let (gateway, upstream) = raw_gateway().await;
        let mut caller = Connection::open(gateway.address).await;
        let begin = r#"{"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""#;
        let begin = if way.is_sse() {
            format!("data: {begin}")
        } else {
            format!("[{begin}")
        };
        let (head, _provider) = tokio::join!(
            async {
                let mut answer = caller.begin(way.request()).await.into_body();
                // All but what may be kept back of an event whose end has not come.
                read_at_least(&mut answer, SENT - (64 << 10)).await
            },
            async {
                let mut provider = upstream.next().await;
                provider.begin(way.content_type()).await;
                provider.chunk(&begin).await;
                for _ in 0..SENT / (64 << 10) {
                    provider.chunk(vec![b'A'; 64 << 10]).await;
                }
                provider
            }
        );
        assert!(head.starts_with(begin.as_bytes()), "{way:?}");
    }
}

#[tokio::test]
async fn a_caller_that_does_not_read_stops_the_provider() {
    const CHUNKS: usize = 512;
    const CHUNK: usize = 64 << 10;
    let (gateway, upstream) = raw_gateway().await;
    let mut caller = Connection::open(gateway.address).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let provide = {
        let sent = sent.clone();
        async move {
            let mut provider = upstream.next().await;
            provider.begin("text/event-stream").await;
            let text = "x".repeat(CHUNK);
            for _ in 0..CHUNKS {
                provider
                    .chunk(format!("data: {}\r\n\r\n", says(&text)))
                    .await;
                sent.fetch_add(CHUNK, Ordering::Relaxed);
            }
            provider.chunk(format!("data: {}\r\n\r\n", ends("."))).await;
            provider.end().await;
        }
    };
    let read = async {
        let answer = caller.begin(Way::Sse.request()).await.into_body();
        let stopped_at = stands_still(&sent).await;
        let body = answer.collect().await.unwrap().to_bytes();
        (stopped_at, body.len())
    };
    let ((stopped_at, read), ()) = tokio::join!(read, provide);
    // What the sockets' buffers on the way take in, and no more.
    assert!(
        stopped_at < CHUNKS * CHUNK / 2,
        "{stopped_at} bytes were sent"
    );
    assert!(read > CHUNKS * CHUNK);
}

/// The number, once it has not changed for a while.
async fn stands_still(number: &AtomicUsize) -> usize {
    let last = AtomicUsize::new(usize::MAX);
    let unchanged = AtomicUsize::new(0);
    eventually("the provider stops sending", async || {
        let now = number.load(Ordering::Relaxed);
        let is_same = last.swap(now, Ordering::Relaxed) == now;
        let times = if is_same {
            unchanged.load(Ordering::Relaxed) + 1
        } else {
            0
        };
        unchanged.store(times, Ordering::Relaxed);
        (times >= 20).then_some(now)
    })
    .await
}

#[tokio::test]
async fn two_hundred_streams_at_once_are_all_whole() {
    let script = gemini().chunks(5, std::time::Duration::from_millis(20));
    let gateway = TestGateway::new()
        .upstream(script)
        .keys((1..=10).map(|key| format!("AIza-key-{key}")))
        .start()
        .await;
    let ask = async |number: usize| {
        let text = format!("caller {number} speaks");
        let body = crate::support::prompt(&text);
        let answer = gateway.post(&Way::Sse.path(), body).await;
        (text, answer)
    };
    let answers: Vec<(String, Answer)> = futures_util::future::join_all((0..200).map(ask)).await;
    for (text, answer) in answers {
        assert_eq!(answer.said(), format!("You said: {text}"));
        assert!(answer.is_whole);
    }
    assert!((0..10).all(|place| gateway.key(place).cell.in_flight() == 0));
    let records = gateway.records(200).await;
    assert!(
        records
            .iter()
            .all(|record| record.error.is_none() && record.stream)
    );
}

#[tokio::test]
async fn a_key_is_busy_until_its_stream_is_over() {
    let gateway = TestGateway::new()
        .upstream(gemini().rule(Rule::new().stall_after_chunks(1)))
        .start()
        .await;
    let mut caller = Connection::open(gateway.address).await;
    let answer = caller.begin(Way::Sse.request()).await;
    assert_eq!(gateway.key(0).cell.in_flight(), 1);
    drop((answer, caller));
    eventually("the key is free", async || {
        (gateway.key(0).cell.in_flight() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn tokens_are_read_from_the_stream() {
    for way in Way::ALL {
        let gateway = TestGateway::new()
            .upstream(way.script().says("hello there"))
            .start()
            .await;
        let answer = gateway.send(way.request()).await;
        let last = answer.documents().pop().unwrap();
        let counted = |name: &str| last["usageMetadata"][name].as_u64().unwrap() as u32;
        let usage = Usage {
            prompt: counted("promptTokenCount"),
            output: counted("candidatesTokenCount"),
            total: counted("totalTokenCount"),
            ..Usage::default()
        };
        let record = gateway.only_record().await;
        assert_eq!(record.usage, Some(usage), "{way:?}");
        assert!(usage.output > 0 && record.first_byte_us.is_some());
    }
}

#[tokio::test]
async fn a_stream_that_ends_without_a_finish_reason_passes_as_it_is() {
    for way in Way::ALL {
        let script = way
            .script()
            .says("abcdef")
            .rule(Rule::new().end_after_chunks(2));
        let gateway = TestGateway::new().upstream(script).start().await;
        let answer = gateway.send(way.request()).await;
        assert_eq!((answer.status, answer.is_whole), (200, true), "{way:?}");
        assert_eq!(
            (answer.said(), answer.documents().len()),
            ("abcd".to_owned(), 2)
        );
        assert_eq!(gateway.only_record().await.error, Some(Class::Truncated));
    }
}

#[tokio::test]
async fn an_error_of_the_providers_in_mid_stream_passes_and_is_recorded() {
    for way in Way::ALL {
        let error = Rule::new().error_after_chunks(2, "gemini/errors/503_overloaded.json");
        let script = way.script().says("abcdef").rule(error);
        let gateway = TestGateway::new().upstream(script).start().await;
        let answer = gateway.send(way.request()).await;
        assert_eq!((answer.status, answer.is_whole), (200, true), "{way:?}");
        assert_eq!(
            (answer.said(), answer.documents().len()),
            ("abcd".to_owned(), 3)
        );
        assert_eq!(
            answer.error()["message"],
            "The model is overloaded. Please try again later."
        );
        assert_eq!(gateway.upstream.count(), 1);
        assert_eq!(gateway.only_record().await.error, Some(Class::Truncated));
    }
}
