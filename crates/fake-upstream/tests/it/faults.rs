//! Scripted faults, seen by a client; and the record of what was asked.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use fake_upstream::{EmptyKind, FakeUpstream, Rule, gemini};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, ask_model, eventually, generate, get, read, within};

const SSE: &str = "streamGenerateContent?alt=sse";

async fn streamed(rule: Rule) -> Answer {
    let upstream = gemini().says("Hello").rule(rule).start().await;
    ask_model(SSE, "x").send(&upstream).await
}

async fn unary(rule: Rule) -> Answer {
    let upstream = gemini().says("Hello").rule(rule).start().await;
    generate("x").send(&upstream).await
}

#[tokio::test]
async fn a_rule_applies_to_what_it_names_as_often_as_it_says() {
    let overloaded = || Rule::new().fixture("gemini/errors/503_overloaded.json");
    let rule = overloaded()
        .key("a")
        .model("gemini-3.8-flash")
        .method("generateContent")
        .times(2);
    let upstream = gemini().rule(rule).start().await;
    let status = async |ask: crate::support::Ask| ask.send(&upstream).await.status.as_u16();
    assert_eq!(status(generate("x").key("b")).await, 200);
    assert_eq!(status(ask_model("countTokens", "x").key("a")).await, 200);
    assert_eq!(status(generate("x").key("a")).await, 503);
    assert_eq!(status(generate("x").key("a")).await, 503);
    assert_eq!(status(generate("x").key("a")).await, 200);
    upstream.add_rule(overloaded().path_contains("countTokens"));
    assert_eq!(status(ask_model("countTokens", "x")).await, 503);
    upstream.remove_rules();
    assert_eq!(status(ask_model("countTokens", "x")).await, 200);
}

#[tokio::test]
async fn the_first_rule_with_uses_left_wins() {
    let respond = |status| Rule::new().respond(status, "{}");
    let upstream = gemini()
        .rule(respond(500).times(1))
        .rule(respond(504))
        .start()
        .await;
    assert_eq!(generate("x").send(&upstream).await.status, 500);
    assert_eq!(generate("x").send(&upstream).await.status, 504);
}

#[tokio::test]
async fn a_response_is_sent_byte_for_byte_with_its_headers() {
    let headers = [("retry-after", "3"), ("content-type", "text/plain")];
    let answer = unary(Rule::new().respond_with(429, &headers, "slow down")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (429, "slow down")
    );
    assert_eq!(
        (answer.header("retry-after"), answer.header("content-type")),
        ("3", "text/plain")
    );
}

#[tokio::test]
async fn an_html_fixture_keeps_its_content_type() {
    let answer = unary(Rule::new().fixture("gemini/errors/502_html.html")).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("content-type"), "text/html; charset=UTF-8");
}

#[tokio::test]
async fn the_head_is_delayed() {
    let delay = Duration::from_millis(40);
    let started = Instant::now();
    let answer = unary(Rule::new().delay_head(delay)).await;
    assert!(started.elapsed() >= delay);
    assert_eq!(answer.said(), "Hello");
}

/// What a raw connection reads after one request: bytes, and how it ended.
async fn raw(upstream: &FakeUpstream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(upstream.addr()).await.unwrap();
    let request = "GET /v1beta/models HTTP/1.1\r\nhost: x\r\nx-goog-api-key: k\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = within(stream.read_to_end(&mut bytes)).await;
    (bytes, end.err().map(|error| error.kind()))
}

#[tokio::test]
async fn a_reset_is_a_tcp_reset_and_a_close_is_an_end_of_file() {
    let upstream = gemini()
        .rule(Rule::new().reset().times(1))
        .rule(Rule::new().close())
        .start()
        .await;
    assert_eq!(
        raw(&upstream).await,
        (Vec::new(), Some(ErrorKind::ConnectionReset))
    );
    assert_eq!(raw(&upstream).await, (Vec::new(), None));
    assert!(
        upstream
            .seen()
            .iter()
            .all(|seen| seen.finished && !seen.disconnected)
    );
}

#[tokio::test]
async fn streams_break_after_the_chunks_they_may_send() {
    for rule in [
        Rule::new().cut_after_chunks(2),
        Rule::new().reset_after_chunks(2),
    ] {
        let answer = streamed(rule).await;
        assert!(answer.broken);
        assert_eq!(answer.events().len(), 2);
    }
}

#[tokio::test]
async fn a_stream_can_end_without_a_finish_reason() {
    let answer = streamed(Rule::new().end_after_chunks(5)).await;
    assert!(!answer.broken);
    assert_eq!(answer.events().len(), 5);
    assert!(!answer.text().contains("finishReason"));
}

#[tokio::test]
async fn an_error_event_comes_after_the_chunks() {
    let overloaded = "gemini/errors/503_overloaded.json";
    for good in [0, 2] {
        let answer = streamed(Rule::new().error_after_chunks(good, overloaded)).await;
        let events = answer.events();
        assert_eq!((answer.status.as_u16(), events.len()), (200, good + 1));
        assert_eq!(events[good]["error"]["status"], "UNAVAILABLE");
    }
    assert_eq!(
        unary(Rule::new().error_after_chunks(0, overloaded))
            .await
            .status,
        503
    );
}

