//! Proxies are settings: what is changed holds for the next request.

use fake_upstream::gemini;
use serde_json::json;

use super::{came_directly, came_through, http, name, standing_for, urls};
use crate::support::{Operator, TestGateway};

#[tokio::test]
async fn a_change_of_the_proxies_holds_for_the_next_request() {
    let proxies = [http(1), http(2)];
    let gateway = TestGateway::new().upstream(gemini().tls()).start().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(came_directly(&gateway), 1);
    for (number, proxy) in [(1, &proxies[0]), (2, &proxies[1])] {
        admin.set("egress.proxies", urls(&[proxy])).await;
        assert_eq!(gateway.generate().await.status, 200);
        assert_eq!(came_through(&gateway, number), 1);
        assert_eq!(standing_for(&admin, &name(proxy)).await, "healthy");
    }
    let status = admin.read("/api/status").await;
    let expected = json!({"proxies": 1, "healthy": 1, "untested": 0, "failed": 0,
        "failing_sources": 0, "direct": true});
    assert_eq!(status["egress"], expected);
    admin.set("egress.proxies", json!(null)).await;
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!((came_directly(&gateway), gateway.upstream.count()), (2, 4));
}

#[tokio::test]
async fn direct_connections_are_given_up_at_once() {
    let proxy = http(1);
    proxy.set_fault(Some(fake_upstream::ProxyFault::ClosedPort));
    let gateway = TestGateway::new().upstream(gemini().tls()).start().await;
    let admin = Operator::admin(&gateway).await;
    assert_eq!(gateway.generate().await.status, 200);
    admin.set("egress.proxies", urls(&[&proxy])).await;
    assert_eq!(gateway.generate().await.status, 200);
    admin.set("egress.fallback_to_direct", json!(false)).await;
    assert_eq!(gateway.generate().await.status, 502);
    assert_eq!(standing_for(&admin, "direct").await, "off");
    assert_eq!(came_directly(&gateway), 2);
}

#[tokio::test]
async fn what_is_no_proxy_is_refused_without_its_password() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    for (url, text) in [
        ("ftp://me:secret-word@h:1", "is not a proxy URL"),
        ("http://me:secret-word%@h:1", "%25"),
        ("http://me:secret-word@169.254.169.254:1", "link-local"),
    ] {
        let set = json!({"egress.proxies": [url]});
        let answer = admin.put("/api/settings", set).await.expect(422);
        assert!(answer.text().contains(text), "{}", answer.text());
        assert!(!answer.text().contains("secret-word"), "{}", answer.text());
    }
    admin
        .set("egress.proxies", json!(["http://me:secret-word@h:1"]))
        .await;
    let all = admin.read("/api/settings").await.to_string();
    assert!(all.contains("http://…@h:1") && !all.contains("secret-word"));
}
