//! Answers that are none: no body, no JSON, half of it, streams that are empty or lack their end, what is compressed
//! unasked. Another key is tried, and in the end the caller reads an error, not silence. Below `/p/` what keymux does not
//! know passes.

use std::io::Write as _;

use fake_upstream::{Rule, Script, gemini, gigachat, openai, perplexity, xai};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{
    CHAT, HOUSE, ask, chat, data, error_line, events, message, post, refusal, said, streamed,
};
use crate::support::{TestGateway, generate};

const TWO: &str = "keys: [house-key-1, house-key-2]\nmodels_refresh: 0s";
const MODELS: [&str; 5] = [
    "google/gemini-3.8-flash",
    "xai/grok-4.6",
    "house/gpt-6-mini",
    "perplexity/sonar",
    "gigachat/GigaChat-2-Max",
];
const SSE: &str = "text/event-stream";
const ROLE: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";

fn answers(status: u16, kind: &str, body: &str) -> Rule {
    Rule::new().respond_with(status, &[("content-type", kind)], body.to_owned())
}

/// All providers, answering so whenever a model is asked.
async fn all(rule: &Rule, settings: &[(&str, &str)]) -> TestGateway {
    let with = |script: Script, path: &str| script.rule(rule.clone().path_contains(path));
    let field = |key: &str| format!("keys: [{key}]\nmodels_refresh: 0s");
    let mut gateway = TestGateway::new()
        .upstream(with(gemini(), "/"))
        .with_provider("xai", with(xai(), "/chat/"), &field("xai-key-0001"))
        .with_provider("house", with(openai(), "/v1/"), HOUSE)
        .with_provider(
            "perplexity",
            with(perplexity(), "/responses"),
            &field("pplx-key-1"),
        )
        .with_provider("gigachat", with(gigachat(), "/chat/"), &field("Z2c6MQ=="));
    for (name, value) in settings {
        gateway = gateway.setting(name, value);
    }
    gateway.start().await
}

/// A gateway in front of a server of OpenAI's kind with two keys.
async fn house(rule: Rule) -> TestGateway {
    let script = openai().says("abcdef").rule(rule);
    TestGateway::new()
        .with_provider("house", script, TWO)
        .start()
        .await
}