#[tokio::test]
async fn a_unary_answer_is_cut_in_its_middle() {
    let answer = unary(Rule::new().cut_after_chunks(1)).await;
    assert!(answer.broken && !answer.body.is_empty());
    let declared: usize = answer.header("content-length").parse().unwrap();
    assert!(answer.body.len() < declared);
}

#[tokio::test]
async fn a_stall_before_the_head_lasts_until_the_client_leaves() {
    let upstream = gemini().rule(Rule::new().stall_before_head()).start().await;
    let ask = generate("x").key("k");
    let waiting = tokio::time::timeout(Duration::from_millis(50), ask.open(&upstream));
    assert!(waiting.await.is_err(), "nothing is answered");
    eventually(|| upstream.seen()[0].disconnected).await;
}

#[tokio::test]
async fn a_stall_after_chunks_sends_them_first() {
    let upstream = gemini()
        .rule(Rule::new().stall_after_chunks(1))
        .start()
        .await;
    let mut response = within(ask_model(SSE, "x").key("k").open(&upstream))
        .await
        .unwrap();
    let chunk = within(http_body_util::BodyExt::frame(&mut response)).await;
    assert!(
        chunk
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap()
            .starts_with(b"data: {")
    );
    assert!(!upstream.seen()[0].finished);
    let rest = tokio::time::timeout(Duration::from_millis(50), read(response));
    assert!(rest.await.is_err(), "nothing follows");
    eventually(|| upstream.seen()[0].disconnected).await;
}

#[tokio::test]
async fn a_stall_after_the_head_has_a_head() {
    let upstream = gemini().rule(Rule::new().stall_after_head()).start().await;
    for ask in [generate("x"), ask_model(SSE, "x")] {
        let response = within(ask.key("k").open(&upstream)).await.unwrap();
        assert_eq!(response.status(), 200);
        let rest = tokio::time::timeout(Duration::from_millis(50), read(response));
        assert!(rest.await.is_err(), "nothing follows");
    }
}

#[tokio::test]
async fn empty_answers_have_googles_three_forms() {
    let candidate = |answer: &Value| answer["candidates"][0].clone();
    let none = unary(Rule::new().empty(EmptyKind::NoCandidates))
        .await
        .json();
    assert!(none["candidates"].is_null() && none["promptFeedback"].is_null());
    let no_parts = candidate(
        &unary(Rule::new().empty(EmptyKind::StopNoParts))
            .await
            .json(),
    );
    assert!(no_parts["content"]["parts"].is_null() && no_parts["finishReason"] == "STOP");
    let empty = candidate(&unary(Rule::new().empty(EmptyKind::EmptyText)).await.json());
    assert_eq!(empty["content"]["parts"], serde_json::json!([{"text": ""}]));
    assert_eq!(
        streamed(Rule::new().empty(EmptyKind::EmptyText))
            .await
            .events()
            .len(),
        1
    );
}

#[tokio::test]
async fn blocks_and_garbage_are_two_hundreds() {
    let prompt = unary(Rule::new().blocked_prompt()).await.json();
    assert!(prompt["promptFeedback"]["blockReason"].is_string());
    let safety = unary(Rule::new().blocked_safety()).await.json();
    assert_eq!(safety["candidates"][0]["finishReason"], "SAFETY");
    let garbage = unary(Rule::new().garbage()).await;
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_slice::<Value>(&garbage.body).is_err());
}

#[tokio::test]
async fn requests_are_recorded_as_they_came() {
    let upstream = gemini().start().await;
    generate("hello")
        .key("a")
        .header("x-extra", "1")
        .send(&upstream)
        .await;
    get("/v1beta/models?pageSize=1&key=q").send(&upstream).await;
    let seen = upstream.seen();
    assert_eq!(
        (
            upstream.count(),
            upstream.count_for_key("a"),
            upstream.count_for_key("q")
        ),
        (2, 1, 1)
    );
    assert_eq!(seen[0].method, "POST");
    assert_eq!(seen[0].header("x-extra"), Some("1"));
    assert_eq!(seen[0].body_len, seen[0].body.len());
    assert!(seen[0].body.windows(5).any(|window| window == b"hello"));
    assert_eq!(seen[1].path_and_query, "/v1beta/models?pageSize=1&key=q");
    assert!(seen.iter().all(|seen| seen.finished && !seen.disconnected));
    upstream.clear_seen();
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn long_bodies_are_kept_to_their_first_mebibyte() {
    let upstream = gemini().start().await;
    let body = vec![b'x'; 1_500_000];
    crate::support::post("/v1beta/corpora", body)
        .send(&upstream)
        .await;
    let seen = &upstream.seen()[0];
    assert_eq!((seen.body.len(), seen.body_len), (1024 * 1024, 1_500_000));
}

#[tokio::test]
async fn an_unrecorded_stand_in_remembers_nothing() {
    let upstream = gemini().unrecorded().start().await;
    generate("x").send(&upstream).await;
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_stopped_stand_in_listens_no_more() {
    let upstream = gemini().start().await;
    let addr = upstream.addr();
    within(upstream.stop()).await;
    assert!(TcpStream::connect(addr).await.is_err());
}
