//! Proxies that are found in lists: how lists are read, which of their proxies are used, and when.

use fake_upstream::{FakeProxy, ProxyFault, gemini};
use serde_json::{Value, json};

use super::lists::ListHost;
use super::{KEYS, came_directly, came_through, http, name, no_key_is_hurt, standing_for};
use crate::support::{Builder, Operator, TestGateway, eventually};

/// Checks that are made once, one after the other.
const ONE_BY_ONE: &str = "{ concurrency: 1, recheck_interval: 1h }";

/// Requests leave by what that host lists, and by no other way.
fn finding(host: &ListHost) -> Builder {
    TestGateway::new()
        .upstream(gemini().tls())
        .keys((1..=KEYS).map(|key| format!("AIza-key-{key}")))
        .setting("pool.strategy", "round_robin")
        .setting("egress.sources", &source(host).to_string())
        .setting("egress.fallback_to_direct", "false")
}

fn source(host: &ListHost) -> Value {
    json!([{"url": host.url(), "allow_private": true, "refresh": "1h"}])
}

/// Every list, once they have all been read again.
async fn refreshed(admin: &Operator) -> Vec<Value> {
    let read = admin.post("/api/egress_sources/refresh", json!({})).await;
    read.expect(200).json()["items"].as_array().unwrap().clone()
}

async fn eventually_stands(admin: &Operator, proxy: &FakeProxy, status: &str) {
    eventually(&format!("{} is {status}", name(proxy)), async || {
        let all = admin.read("/api/egress_proxies").await;
        let mut all = all["items"].as_array().unwrap().iter();
        all.any(|row| row["name"] == name(proxy) && row["status"] == status)
            .then_some(())
    })
    .await;
}

async fn healthy(admin: &Operator) -> usize {
    let status = admin.read("/api/status").await;
    usize::try_from(status["egress"]["healthy"].as_u64().unwrap()).unwrap()
}

