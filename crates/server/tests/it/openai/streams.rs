//! Streams: usage that only those see who asked for it, ends that are told, errors in OpenAI's shape, comments while a
//! caller waits, and bytes that come cut anywhere.

use domain::Class;
use fake_upstream::{FakeKey, KeyFault, Rule, gemini, openai, xai};
use serde_json::{Value, json};

use super::{
    GROK, ask, both, chat, data, error_line, events, refusal, said, streamed, streamed_with_usage,
};
use crate::support::{Answer, Connection, MODEL, RawUpstream, TestGateway, eventually};

/// A whole stream: it says this, ends once, and says that it is over.
fn check_whole(answer: &Answer, text: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(said(answer), text, "{}", answer.text());
    assert!(answer.is_whole);
    let data = data(answer);
    assert_eq!(data.last().unwrap(), "[DONE]", "{data:?}");
    assert_eq!(data.iter().filter(|data| *data == "[DONE]").count(), 1);
    let events = events(answer);
    assert!(events.iter().all(|event| event["error"].is_null()));
    let reasons = events
        .iter()
        .filter_map(|event| event["choices"][0]["finish_reason"].as_str());
    assert_eq!(reasons.collect::<Vec<_>>(), ["stop"]);
}

/// A stream that began and ended badly: an error of OpenAI's shape is its last event, and nothing says that it is over.
fn check_broken(answer: &Answer, text: &str) -> Value {
    assert_eq!((answer.status, answer.is_whole), (200, true));
    assert_eq!(said(answer), text, "{}", answer.text());
    let data = data(answer);
    assert!(!data.contains(&"[DONE]".to_owned()), "{data:?}");
    let last = events(answer).pop().unwrap();
    assert_eq!(last.as_object().unwrap().len(), 1, "{last}");
    error_line(&last["error"]);
    last["error"].clone()
}

const MODELS: [&str; 3] = [MODEL, GROK, "house/gpt-6-mini"];

/// Google, xAI and a server of OpenAI's kind, all saying `abcdef` in three pieces.
async fn three(rule: Rule) -> TestGateway {
    let says = |script: fake_upstream::Script| script.says("abcdef").rule(rule.clone());
    both(says(gemini()), says(xai()))
        .with_provider(
            "house",
            says(openai()),
            "keys: [house-key-1]\nmodels_refresh: 0s",
        )
        .setting("pool.stream_idle_timeout", "1s")
        .start()
        .await
}

#[tokio::test]
async fn usage_is_counted_and_shown_only_to_those_who_ask() {
    let gateway = three(Rule::new()).await;
    for model in MODELS {
        let answer = gateway.send(ask(&streamed(model))).await;
        check_whole(&answer, "abcdef");
        assert!(!answer.text().contains("usage"), "{}", answer.text());
        let hidden = gateway.record_of(&answer).await.usage.unwrap();
        let answer = gateway.send(ask(&streamed_with_usage(model))).await;
        check_whole(&answer, "abcdef");
        let shown = events(&answer)
            .into_iter()
            .find(|event| event["usage"].is_object())
            .unwrap();
        assert_eq!(shown["usage"]["prompt_tokens"], hidden.prompt, "{model}");
        assert_eq!(shown["usage"]["total_tokens"], hidden.total, "{model}");
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.usage, Some(hidden), "{model}");
        assert!(hidden.output > 0 && record.stream, "{model}");
    }
}

