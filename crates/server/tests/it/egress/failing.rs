//! Proxies that fail by their own fault: another way is taken at once, no key is hurt, and where there is none, the caller
//! is told.

use std::time::{Duration, Instant};

use domain::Class;
use fake_upstream::{FakeProxy, ProxyFault, ProxyKind};
use serde_json::json;

use super::{
    KEYS, PASSWORD, USER, ask_with_every_key, attempts, behind, came_directly, http, leaving_by,
    name, no_key_is_hurt, proxy, standing, standing_for, urls,
};
use crate::support::talk::{chat, refused};
use crate::support::{MODEL, Operator, TestGateway, eventually};

/// One that is as it should be and one with a fault.
fn beside_a_good_one(fault: ProxyFault, kind: ProxyKind) -> (FakeProxy, FakeProxy) {
    let bad = proxy(kind, 2).fault(fault).start();
    (http(1), bad)
}

/// Every key gets its answers although one of two proxies is out, whose reason is that.
async fn check(fault: ProxyFault, kind: ProxyKind, reason: &str) {
    let (good, bad) = beside_a_good_one(fault, kind);
    let gateway = behind(&[&good, &bad])
        .setting("retry.max_attempts", "1")
        .start()
        .await;
    let answers = ask_with_every_key(&gateway).await;
    assert_eq!(super::came_through(&gateway, 1), KEYS);
    no_key_is_hurt(&gateway);
    let admin = Operator::admin(&gateway).await;
    let now = standing_for(&admin, &name(&bad)).await;
    assert_eq!(now, format!("failed: {reason}"));
    assert_eq!(standing_for(&admin, &name(&good)).await, "healthy");
    let health = gateway.get("/_gateway/health").await.json();
    assert_eq!(health["whitelisted_proxies_count"], 1);
    assert_eq!(health["recently_failed_proxies_tracked"], 1);
    let mut records = Vec::new();
    for answer in &answers {
        records.push(attempts(&gateway.record_of(answer).await));
    }
    let failed = (name(&bad), reason.to_owned());
    let passed = (name(&good), "ok".to_owned());
    let met_it = records.iter().filter(|it| it.len() == 2);
    assert!(met_it.clone().count() > 0, "{fault:?}: nobody met it");
    for record in met_it {
        assert_eq!(*record, [failed.clone(), passed.clone()], "{fault:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_answer_costs_no_attempt_and_no_key() {
    check(ProxyFault::ClosedPort, ProxyKind::Http, "proxy_unreachable").await;
    check(
        ProxyFault::ClosedPort,
        ProxyKind::Socks5,
        "proxy_unreachable",
    )
    .await;
    check(ProxyFault::HangUp, ProxyKind::Http, "proxy_hung_up").await;
    check(ProxyFault::HangUp, ProxyKind::Https, "proxy_tls_failed").await;
}

#[tokio::test]
async fn a_proxy_that_answers_nonsense_costs_no_attempt_and_no_key() {
    check(ProxyFault::Garbage, ProxyKind::Http, "proxy_garbage").await;
    check(ProxyFault::Garbage, ProxyKind::Socks5, "proxy_garbage").await;
    check(ProxyFault::EndlessHeader, ProxyKind::Http, "proxy_garbage").await;
}

#[tokio::test]
async fn a_proxy_that_refuses_costs_no_attempt_and_no_key() {
    check(ProxyFault::WrongLogin, ProxyKind::Http, "proxy_credentials").await;
    check(
        ProxyFault::WrongLogin,
        ProxyKind::Socks5,
        "proxy_credentials",
    )
    .await;
    check(ProxyFault::Refuses(403), ProxyKind::Http, "proxy_refused").await;
    check(ProxyFault::Refuses(2), ProxyKind::Socks5, "proxy_refused").await;
}

#[tokio::test]
async fn a_proxy_that_hangs_keeps_one_request_waiting_for_seconds() {
    let (good, bad) = beside_a_good_one(ProxyFault::Hang, ProxyKind::Http);
    let gateway = behind(&[&good, &bad]).start().await;
    let began = Instant::now();
    ask_with_every_key(&gateway).await;
    assert!(began.elapsed() < Duration::from_secs(60));
    no_key_is_hurt(&gateway);
    assert_eq!(standing(&gateway, &name(&bad)).await, "failed: proxy_hangs");
}

#[tokio::test]
async fn wrong_credentials_are_told_and_cost_no_key() {
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let proxy = proxy(kind, 1).login(USER, PASSWORD).start();
        let wrong = proxy.bare_url().replace("://", "://me:wrong-password@");
        let gateway = leaving_by(&json!([wrong]), "false").start().await;
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 502, "{kind}: {}", answer.text());
        let record = gateway.record_of(&answer).await;
        let expected = (name(&proxy), "proxy_credentials".to_owned());
        assert_eq!(attempts(&record), [expected]);
        assert_eq!(record.attempts[0].outcome.class, Class::Network);
        no_key_is_hurt(&gateway);
    }
}

