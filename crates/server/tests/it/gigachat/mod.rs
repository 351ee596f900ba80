//! GigaChat through the whole gateway: keys that are exchanged for tokens, an authority of its own, one stream at a time,
//! another dialect than the caller's, files that are uploaded first. One file for each of these.

use domain::KeyHealth;
use fake_upstream::{FakeUpstream, Script, Seen};
use serde_json::{Value, json};

use crate::support::talk::chat;
use crate::support::{Answer, TestGateway};

mod certificates;
mod chats;
mod errors;
mod images;
mod queues;
mod raw;
mod secrets;
mod tokens;

/// Authorization keys as GigaChat's cabinet shows them.
const KEY: &str = "Z2c6MQ==";
const OTHER: &str = "Z2c6Mg==";
const ONE: &str = "keys: [Z2c6MQ==]";
const TWO: &str = "keys: [Z2c6MQ==, Z2c6Mg==]";
const COMPANY: &str = "keys: [Z2c6MQ==]\nscope: GIGACHAT_API_B2B";
const MODEL: &str = "gigachat/GigaChat-2-Max";

/// A gateway with GigaChat behind it.
async fn start(script: Script, fields: &str) -> TestGateway {
    start_with(script, fields, &[]).await
}

/// The same with settings; keys are used in their order.
async fn start_with(script: Script, fields: &str, settings: &[(&str, &str)]) -> TestGateway {
    // What is asked in the background would be counted.
    let fields = format!("models_refresh: 0s\n{fields}");
    let mut gateway = TestGateway::new().with_provider("gigachat", script, &fields);
    if !settings.iter().any(|(name, _)| *name == "pool.strategy") {
        gateway = gateway.setting("pool.strategy", "fill_first");
    }
    for (name, value) in settings {
        gateway = gateway.setting(name, value);
    }
    gateway.start().await
}

fn upstream(gateway: &TestGateway) -> &FakeUpstream {
    gateway.provider("gigachat")
}

/// Asks the model for a document.
async fn ask(gateway: &TestGateway) -> Answer {
    gateway.talk(chat(MODEL, "Привет", json!({}))).await
}

/// Asks the model for a stream.
async fn stream(gateway: &TestGateway) -> Answer {
    let request = chat(MODEL, "Привет", json!({"stream": true}));
    gateway.talk(request).await
}

/// What GigaChat was asked at a path that ends so.
fn asked_at(gateway: &TestGateway, end: &str) -> Vec<Seen> {
    let seen = upstream(gateway).seen().into_iter();
    seen.filter(|seen| seen.path_and_query.ends_with(end))
        .collect()
}

/// The body of the newest chat that GigaChat was asked.
fn last_chat(gateway: &TestGateway) -> Value {
    let seen = asked_at(gateway, "/chat/completions").pop().unwrap();
    serde_json::from_slice(&seen.body).unwrap()
}

/// A key's health, by its place in the configuration.
fn health(gateway: &TestGateway, place: usize) -> String {
    let mut keys = gateway.running.keys("gigachat");
    keys.sort_by_key(|status| status.id);
    match keys.swap_remove(place).state.health {
        KeyHealth::Active => "active".to_owned(),
        KeyHealth::Cooling(_) => "cooling".to_owned(),
        KeyHealth::Retired { reason, .. } => format!("retired {reason:?}"),
    }
}

/// How each attempt for an answer ended, in one line.
async fn attempts(gateway: &TestGateway, answer: &Answer) -> String {
    let record = gateway.record_of(answer).await;
    let names = record
        .attempts
        .iter()
        .map(|attempt| attempt.outcome.class.name());
    names.collect::<Vec<_>>().join(" ")
}
