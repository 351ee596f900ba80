//! Perplexity through the whole gateway: chats become responses of its Agent API, with sources and prices kept.

use fake_upstream::{FakeUpstream, Script, Seen};
use serde_json::{Value, json};

use crate::support::talk::chat;
use crate::support::{Answer, TestGateway};

mod chats;
mod errors;
mod raw;

const KEY: &str = "pplx-key-1";
const OTHER: &str = "pplx-key-2";
const ONE: &str = "keys: [pplx-key-1]";
const TWO: &str = "keys: [pplx-key-1, pplx-key-2]";
const MODEL: &str = "perplexity/sonar";

/// A gateway with Perplexity behind it, whose keys are used in their order.
async fn start(script: Script, fields: &str) -> TestGateway {
    // What is asked in the background would be counted.
    let fields = format!("models_refresh: 0s\n{fields}");
    let gateway = TestGateway::new().with_provider("perplexity", script, &fields);
    gateway.setting("pool.strategy", "fill_first").start().await
}

fn upstream(gateway: &TestGateway) -> &FakeUpstream {
    gateway.provider("perplexity")
}

async fn ask(gateway: &TestGateway) -> Answer {
    gateway
        .talk(chat(MODEL, "Tell me of Oslo", json!({})))
        .await
}

async fn stream(gateway: &TestGateway) -> Answer {
    let request = chat(MODEL, "Tell me of Oslo", json!({"stream": true}));
    gateway.talk(request).await
}

fn last_seen(gateway: &TestGateway) -> Seen {
    upstream(gateway).seen().pop().unwrap()
}

/// The body of the newest request.
fn last_asked(gateway: &TestGateway) -> Value {
    serde_json::from_slice(&last_seen(gateway).body).unwrap()
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

/// Whether every key is in use, by their places.
fn all_active(gateway: &TestGateway) -> bool {
    let keys = gateway.running.keys("perplexity");
    keys.iter()
        .all(|key| key.state.health == domain::KeyHealth::Active)
}