#[tokio::test]
async fn a_stream_without_an_end_is_an_error_and_not_silence() {
    for body in ["", ": nothing\n\n", ROLE] {
        let rule = answers(200, SSE, body);
        let gateway = all(&rule, &[]).await;
        for model in MODELS {
            let answer = gateway.send(ask(&streamed(model))).await;
            let line = refusal(&answer);
            assert!(line.starts_with("50"), "{model} {body:?}: {line}");
            assert!(line.contains(" server_error "), "{model}: {line}");
        }
        let gateway = all(&rule, &[("retry.heartbeat", "1s")]).await;
        for model in MODELS {
            let answer = gateway.send(ask(&streamed(model))).await;
            assert_eq!(answer.status, 200, "{model}");
            assert!(!data(&answer).contains(&"[DONE]".to_owned()));
            let last = events(&answer).pop().unwrap();
            error_line(&last["error"]);
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_no_document_is_asked_of_another_key() {
    let whole = json!({"choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "abcdef"}}]})
    .to_string();
    for (status, kind, body) in [
        (200, "application/json", String::new()),
        (204, "application/json", String::new()),
        (
            200,
            "text/html",
            "<html><title>Welcome</title></html>".to_owned(),
        ),
        (200, "text/plain", "hi there".to_owned()),
        (200, "application/json", whole[..whole.len() - 9].to_owned()),
        (200, "application/json", format!("{whole}}}garbage")),
    ] {
        let gateway = house(answers(status, kind, &body).times(1)).await;
        let answer = gateway.send(ask(&chat("house/gpt-6-mini"))).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        assert_eq!(said(&answer), "abcdef", "{body}");
        assert_eq!(gateway.provider("house").count(), 2, "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_document_is_an_error_at_last() {
    for (status, body) in [
        (200, ""),
        (204, ""),
        (200, "<html></html>"),
        (200, "{\"choices\": ["),
    ] {
        let gateway = all(&answers(status, "application/json", body), &[]).await;
        for model in MODELS {
            let answer = gateway.send(ask(&chat(model))).await;
            let line = refusal(&answer);
            assert!(line.starts_with("50"), "{model} {status} {body:?}: {line}");
            assert!(line.contains(" server_error "), "{model}: {line}");
        }
        let embeddings = json!({"model": "house/text-embedding-3-small", "input": "hi"});
        let answer = gateway
            .send(post("/v1/embeddings", embeddings.to_string()))
            .await;
        assert!(refusal(&answer).starts_with("50"), "{body:?}");
        let answer = gateway.send(generate()).await;
        assert_eq!(answer.status, 503, "{body:?}: {}", answer.text());
        assert_eq!(answer.error()["status"], "UNAVAILABLE");
    }
}

#[tokio::test]
async fn what_keymux_does_not_know_passes_below_p() {
    for body in [
        "data: hi there\n\n",
        "data: hi\n\ndata: 5\n\n",
        "data: {\"foo\":1}\n\n",
    ] {
        for path in ["/p/house/chat/completions", "/p/house/chats"] {
            let gateway = house(answers(200, SSE, body)).await;
            let sent = streamed("gpt-6-mini").to_string();
            let answer = gateway.send(post(path, sent)).await;
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (200, body),
                "{path}"
            );
            assert_eq!(gateway.provider("house").count(), 1, "{path}");
            assert_eq!(
                gateway.record_of(&answer).await.error,
                None,
                "{path} {body}"
            );
        }
    }
    for (kind, body) in [
        ("application/json", "{\"foo\": [1]}"),
        ("application/json", "[]"),
        ("application/json", "\"text\""),
    ] {
        let gateway = house(answers(200, kind, body)).await;
        let sent = chat("gpt-6-mini").to_string();
        let answer = gateway.send(post("/p/house/chat/completions", sent)).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
        assert_eq!(gateway.provider("house").count(), 1, "{body}");
    }
}

#[tokio::test]
async fn what_keymux_knows_below_p_is_still_tried_again() {
    for (kind, body) in [
        (SSE, ROLE),
        (SSE, ""),
        ("application/json", ""),
        ("text/html", "<html></html>"),
        ("application/json", "{\"choices\": []}"),
    ] {
        let gateway = house(answers(200, kind, body).times(1)).await;
        let is_stream = kind == SSE;
        let sent = if is_stream {
            streamed("gpt-6-mini")
        } else {
            chat("gpt-6-mini")
        };
        let answer = gateway
            .send(post("/p/house/chat/completions", sent.to_string()))
            .await;
        assert_eq!(said(&answer), "abcdef", "{body}: {}", answer.text());
        assert_eq!(gateway.provider("house").count(), 2, "{body}");
    }
}

fn delta(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

fn whole_stream(text: &str) -> String {
    let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    format!("{}{end}", delta(text))
}

#[tokio::test]
async fn a_stream_is_one_however_its_type_is_written_and_whatever_it_begins_with() {
    for kind in ["Text/Event-Stream; charset=utf-8", "TEXT/EVENT-STREAM", SSE] {
        for start in ["", "\u{feff}"] {
            let body = format!("{start}{}", whole_stream("hello"));
            let gateway = house(answers(200, kind, &body)).await;
            let answer = gateway.send(ask(&streamed("house/gpt-6-mini"))).await;
            let text = answer.text();
            assert_eq!(answer.status, 200, "{kind}: {text}");
            assert!(text.starts_with("data: {"), "{text}");
            assert!(
                text.contains("hello") && text.trim_end().ends_with("[DONE]"),
                "{text}"
            );
            assert_eq!(gateway.record_of(&answer).await.error, None, "{kind}");
        }
    }
}

#[tokio::test]
async fn nothing_comes_after_the_end_of_a_stream() {
    let late = "data: {\"error\":{\"message\":\"late\"}}\n\n: late\n\n";
    for body in [
        format!("{}{late}", whole_stream("hello")),
        format!("{}data: {{bad\n\n{}", delta("hello"), whole_stream("")),
    ] {
        let gateway = house(answers(200, SSE, &body)).await;
        let answer = gateway.send(ask(&streamed("house/gpt-6-mini"))).await;
        let text = answer.text();
        assert!(text.contains("hello") && !text.contains("late"), "{text}");
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    }
}

#[tokio::test]
async fn a_stream_that_only_says_that_it_is_over_is_an_error() {
    let gateway = house(answers(200, SSE, "data: [DONE]\n\n")).await;
    let answer = gateway.send(ask(&streamed("house/gpt-6-mini"))).await;
    assert!(refusal(&answer).starts_with("502 server_error"));
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn answers_are_asked_for_as_they_are() {
    let gateway = house(Rule::new()).await;
    for path in [CHAT, "/p/house/chat/completions"] {
        let model = if path == CHAT {
            "house/gpt-6-mini"
        } else {
            "gpt-6-mini"
        };
        let answer = gateway.send(post(path, chat(model).to_string())).await;
        assert_eq!(answer.status, 200);
        let seen = gateway.provider("house").seen().pop().unwrap();
        assert_eq!(seen.header("accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn an_error_that_comes_compressed_is_read_and_redacted() {
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let error =
        json!({"error": {"message": "no such thing: house-key-1, house-key-2", "type": "x"}});
    let rule = Rule::new().respond_with(400, &headers, gzip(&error.to_string()));
    let gateway = TestGateway::new()
        .with_provider("house", openai().rule(rule), HOUSE)
        .start()
        .await;
    let answer = gateway.send(ask(&chat("house/gpt-6-mini"))).await;
    assert!(message(&answer).starts_with("no such thing: [redacted]"));
    let sent = chat("gpt-6-mini").to_string();
    let raw = gateway.send(post("/p/house/chat/completions", sent)).await;
    assert_eq!((raw.status, raw.header("content-encoding")), (400, ""));
    assert!(
        raw.text().contains("no such thing: [redacted]"),
        "{}",
        raw.text()
    );
}

#[tokio::test]
async fn an_answer_that_comes_compressed_passes_unless_it_has_to_be_read() {
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let body = gzip("{\"choices\": []}");
    let rule = Rule::new().respond_with(200, &headers, body.clone());
    let gateway = TestGateway::new()
        .with_provider("house", openai().rule(rule.clone()), HOUSE)
        .with_provider(
            "perplexity",
            perplexity().rule(rule),
            "keys: [pplx-key-1]\nmodels_refresh: 0s",
        )
        .start()
        .await;
    for (path, model) in [
        (CHAT, "house/gpt-6-mini"),
        ("/p/house/chat/completions", "gpt-6-mini"),
    ] {
        let answer = gateway.send(post(path, chat(model).to_string())).await;
        assert_eq!(
            (answer.status, answer.header("content-encoding")),
            (200, "gzip")
        );
        assert_eq!(answer.body, body, "{path}");
    }
    let answer = gateway.send(ask(&chat("perplexity/sonar"))).await;
    assert!(refusal(&answer).starts_with("503 server_error"));
}
