//! Neither authorization keys nor tokens are in any output, whatever GigaChat puts into its answers.

use std::path::Path;

use fake_upstream::{FakeUpstream, Rule, gigachat};
use serde_json::{Value, json};

use super::{KEY, MODEL};
use crate::support::talk::chat_body;
use crate::support::{Answer, Connection, Machine, Program, request, word_after};

async fn start(upstream: &FakeUpstream) -> (Machine, Program) {
    let at = upstream.base_url();
    let yaml = format!(
        "server: {{ listen: 127.0.0.1:0, metrics_token: metrics-token }}\nlogs: {{ level: debug, format: json }}\n\
         retry: {{ max_attempts: 1 }}\nproviders:\n  gigachat:\n    kind: gigachat\n    base_url: {at}/api/v1\n    \
         token_url: {at}/api/v2/oauth\n    keys: [{KEY}]\n    models_refresh: 0s\n"
    );
    let machine = Machine::new().file("keymux.yaml", &yaml);
    let program = machine.serve().await;
    (machine, program)
}

async fn call(program: &Program, path: &str, members: Value) -> Answer {
    let bearer = format!("Bearer {}", word_after(&program.summary, "client key "));
    let headers = [("authorization", bearer.as_str())];
    let method = if members.is_null() { "GET" } else { "POST" };
    let body = match members {
        Value::Null => String::new(),
        members => chat_body(MODEL, "Привет", members).to_string(),
    };
    let request = request(method, path, &headers, body);
    Connection::open(program.address).await.send(request).await
}

/// What GigaChat may say that holds `secrets`.
fn echoes(secrets: &str) -> Vec<Rule> {
    let api = || Rule::new().path_contains("/api/v1/");
    let said = |status: u16| {
        let body = json!({"status": status, "message": format!("you sent {secrets}")});
        api().respond(status, body.to_string())
    };
    let html = [("content-type", "text/html"), ("x-debug", secrets)];
    vec![
        said(400),
        said(403),
        said(404),
        said(422),
        said(500),
        api().respond_with(502, &html, format!("<html><title>{secrets}</title></html>")),
        api().respond_with(400, &[("x-debug", secrets)], secrets.to_owned()),
        Rule::new()
            .path_contains("oauth")
            .respond(400, format!("{{\"code\":7,\"message\":\"{secrets}\"}}")),
    ]
}

/// A stream that breaks off with words that hold `secrets`.
fn echoing_stream(secrets: &str) -> Rule {
    let events = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\",\"role\":\"assistant\"}},\"index\":0}}]}}\n\n\
         data: {{\"status\":500,\"message\":\"{secrets}\"}}\n\n"
    );
    let headers = [("content-type", "text/event-stream"), ("x-debug", secrets)];
    let chats = Rule::new().path_contains("/chat/");
    chats.respond_with(200, &headers, events)
}

/// Everything in a folder but the master key, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| !path.ends_with("master.key"));
    entries
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect()
}

/// The tokens that GigaChat was shown.
fn tokens(upstream: &FakeUpstream) -> Vec<String> {
    let bearer = |seen: &fake_upstream::Seen| {
        let token = seen.header("authorization")?.strip_prefix("Bearer ")?;
        Some(token.to_owned())
    };
    upstream.seen().iter().filter_map(bearer).collect()
}

#[tokio::test]
async fn keys_and_tokens_are_in_no_answer_log_metric_or_file() {
    let upstream = gigachat().start().await;
    let (machine, mut program) = start(&upstream).await;
    assert_eq!(
        call(&program, "/v1/chat/completions", json!({}))
            .await
            .status,
        200
    );
    let token = tokens(&upstream).pop().unwrap();
    let mut answers = Vec::new();
    let secrets = format!("{token} or {KEY}");
    upstream.add_rule(echoing_stream(&secrets));
    let streamed = call(&program, "/v1/chat/completions", json!({"stream": true}));
    answers.push(streamed.await);
    assert_eq!(answers[0].status, 200);
    upstream.remove_rules();
    for rule in echoes(&secrets) {
        upstream.add_rule(rule);
        for (path, members) in [
            ("/v1/chat/completions", json!({})),
            ("/v1/chat/completions", json!({"stream": true})),
            (
                "/p/gigachat/chat/completions",
                json!({"model": "GigaChat-2-Max"}),
            ),
            ("/p/gigachat/models", json!(null)),
        ] {
            answers.push(call(&program, path, members).await);
        }
        upstream.remove_rules();
    }
    let metrics = request(
        "GET",
        "/metrics",
        &[("authorization", "Bearer metrics-token")],
        "",
    );
    answers.push(Connection::open(program.address).await.send(metrics).await);
    assert!(program.stop().await.success());

    let mut places = files(&machine.path("data"));
    let log = program.stderr();
    assert!(log.contains("[redacted]"), "nothing was quoted: {log}");
    places.push(("the log".to_owned(), log.into_bytes()));
    places.push(("standard output".to_owned(), program.stdout().into_bytes()));
    for (number, answer) in answers.iter().enumerate() {
        places.push((format!("answer {number}"), answer.body.to_vec()));
        places.push((
            format!("head {number}"),
            format!("{:?}", answer.headers).into_bytes(),
        ));
    }
    for secret in tokens(&upstream).iter().map(String::as_str).chain([KEY]) {
        for (name, bytes) in &places {
            let mut windows = bytes.windows(secret.len());
            assert!(
                !windows.any(|window| window == secret.as_bytes()),
                "{secret} is in {name}"
            );
        }
    }
}
