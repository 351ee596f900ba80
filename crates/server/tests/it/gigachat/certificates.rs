//! GigaChat's certificates come from an authority that nobody else knows: it is trusted for GigaChat and for nobody
//! besides, and no other is trusted in its place but the public ones.

use fake_upstream::{FakeUpstream, gigachat};
use serde_json::{Value, json};

use super::MODEL;
use crate::support::talk::{chat_body, refused};
use crate::support::{Answer, Connection, Machine, Program, generate_as, request, word_after};

/// A gateway whose providers are all at `upstream`; GigaChat alone is told of the authority in `pem`.
async fn start(upstream: &FakeUpstream, pem: &str) -> (Machine, Program) {
    let at = upstream.base_url();
    let machine = Machine::new().file("ca.pem", pem);
    let file = machine.path("ca.pem").display().to_string();
    let plain = |name: &str, kind: &str, path: &str| {
        format!(
            "  {name}: {{ kind: {kind}, base_url: \"{at}{path}\", keys: [secret-{name}], models_refresh: 0s }}\n"
        )
    };
    let yaml = format!(
        "server: {{ listen: 127.0.0.1:0 }}\nproviders:\n{}{}{}{}  gigachat:\n    kind: gigachat\n    \
         base_url: {at}/api/v1\n    token_url: {at}/api/v2/oauth\n    ca_file: {file}\n    keys: [Z2c6MQ==]\n    \
         models_refresh: 0s\n",
        plain("google", "gemini", ""),
        plain("xai", "openai", "/v1"),
        plain("openai", "openai", "/v1"),
        plain("perplexity", "perplexity", ""),
    );
    let machine = machine.file("keymux.yaml", &yaml);
    let program = machine.serve().await;
    (machine, program)
}

async fn ask(program: &Program, model: &str) -> Answer {
    let client = word_after(&program.summary, "client key ");
    let bearer = format!("Bearer {client}");
    let headers = [("authorization", bearer.as_str())];
    let body: Value = chat_body(model, "Привет", json!({}));
    let request = request("POST", "/v1/chat/completions", &headers, body.to_string());
    Connection::open(program.address).await.send(request).await
}

#[tokio::test]
async fn gigachats_authority_is_trusted_for_gigachat_alone() {
    let upstream = gigachat().tls().start().await;
    let (_machine, program) = start(&upstream, &upstream.ca_pem().unwrap()).await;
    for model in ["xai/grok-4.7", "openai/gpt-6", "perplexity/sonar"] {
        refused(&ask(&program, model).await, 503);
    }
    let client = word_after(&program.summary, "client key ");
    let google = Connection::open(program.address)
        .await
        .send(generate_as(client))
        .await;
    assert_eq!(google.status, 503, "{}", google.text());
    assert_eq!(upstream.count(), 0, "a key left for an untrusted host");
    let answer = ask(&program, MODEL).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(upstream.count(), 2);
    assert_eq!(ask(&program, "xai/grok-4.7").await.status, 503);
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn another_authority_is_not_trusted_and_the_log_says_what_to_do() {
    let (upstream, other) = (
        gigachat().tls().start().await,
        gigachat().tls().start().await,
    );
    let (_machine, program) = start(&upstream, &other.ca_pem().unwrap()).await;
    let message = refused(&ask(&program, MODEL).await, 503);
    assert!(!message.contains("certificate"), "{message}");
    assert_eq!(
        upstream.count(),
        0,
        "an authorization key left for an untrusted host"
    );
    let log = program.stderr();
    assert!(log.contains("ca_file"), "{log}");
}
