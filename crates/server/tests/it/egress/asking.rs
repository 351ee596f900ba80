//! What keymux asks of its own accord, model lists and tests of keys, leaves by the keys' egress.

use std::net::IpAddr;

use fake_upstream::{ProxyFault, gemini};
use serde_json::json;

use super::{behind, came_directly, exit, http, list, name, standing_for};
use crate::support::{Operator, TestGateway, eventually};

#[tokio::test]
async fn model_lists_are_asked_for_through_a_proxy() {
    let proxy = http(1);
    let gateway = TestGateway::new()
        .upstream(gemini().tls())
        .setting("egress.proxies", &list(&[&proxy]))
        .setting("egress.fallback_to_direct", "false")
        .listing_models()
        .start()
        .await;
    eventually("the list is asked for", async || {
        (gateway.upstream.count_from(IpAddr::V4(exit(1))) > 0).then_some(())
    })
    .await;
    assert_eq!(came_directly(&gateway), 0);
}

#[tokio::test]
async fn a_key_is_tested_through_its_proxy_and_past_those_that_are_dead() {
    let (good, bad) = (http(1), http(2));
    bad.set_fault(Some(ProxyFault::ClosedPort));
    let gateway = behind(&[&good, &bad]).start().await;
    let admin = Operator::admin(&gateway).await;
    for place in 0..super::KEYS {
        let path = format!("/api/keys/{}/test", gateway.key(place).id);
        let tested = admin.post(&path, json!({})).await.expect(200).json();
        assert_eq!(tested["works"], true, "{tested}");
    }
    assert_eq!(super::came_through(&gateway, 1), super::KEYS);
    assert_eq!(
        standing_for(&admin, &name(&bad)).await,
        "failed: proxy_unreachable"
    );
}

#[tokio::test]
async fn a_key_that_cannot_leave_is_not_tested() {
    let dead = http(1);
    dead.set_fault(Some(ProxyFault::ClosedPort));
    let gateway = behind(&[&dead]).start().await;
    let admin = Operator::admin(&gateway).await;
    let path = format!("/api/keys/{}/test", gateway.key(0).id);
    let tested = admin.post(&path, json!({})).await.expect(200).json();
    assert_eq!(
        (&tested["works"], &tested["class"]),
        (&json!(false), &json!("network"))
    );
    assert_eq!(tested["reason"], "no_proxy_usable");
    assert_eq!(gateway.health(0), "active");
    assert_eq!(gateway.upstream.count(), 0);
}