#[tokio::test]
async fn proxies_of_a_list_are_used_once_they_have_passed_a_check() {
    let (good, dead) = (http(1), http(2));
    dead.set_fault(Some(ProxyFault::ClosedPort));
    let host = ListHost::of(&[&good, &dead]).await;
    let gateway = finding(&host).checking_proxies().start().await;
    let admin = Operator::admin(&gateway).await;
    eventually_stands(&admin, &good, "healthy").await;
    eventually_stands(&admin, &dead, "failed").await;
    super::ask_with_every_key(&gateway).await;
    // None of them has met the dead one: it was not used.
    for record in gateway.records(KEYS).await {
        assert_eq!(record.attempts.len(), 1, "{record:?}");
    }
    no_key_is_hurt(&gateway);
    assert_eq!(came_directly(&gateway), 0);
    let all = admin.read("/api/egress_proxies").await;
    let found = all["items"].as_array().unwrap();
    let found = found.iter().find(|row| row["name"] == name(&good)).unwrap();
    assert_eq!(found["source"], "127.0.0.1");
    assert!(found["latency_ms"].is_number(), "{found}");

    let metrics = gateway.get("/metrics").await.text();
    for line in [
        "keymux_egress_proxies{state=\"healthy\"} 1",
        "keymux_egress_proxies{state=\"failed\"} 1",
        "keymux_egress_failing_sources 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let of_good = format!("keymux_egress_attempts_total{{egress=\"{}\"}}", name(&good));
    assert!(metrics.contains(&of_good), "{of_good} is not in {metrics}");
}

#[tokio::test]
async fn a_proxy_of_a_list_is_not_used_before_its_check() {
    let proxy = http(1);
    let host = ListHost::of(&[&proxy]).await;
    let gateway = finding(&host)
        .setting("egress.health_check", "{ enabled: true }")
        .setting("egress.min_healthy", "0")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    refreshed(&admin).await;
    assert_eq!(gateway.generate().await.status, 502);
    assert_eq!(proxy.connections(), 0);
    assert_eq!(standing_for(&admin, &name(&proxy)).await, "untested");
    let all = admin.read("/api/egress_proxies").await;
    let mut rows = all["items"].as_array().unwrap().iter();
    let id = &rows.find(|row| row["name"] == name(&proxy)).unwrap()["id"];
    let path = format!("/api/egress_proxies/{id}/test");
    admin.post(&path, json!({})).await.expect(200);
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn a_list_that_fails_or_turns_into_garbage_keeps_what_it_held() {
    let (proxy, other) = (http(1), http(2));
    let host = ListHost::of(&[&proxy]).await;
    let gateway = finding(&host).start().await;
    let admin = Operator::admin(&gateway).await;
    let list = refreshed(&admin).await.remove(0);
    assert_eq!((&list["ok"], &list["proxies"]), (&json!(true), &json!(1)));
    for (status, header, body, problem) in [
        (
            "503 Service Unavailable",
            "",
            "",
            "answered with status 503",
        ),
        (
            "200 OK",
            "",
            "<html>\nlog in",
            "no usable proxy in it; entry 1",
        ),
        ("200 OK", "", "", "no usable proxy in it"),
        (
            "302 Found",
            "location: http://169.254.169.254/latest\r\n",
            "",
            "169.254.169.254 is not at a public address",
        ),
        (
            "302 Found",
            "location: /\r\n",
            "",
            "redirects more than 3 times",
        ),
    ] {
        host.answers(status, header, body);
        let list = refreshed(&admin).await.remove(0);
        let said = list["problem"].as_str().unwrap();
        assert!(said.contains(problem), "{said}");
        assert_eq!((&list["ok"], &list["proxies"]), (&json!(false), &json!(1)));
        assert!(!list.to_string().contains("hunter2"), "{list}");
        assert_eq!(gateway.generate().await.status, 200);
    }
    let status = admin.read("/api/status").await;
    assert_eq!(status["egress"]["failing_sources"], 1);
    host.lists(&[&other]);
    let list = refreshed(&admin).await.remove(0);
    assert_eq!(
        (&list["ok"], &list["problem"]),
        (&json!(true), &json!(null))
    );
    let before = came_through(&gateway, 1);
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(
        (came_through(&gateway, 1), came_through(&gateway, 2)),
        (before, 1)
    );
}

#[tokio::test]
async fn a_private_address_is_neither_asked_for_a_list_nor_taken_from_one() {
    let proxy = http(1);
    let host = ListHost::of(&[&proxy]).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("list.txt");
    std::fs::write(&file, format!("{}\n8.8.8.8:3128\n", proxy.url())).unwrap();
    let sources = json!([{"url": host.url()}, {"file": file.display().to_string()}]);
    let gateway = finding(&host)
        .setting("egress.sources", &sources.to_string())
        .setting("egress.health_check", "{ enabled: true }")
        .setting("egress.min_healthy", "0")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let lists = refreshed(&admin).await;
    let said = lists[0]["problem"].as_str().unwrap();
    assert!(
        said.contains("127.0.0.1 is not at a public address"),
        "{said}"
    );
    assert_eq!(lists[1]["left_out"]["out_of_reach"], 1, "{}", lists[1]);
    assert_eq!(lists[1]["proxies"], 1);
}

#[tokio::test]
async fn fifty_thousand_lines_hold_no_request_up_and_are_cut_to_size() {
    let good = http(1);
    let host = ListHost::of(&[]).await;
    let lines =
        (0..50_000).map(|n| format!("127.{}.{}.{}:9", n / 65_536 + 8, n / 256 % 256, n % 256));
    host.says(&lines.collect::<Vec<_>>().join("\n"));
    let gateway = finding(&host)
        .setting("egress.proxies", &super::list(&[&good]))
        .setting(
            "egress.health_check",
            "{ enabled: true, recheck_interval: 1h }",
        )
        .setting("egress.min_healthy", "0")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let reading = refreshed(&admin);
    let asking = async {
        for _ in 0..5 {
            assert_eq!(gateway.generate().await.status, 200);
        }
    };
    let (lists, ()) = tokio::join!(reading, asking);
    assert_eq!(lists[0]["proxies"], 50_000);
    let all = admin.read("/api/egress_proxies").await;
    // With `direct`, which is no proxy.
    assert_eq!(all["total"], 101);
    assert_eq!(gateway.generate().await.status, 200);
}

#[tokio::test]
async fn as_many_are_checked_as_it_takes_until_enough_work_and_again_when_one_dies() {
    let proxies: Vec<FakeProxy> = (1..=6).map(http).collect();
    let host = ListHost::of(&proxies.iter().collect::<Vec<_>>()).await;
    let gateway = finding(&host)
        .setting("egress.health_check", ONE_BY_ONE)
        .setting("egress.min_healthy", "2")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    eventually("two are healthy", async || {
        (healthy(&admin).await == 2).then_some(())
    })
    .await;
    let tried = || {
        proxies
            .iter()
            .filter(|proxy| proxy.connections() > 0)
            .count()
    };
    assert_eq!(tried(), 2);
    let used = proxies
        .iter()
        .find(|proxy| proxy.connections() > 0)
        .unwrap();
    used.set_fault(Some(ProxyFault::ClosedPort));
    used.cut_connections();
    eventually("a request has met it", async || {
        assert_eq!(gateway.generate().await.status, 200);
        let stands = standing_for(&admin, &name(used)).await;
        (stands == "failed: proxy_unreachable").then_some(())
    })
    .await;
    eventually("another one has taken its place", async || {
        (healthy(&admin).await == 2).then_some(())
    })
    .await;
    assert_eq!(tried(), 3);
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn a_proxy_that_is_back_is_found_by_a_check_without_any_request() {
    let stated = http(1);
    let found = http(2);
    let host = ListHost::of(&[&found]).await;
    for proxy in [&stated, &found] {
        proxy.set_fault(Some(ProxyFault::ClosedPort));
    }
    let gateway = finding(&host)
        .setting("egress.proxies", &super::list(&[&stated]))
        .checking_proxies()
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    for proxy in [&stated, &found] {
        eventually_stands(&admin, proxy, "failed").await;
        proxy.set_fault(None);
    }
    for proxy in [&stated, &found] {
        eventually_stands(&admin, proxy, "healthy").await;
    }
    no_key_is_hurt(&gateway);
}

#[tokio::test]
async fn lists_are_settings_whose_secrets_are_shown_nowhere() {
    let proxy = http(1);
    let host = ListHost::of(&[&proxy]).await;
    let gateway = TestGateway::new().upstream(gemini().tls()).start().await;
    let admin = Operator::admin(&gateway).await;
    admin.set("egress.sources", source(&host)).await;
    eventually("the list is followed", async || {
        let all = admin.read("/api/egress_proxies").await;
        (all["total"] == 2).then_some(())
    })
    .await;
    for path in ["/api/settings", "/api/activity_logs", "/api/egress_sources"] {
        let answer = admin.get(path).await;
        assert!(!answer.text().contains("hunter2"), "{path}");
    }
    let member = admin.make_member("mia").await;
    member.get("/api/egress_sources").await.expect(403);
    let refresh = member.post("/api/egress_sources/refresh", json!({})).await;
    refresh.expect(403);
    admin.set("egress.sources", json!(null)).await;
    eventually("its proxies are gone", async || {
        let all = admin.read("/api/egress_proxies").await;
        (all["total"] == 1).then_some(())
    })
    .await;
}
