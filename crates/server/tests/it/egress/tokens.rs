//! Tokens that keys are exchanged for, and files that accounts are given, leave by the key's egress too.

use std::net::IpAddr;

use fake_upstream::{ProxyFault, ProxyKind, gigachat};
use serde_json::{Value, json};

use super::{attempts, exit, http, list, name, proxy};
use crate::support::TestGateway;
use crate::support::talk::{chat, refused};

const KEY: &str = "Z2c6MQ==";
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn with_picture() -> Value {
    json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "Что это?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]}]})
}

async fn start(proxies: &str, fallback: &str) -> TestGateway {
    let fields = format!("keys: [{KEY}]\nmodels_refresh: 0s");
    TestGateway::new()
        .with_provider("gigachat", gigachat().tls(), &fields)
        .setting("egress.proxies", proxies)
        .setting("egress.fallback_to_direct", fallback)
        .start()
        .await
}

#[tokio::test]
async fn a_token_a_picture_and_a_chat_leave_by_one_proxy() {
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let proxy = proxy(kind, 1).start();
        let gateway = start(&list(&[&proxy]), "false").await;
        let asked = chat("gigachat/GigaChat-2-Max", "", with_picture());
        let answer = gateway.talk(asked).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
        let upstream = gateway.provider("gigachat");
        assert_eq!(upstream.token_requests(), 1);
        let seen = upstream.seen();
        let paths: Vec<&str> = seen
            .iter()
            .map(|call| call.path_and_query.as_str())
            .collect();
        assert_eq!(paths.len(), 3, "{paths:?}");
        let through = IpAddr::V4(exit(1));
        assert!(
            seen.iter().all(|call| call.peer.ip() == through),
            "{paths:?}"
        );
        assert!(!proxy.saw(KEY.as_bytes()), "{kind}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_on_another_way_where_the_first_is_dead() {
    let dead = proxy(ProxyKind::Http, 2).fault(ProxyFault::HangUp).start();
    let gateway = start(&list(&[&dead]), "true").await;
    let answer = gateway
        .talk(chat("gigachat/GigaChat-2-Max", "Привет", json!({})))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let ways = attempts(&gateway.record_of(&answer).await);
    let expected = [
        (name(&dead), "proxy_hung_up".to_owned()),
        ("direct".to_owned(), "ok".to_owned()),
    ];
    assert_eq!(ways, expected);
}

#[tokio::test]
async fn without_any_way_no_token_is_fetched() {
    let dead = http(1);
    dead.set_fault(Some(ProxyFault::ClosedPort));
    let gateway = start(&list(&[&dead]), "false").await;
    let answer = gateway
        .talk(chat("gigachat/GigaChat-2-Max", "Привет", json!({})))
        .await;
    refused(&answer, 502);
    assert_eq!(gateway.provider("gigachat").token_requests(), 0);
    let keys = gateway.running.keys("gigachat");
    assert_eq!(keys[0].state.health, domain::KeyHealth::Active);
}
