//! Requests that leave through outbound proxies: which way they take, what passes there, what becomes of ways that fail.
//! One file for each of these.

use std::net::{IpAddr, Ipv4Addr};

use domain::RequestRecord;
use fake_upstream::{FakeProxy, ProxyKind, ProxyScript, gemini};
use serde_json::{Value, json};

use crate::support::{Answer, Builder, Operator, TestGateway};

mod asking;
mod blamed;
mod checks;
mod cut;
mod failing;
mod lists;
mod own;
mod passing;
mod secrets;
mod settings;
mod sources;
mod sticking;
mod suspects;
mod tokens;
mod uploads;

const USER: &str = "proxy user@home";
const PASSWORD: &str = "pass:word/with %?#";

/// The address that a stand-in sees of the proxy with that number.
fn exit(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 9, number)
}

/// A proxy that anybody may use, and that is told from others by its exit.
fn proxy(kind: ProxyKind, number: u8) -> ProxyScript {
    ProxyScript::of(kind).exit(exit(number))
}

fn http(number: u8) -> FakeProxy {
    proxy(ProxyKind::Http, number).start()
}

/// Requests leave through these and by no other way, to a provider that is reached by https.
fn behind(proxies: &[&FakeProxy]) -> Builder {
    leaving_by(&urls(proxies), "false")
}

/// Requests leave through these, and directly where that is the fallback. The keys take turns.
fn leaving_by(proxies: &Value, fallback: &str) -> Builder {
    let keys = (1..=KEYS).map(|key| format!("AIza-key-{key}"));
    TestGateway::new()
        .upstream(gemini().tls())
        .keys(keys)
        .setting("pool.strategy", "round_robin")
        .setting("egress.proxies", &proxies.to_string())
        .setting("egress.fallback_to_direct", fallback)
}

/// Enough for each of a few proxies to be the first of some.
const KEYS: usize = 32;

/// The proxies as a setting.
fn list(proxies: &[&FakeProxy]) -> String {
    urls(proxies).to_string()
}

fn urls(proxies: &[&FakeProxy]) -> Value {
    proxies.iter().map(|proxy| json!(proxy.url())).collect()
}

/// The name of a proxy in records.
fn name(proxy: &FakeProxy) -> String {
    proxy.bare_url()
}

/// Requests that the provider has seen come out of that proxy.
fn came_through(gateway: &TestGateway, number: u8) -> usize {
    gateway.upstream.count_from(IpAddr::V4(exit(number)))
}

/// Requests that came directly.
fn came_directly(gateway: &TestGateway) -> usize {
    let direct = IpAddr::V4(Ipv4Addr::LOCALHOST);
    gateway.upstream.count_from(direct)
}

/// Asks once with each key, one after the other.
async fn ask_with_every_key(gateway: &TestGateway) -> Vec<Answer> {
    let mut answers = Vec::new();
    for _ in 0..KEYS {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answers.push(answer);
    }
    answers
}

/// The ways and the reasons of a record's attempts.
fn attempts(record: &RequestRecord) -> Vec<(String, String)> {
    let attempts = record.attempts.iter();
    attempts
        .map(|attempt| {
            (
                attempt.egress.to_string(),
                attempt.outcome.reason.to_string(),
            )
        })
        .collect()
}

/// How a way stands in the admin API: its status and the reason.
async fn standing(gateway: &TestGateway, name: &str) -> String {
    let admin = Operator::admin(gateway).await;
    standing_for(&admin, name).await
}

async fn standing_for(admin: &Operator, name: &str) -> String {
    let all = admin.read("/api/egress_proxies").await;
    let mut all = all["items"].as_array().unwrap().iter();
    let found = all.find(|way| way["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no way {name}"));
    let status = found["status"].as_str().unwrap();
    match found["reason"].as_str() {
        Some(reason) => format!("{status}: {reason}"),
        None => status.to_owned(),
    }
}

/// Every key is as if nothing had happened.
fn no_key_is_hurt(gateway: &TestGateway) {
    for place in 0..KEYS {
        assert_eq!(gateway.health(place), "active", "key {place}");
        assert_eq!(gateway.pair_cooling(place), 0, "key {place}");
    }
}