/// Proxies that nobody listens at.
fn dead() -> [FakeProxy; 3] {
    [1, 2, 3].map(|number| {
        let script = proxy(ProxyKind::Http, number);
        script.fault(ProxyFault::ClosedPort).start()
    })
}

#[tokio::test]
async fn where_all_proxies_are_dead_the_caller_is_told_in_its_own_dialect() {
    let all = dead();
    let gateway = behind(&[&all[0], &all[1], &all[2]]).start().await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let text = "no outbound proxy is usable now, and egress.fallback_to_direct is off";
    assert_eq!(answer.error()["message"], text);
    let record = gateway.record_of(&answer).await;
    assert_eq!(record.error, Some(Class::Network));
    let mut ways: Vec<String> = attempts(&record).into_iter().map(|(way, _)| way).collect();
    let mut expected: Vec<String> = all.iter().map(name).collect();
    ways.sort();
    expected.sort();
    assert_eq!(ways, expected);
    let model = format!("google/{MODEL}");
    eventually(
        "they are known to be dead, and nothing is tried",
        async || {
            let answer = gateway.talk(chat(&model, "Hello", json!({}))).await;
            assert_eq!(refused(&answer, 502), text);
            let record = gateway.record_of(&answer).await;
            record.attempts.is_empty().then_some(())
        },
    )
    .await;
    assert_eq!(gateway.upstream.count(), 0);
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn where_all_proxies_are_dead_requests_leave_directly_if_they_may() {
    let all = dead();
    let proxies = urls(&[&all[0], &all[1], &all[2]]);
    let gateway = leaving_by(&proxies, "true").start().await;
    let first = gateway.generate().await;
    assert_eq!(first.status, 200, "{}", first.text());
    let ways = attempts(&gateway.record_of(&first).await);
    assert_eq!(ways.len(), 4);
    assert_eq!(ways[3], ("direct".to_owned(), "ok".to_owned()));
    let directly = ("direct".to_owned(), "ok".to_owned());
    eventually("they are known to be dead, and not tried", async || {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let ways = attempts(&gateway.record_of(&answer).await);
        (ways == [directly.clone()]).then_some(())
    })
    .await;
    assert_eq!(came_directly(&gateway), gateway.upstream.count());
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn a_request_tries_so_many_proxies_and_no_more() {
    let all: Vec<FakeProxy> = (1..=8)
        .map(|number| {
            proxy(ProxyKind::Http, number)
                .fault(ProxyFault::HangUp)
                .start()
        })
        .collect();
    let gateway = behind(&all.iter().collect::<Vec<_>>()).start().await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(gateway.record_of(&answer).await.attempts.len(), 4);
    let connections: usize = all.iter().map(FakeProxy::connections).sum();
    assert_eq!(connections, 4);
}

#[tokio::test]
async fn a_proxy_that_was_set_aside_is_used_again_when_it_is_back() {
    let proxy = http(1);
    proxy.set_fault(Some(ProxyFault::ClosedPort));
    let gateway = behind(&[&proxy]).start().await;
    assert_eq!(gateway.generate().await.status, 502);
    proxy.set_fault(None);
    eventually("it is used again", async || {
        (gateway.generate().await.status == 200).then_some(())
    })
    .await;
    let now = standing(&gateway, &name(&proxy)).await;
    assert_eq!(now, "healthy");
}

#[tokio::test]
async fn a_failed_way_leaves_the_request_its_attempts() {
    let (good, bad) = beside_a_good_one(ProxyFault::ClosedPort, ProxyKind::Http);
    let gateway: TestGateway = behind(&[&good, &bad])
        .setting("retry.max_attempts", "2")
        .start()
        .await;
    // The first that arrives fails once more, for a reason of the provider's.
    let overloaded = fake_upstream::Rule::new().respond(500, "{}").times(1);
    gateway.upstream.add_rule(overloaded);
    ask_with_every_key(&gateway).await;
}