#[tokio::test]
async fn the_callers_other_stream_options_are_kept() {
    let gateway = three(Rule::new()).await;
    let mut body = streamed("house/gpt-6-mini");
    body["stream_options"] = json!({"include_obfuscation": false, "include_usage": false});
    let answer = gateway.send(ask(&body)).await;
    check_whole(&answer, "abcdef");
    assert!(!answer.text().contains("usage"));
    let sent: Value = serde_json::from_slice(&gateway.provider("house").seen()[0].body).unwrap();
    assert_eq!(
        sent["stream_options"],
        json!({"include_obfuscation": false, "include_usage": true})
    );
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error() {
    for (rule, class) in [
        (Rule::new().cut_after_chunks(3), Class::Truncated),
        (Rule::new().reset_after_chunks(3), Class::Truncated),
        (Rule::new().stall_after_chunks(3), Class::Timeout),
    ] {
        let gateway = three(rule.clone()).await;
        for model in MODELS {
            let answer = gateway.send(ask(&streamed(model))).await;
            let text = said(&answer);
            assert!("abcdef".starts_with(&text) && !text.is_empty(), "{text}");
            check_broken(&answer, &text);
            let record = gateway.record_of(&answer).await;
            assert_eq!(record.error, Some(class), "{rule:?} {model}");
            assert_eq!(record.attempts.len(), 1);
        }
    }
}

#[tokio::test]
async fn an_error_inside_a_stream_comes_in_openais_shape() {
    for (model, name) in [
        (MODEL, "gemini/errors/503_overloaded.json"),
        (GROK, "xai/errors/429_rpm.json"),
        ("house/gpt-6-mini", "openai/errors/500.json"),
    ] {
        let gateway = three(Rule::new().error_after_chunks(3, name)).await;
        let answer = gateway.send(ask(&streamed(model))).await;
        let text = said(&answer);
        check_broken(&answer, &text);
        assert_ne!(text, "");
    }
}

#[tokio::test]
async fn an_error_about_keys_inside_a_stream_stays_with_keymux() {
    for (model, name, secret) in [
        (
            MODEL,
            "gemini/errors/403_consumer_suspended.json",
            "suspended",
        ),
        (GROK, "xai/errors/403_credits.json", "credits"),
        (GROK, "xai/errors/400_bad_key.json", "xa***jU"),
    ] {
        let gateway = three(Rule::new().error_after_chunks(3, name)).await;
        let answer = gateway.send(ask(&streamed(model))).await;
        let text = said(&answer);
        check_broken(&answer, &text);
        let shown = answer.text();
        assert!(!shown.contains(secret), "{shown}");
        assert!(!shown.contains("00000000-0000-4000"), "{shown}");
    }
}

#[tokio::test]
async fn an_error_before_the_first_word_is_tried_with_another_key() {
    let rule = || {
        Rule::new()
            .times(1)
            .error_after_chunks(0, "gemini/errors/503_overloaded.json")
    };
    let gateway = TestGateway::new()
        .upstream(gemini().says("abcdef").rule(rule()))
        .keys(["AIza-key-1", "AIza-key-2"])
        .start()
        .await;
    let answer = gateway.send(ask(&streamed(MODEL))).await;
    check_whole(&answer, "abcdef");
    assert_eq!(gateway.upstream.count(), 2);
}

#[tokio::test]
async fn a_stream_that_says_nothing_is_tried_again() {
    for rule in [
        Rule::new().end_after_chunks(0),
        Rule::new().cut_after_chunks(0),
        Rule::new().end_after_chunks(1),
        Rule::new().cut_after_chunks(1),
    ] {
        // The first chunk has the role alone.
        let script = openai().says("abcdef").rule(rule.clone().times(1));
        let gateway = TestGateway::new()
            .with_provider(
                "house",
                script,
                "keys: [house-key-1, house-key-2]\nmodels_refresh: 0s",
            )
            .start()
            .await;
        let answer = gateway.send(ask(&streamed("house/gpt-6-mini"))).await;
        check_whole(&answer, "abcdef");
        assert_eq!(gateway.provider("house").count(), 2, "{rule:?}");
    }
}

/// A gateway whose Google the test plays itself.
async fn played() -> (TestGateway, RawUpstream) {
    let upstream = RawUpstream::start().await;
    let gateway = TestGateway::new()
        .base_url(format!("http://{}", upstream.address))
        .keys(["AIza-key-1", "AIza-key-2"])
        .start()
        .await;
    (gateway, upstream)
}

/// What the caller gets of these bytes in these pieces.
async fn relayed(body: &Value, bytes: &[u8], size: usize) -> Answer {
    let (gateway, upstream) = played().await;
    let (answer, ()) = tokio::join!(gateway.send(ask(body)), async {
        let mut provider = upstream.next().await;
        provider.begin("text/event-stream").await;
        for piece in bytes.chunks(size) {
            provider.chunk(piece).await;
        }
        provider.end().await;
    });
    answer
}

fn says(text: &str, reason: &str) -> String {
    format!(
        r#"{{"id":"1","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{reason}}}]}}"#
    )
}

const USAGE: &str =
    r#"{"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;

#[tokio::test]
async fn chunks_may_be_cut_anywhere() {
    let (first, last) = (says("héllo", "null"), says("!", "\"stop\""));
    for (end, stream) in [("\n\n", "LF"), ("\r\n\r\n", "CRLF")] {
        let kept = format!(": hi{end}data: {first}{end}data: {last}{end}");
        let all = format!("{kept}data: {USAGE}{end}data: [DONE]{end}");
        for size in [1, 2, 3, 7, 64, 1000] {
            let shown = relayed(&streamed_with_usage(MODEL), all.as_bytes(), size).await;
            assert_eq!(shown.text(), all, "{stream} in pieces of {size}");
            let hidden = relayed(&streamed(MODEL), all.as_bytes(), size).await;
            let expected = format!("{kept}data: [DONE]{end}");
            assert_eq!(hidden.text(), expected, "{stream} in pieces of {size}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_without_a_reason_ends_with_an_error() {
    let bytes = format!("data: {}\n\n", says("hello", "null"));
    for size in [5, 1000] {
        let answer = relayed(&streamed(MODEL), bytes.as_bytes(), size).await;
        let error = check_broken(&answer, "hello");
        assert_eq!(error["type"], "server_error");
    }
}

#[tokio::test]
async fn a_stream_that_ends_with_a_reason_needs_no_done() {
    let bytes = format!("data: {}\n\n", says("hello", "\"stop\""));
    let answer = relayed(&streamed(MODEL), bytes.as_bytes(), 1000).await;
    assert_eq!(answer.text(), bytes);
}

#[tokio::test]
async fn a_torn_event_is_left_out() {
    for rest in [
        "da",
        "data: ",
        "data: {\"choices\":[{\"delta\"",
        "event: x\n",
    ] {
        let (gateway, upstream) = played().await;
        let body = streamed(MODEL);
        let (answer, ()) = tokio::join!(gateway.send(ask(&body)), async {
            let mut provider = upstream.next().await;
            provider.begin("text/event-stream").await;
            provider
                .chunk(format!("data: {}\n\n", says("hello", "null")))
                .await;
            provider.chunk(rest).await;
        });
        check_broken(&answer, "hello");
        assert_eq!(events(&answer).len(), 2, "{rest}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_long_event_passes() {
    let text = "x".repeat(300_000);
    let bytes = format!(
        "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        says(&text, "null"),
        says("", "\"stop\"")
    );
    let answer = relayed(&streamed(MODEL), bytes.as_bytes(), 10_000).await;
    assert_eq!(answer.text(), bytes);
}

#[tokio::test]
async fn a_caller_that_waits_gets_comments_and_then_the_answer() {
    let rule = Rule::new().delay_head(std::time::Duration::from_millis(300));
    let gateway = TestGateway::new()
        .upstream(gemini().says("abcdef").rule(rule))
        .setting("retry.heartbeat", "20ms")
        .start()
        .await;
    let answer = gateway.send(ask(&streamed(MODEL))).await;
    assert!(answer.text().starts_with(": "), "{}", answer.text());
    check_whole(&answer, "abcdef");
}

#[tokio::test]
async fn errors_that_come_after_comments_are_events_of_openais_shape() {
    for (model, rule, expected) in [
        (
            MODEL,
            Rule::new().fixture("gemini/errors/openai_compat_400.json"),
            "invalid_request_error - -",
        ),
        (
            GROK,
            Rule::new().fixture("xai/errors/400_argument.json"),
            "invalid_request_error invalid-argument -",
        ),
        (
            GROK,
            Rule::new().fixture("xai/errors/403_credits.json"),
            "server_error - -",
        ),
    ] {
        let gateway = both(gemini().rule(rule.clone()), xai().rule(rule))
            .setting("retry.heartbeat", "1s")
            .start()
            .await;
        let answer = gateway.send(ask(&streamed(model))).await;
        let error = check_broken(&answer, "");
        assert_eq!(error_line(&error), expected);
        let unary = gateway.send(ask(&chat(model))).await;
        assert!(refusal(&unary).ends_with(expected), "{}", unary.text());
    }
}

#[tokio::test]
async fn a_chain_goes_on_behind_the_comments() {
    let dead = FakeKey::new("AIza-key-1").fault(KeyFault::Leaked);
    let gateway = both(gemini().key(dead), xai().says("abcdef"))
        .setting("retry.heartbeat", "20ms")
        .start()
        .await;
    let answer = gateway.send(ask(&streamed("smart"))).await;
    check_whole(&answer, "abcdef");
}

#[tokio::test]
async fn a_caller_that_leaves_lets_go_of_the_provider() {
    for model in MODELS {
        let gateway = three(Rule::new().stall_after_chunks(3)).await;
        let mut caller = Connection::open(gateway.address).await;
        let answer = caller.begin(ask(&streamed(model))).await;
        drop((answer, caller));
        let upstream = match model {
            MODEL => &gateway.upstream,
            GROK => gateway.provider("xai"),
            _ => gateway.provider("house"),
        };
        eventually("the provider is let go", async || {
            upstream.seen()[0].disconnected.then_some(())
        })
        .await;
        let record = gateway.only_record().await;
        assert_eq!(record.error, Some(Class::ClientGone), "{model}");
    }
}

#[tokio::test]
async fn tool_calls_pass_as_they_come() {
    let bytes = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/providers/openai/chat_stream_fragmented_args.sse"
    ));
    let answer = relayed(&streamed_with_usage(MODEL), bytes, 11).await;
    assert_eq!(answer.text(), String::from_utf8_lossy(bytes));
}
