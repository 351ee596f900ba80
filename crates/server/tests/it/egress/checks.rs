//! Checks of proxies: by hand, and what they say of the proxy, and of nobody else.

use fake_upstream::{FakeProxy, ProxyFault, gemini};
use serde_json::{Value, json};

use super::{behind, came_through, http, name, no_key_is_hurt, standing_for};
use crate::support::{Answer, Operator, TestGateway};

/// The proxy's row in the admin API.
async fn row(admin: &Operator, proxy: &FakeProxy) -> Value {
    let all = admin.read("/api/egress_proxies").await;
    let mut all = all["items"].as_array().unwrap().iter();
    let found = all.find(|row| row["name"] == name(proxy));
    found.unwrap().clone()
}

async fn call(admin: &Operator, proxy: &FakeProxy, what: &str) -> Answer {
    let id = row(admin, proxy).await["id"].clone();
    let path = format!("/api/egress_proxies/{id}/{what}");
    admin.post(&path, json!({})).await
}

#[tokio::test]
async fn a_proxy_is_checked_by_hand_with_a_key_that_it_does_not_hurt() {
    let proxy = http(1);
    let gateway = behind(&[&proxy]).start().await;
    let admin = Operator::admin(&gateway).await;
    let tested = call(&admin, &proxy, "test").await.expect(200).json();
    assert_eq!(tested["status"], "healthy", "{tested}");
    assert!(tested["latency_ms"].as_f64().unwrap() > 0.0, "{tested}");
    assert!(tested["checked_at"].is_string() && tested["check_reason"].is_null());
    assert_eq!(came_through(&gateway, 1), 1);
    let seen = gateway.upstream.seen().remove(0);
    assert!(seen.path_and_query.starts_with("/v1beta/models"));
    assert!(seen.key.is_some());

    proxy.set_fault(Some(ProxyFault::ClosedPort));
    let tested = call(&admin, &proxy, "test").await.expect(200).json();
    assert_eq!(tested["status"], "failed", "{tested}");
    assert_eq!(tested["check_reason"], "proxy_unreachable");
    assert_eq!(tested["latency_ms"], json!(null));
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn a_provider_that_is_down_is_not_the_fault_of_a_proxy() {
    let (proxy, other) = (http(1), http(2));
    proxy.set_fault(Some(ProxyFault::Unreachable));
    let gateway = behind(&[&proxy, &other]).start().await;
    let admin = Operator::admin(&gateway).await;
    let tested = call(&admin, &proxy, "test").await.expect(200).json();
    assert_eq!(tested["status"], "untested", "{tested}");
    assert_eq!(tested["check_reason"], "proxy_target_unreachable");
    // Once another one has led there, it is.
    call(&admin, &other, "test").await.expect(200);
    let tested = call(&admin, &proxy, "test").await.expect(200).json();
    assert_eq!(tested["status"], "failed", "{tested}");
}

#[tokio::test]
async fn a_proxy_is_put_back_into_use_by_hand() {
    let proxy = http(1);
    proxy.set_fault(Some(ProxyFault::ClosedPort));
    let gateway = behind(&[&proxy]).start().await;
    let admin = Operator::admin(&gateway).await;
    for _ in 0..4 {
        call(&admin, &proxy, "test").await.expect(200);
    }
    proxy.set_fault(None);
    assert_eq!(gateway.generate().await.status, 502);
    let reset = call(&admin, &proxy, "reset").await.expect(200).json();
    assert_eq!(
        (&reset["status"], &reset["retry_at"]),
        (&json!("untested"), &json!(null))
    );
    assert_eq!(gateway.generate().await.status, 200);
    let log = admin.read("/api/activity_logs").await;
    let actions: Vec<&str> = log["items"].as_array().unwrap()[..5]
        .iter()
        .filter(|line| line["resource"] == "egress_proxies")
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["RESET", "TEST", "TEST", "TEST", "TEST"]);
}

#[tokio::test]
async fn a_url_of_the_configuration_is_asked_for_instead_with_its_own_key() {
    let proxy = http(1);
    let asked = gemini().tls().start().await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, asked.ca_pem().unwrap()).unwrap();
    let check = |path: &str| {
        let url = format!("{}{path}", asked.base_url());
        json!({"enabled": false, "url": url}).to_string()
    };
    for (path, status) in [
        ("/v1beta/models?key=AIza-of-checks", "healthy"),
        ("/nowhere", "untested"),
    ] {
        let gateway = behind(&[&proxy])
            .setting("egress.ca_file", &file.display().to_string())
            .setting("egress.health_check", &check(path))
            .start()
            .await;
        let admin = Operator::admin(&gateway).await;
        let tested = call(&admin, &proxy, "test").await.expect(200).json();
        assert_eq!(tested["status"], status, "{tested}");
        assert_eq!(gateway.upstream.count(), 0);
        if status == "untested" {
            assert_eq!(tested["check_reason"], "check_refused");
        }
    }
    let seen = asked.seen().remove(0);
    assert_eq!(seen.key.as_deref(), Some("AIza-of-checks"));
    assert_eq!(seen.peer.ip(), std::net::IpAddr::V4(super::exit(1)));
}

#[tokio::test]
async fn members_and_strangers_to_the_list_are_refused() {
    let proxy = http(1);
    let gateway = behind(&[&proxy]).start().await;
    let admin = Operator::admin(&gateway).await;
    let member = admin.make_member("mia").await;
    let id = row(&admin, &proxy).await["id"].clone();
    for what in ["test", "reset"] {
        let path = format!("/api/egress_proxies/{id}/{what}");
        member.post(&path, json!({})).await.expect(403);
        let path = format!("/api/egress_proxies/4711/{what}");
        admin.post(&path, json!({})).await.expect(404);
    }
    assert_eq!(standing_for(&admin, &name(&proxy)).await, "untested");
}

#[tokio::test]
async fn without_a_provider_behind_https_there_is_nothing_to_ask_for() {
    let proxy = http(1);
    let gateway = TestGateway::new()
        .upstream(gemini())
        .setting("egress.proxies", &super::list(&[&proxy]))
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let refused = call(&admin, &proxy, "test").await.expect(409).json();
    assert_eq!(refused["error"]["code"], "nothing_to_ask", "{refused}");
    assert_eq!(gateway.upstream.count(), 0);
}
