//! Proxies that may be to blame: they are, when the provider is reached on another way; else nobody is.

use domain::Class;
use fake_upstream::{ProxyFault, ProxyKind, Rule, gemini};

use super::{
    KEYS, ask_with_every_key, attempts, behind, exit, http, name, no_key_is_hurt, proxy, standing,
};

/// One of two proxies has that fault; the other one leads to the provider.
async fn check(fault: ProxyFault, kind: ProxyKind, reason: &str) {
    let good = http(1);
    let bad = proxy(kind, 2).fault(fault).start();
    let gateway = behind(&[&good, &bad])
        .setting("retry.max_attempts", "1")
        .start()
        .await;
    ask_with_every_key(&gateway).await;
    let now = standing(&gateway, &name(&bad)).await;
    assert_eq!(now, format!("failed: {reason}"));
    no_key_is_hurt(&gateway);
    for key in 1..=KEYS {
        assert!(!bad.saw(format!("AIza-key-{key}").as_bytes()), "{fault:?}");
    }
}

#[tokio::test]
async fn a_way_that_does_not_lead_to_the_provider_is_to_blame_when_another_one_does() {
    let (http, socks) = (ProxyKind::Http, ProxyKind::Socks5);
    check(ProxyFault::Unreachable, http, "proxy_target_unreachable").await;
    check(ProxyFault::Unreachable, socks, "proxy_target_unreachable").await;
    check(ProxyFault::Refuses(504), http, "proxy_target_unreachable").await;
    check(ProxyFault::CutAfter(0), http, "proxy_tunnel_cut").await;
}

#[tokio::test]
async fn a_man_in_the_middle_sees_no_key_and_is_set_aside() {
    check(
        ProxyFault::ManInTheMiddle,
        ProxyKind::Http,
        "proxy_wrong_certificate",
    )
    .await;
    check(
        ProxyFault::ManInTheMiddle,
        ProxyKind::Socks5,
        "proxy_wrong_certificate",
    )
    .await;
}

#[tokio::test]
async fn nobody_is_to_blame_when_no_way_leads_to_the_provider() {
    let all = [1, 2].map(|number| {
        let script = proxy(ProxyKind::Http, number);
        script.fault(ProxyFault::Unreachable).start()
    });
    let gateway = behind(&[&all[0], &all[1]]).start().await;
    for _ in 0..3 {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        let record = gateway.record_of(&answer).await;
        assert_eq!(record.error, Some(Class::Network));
        let reasons: Vec<String> = attempts(&record).into_iter().map(|(_, why)| why).collect();
        assert_eq!(reasons, ["proxy_target_unreachable"; 2]);
    }
    for proxy in &all {
        assert_eq!(standing(&gateway, &name(proxy)).await, "untested");
    }
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn a_region_that_is_not_served_is_left_for_another() {
    let proxies = [http(1), http(2)];
    let not_served = Rule::new().peer(exit(2).into());
    let not_served = not_served.fixture("gemini/errors/400_location.json");
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .upstream(gemini().tls().rule(not_served))
        .start()
        .await;
    ask_with_every_key(&gateway).await;
    let now = standing(&gateway, &name(&proxies[1])).await;
    assert_eq!(now, "failed: region_not_served");
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn a_region_that_no_way_is_served_from_is_the_provider_s_word() {
    let proxies = [http(1), http(2)];
    let not_served = Rule::new().fixture("gemini/errors/400_location.json");
    let gateway = behind(&[&proxies[0], &proxies[1]])
        .upstream(gemini().tls().rule(not_served))
        .start()
        .await;
    let answer = gateway.generate().await;
    let ways: Vec<_> = attempts(&gateway.record_of(&answer).await);
    assert_eq!(ways.len(), 3, "{}", answer.text());
    assert_ne!(ways[0].0, ways[1].0);
    for proxy in &proxies {
        let now = standing(&gateway, &name(proxy)).await;
        assert!(!now.starts_with("failed"), "{now}");
    }
    no_key_is_hurt(&gateway);
}
