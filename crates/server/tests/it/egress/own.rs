//! Keys that name a proxy themselves: they leave by it and by no other way.

use fake_upstream::{FakeProxy, ProxyFault, ProxyKind, gemini};
use serde_json::json;

use super::{PASSWORD, USER, came_directly, exit, http, list, name, proxy};
use crate::support::{Builder, Operator, TestGateway, eventually};

/// A pool with one proxy, and a key of its own for each URL.
fn with_keys(pool: &FakeProxy, urls: &[Option<String>]) -> Builder {
    let keys = urls.iter().enumerate().map(|(place, url)| match url {
        Some(url) => format!("{{ key: AIza-key-{place}, egress: {url:?} }}"),
        None => format!("AIza-key-{place}"),
    });
    TestGateway::new()
        .upstream(gemini().tls())
        .keys(keys)
        .setting("pool.strategy", "fill_first")
        .setting("egress.proxies", &list(&[pool]))
}

fn through(gateway: &TestGateway, key: &str) -> Vec<String> {
    let seen = gateway.upstream.seen().into_iter();
    let own = seen.filter(|call| call.key.as_deref() == Some(key));
    own.map(|call| call.peer.ip().to_string()).collect()
}

#[tokio::test]
async fn a_key_leaves_by_the_proxy_that_it_names() {
    let pool = http(1);
    let own = proxy(ProxyKind::Socks5, 2).login(USER, PASSWORD).start();
    let gateway = with_keys(&pool, &[Some(own.url()), None]).start().await;
    for _ in 0..3 {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let record = gateway.record_of(&answer).await;
        assert_eq!(*record.attempts[0].egress, *name(&own));
    }
    assert_eq!(
        through(&gateway, "AIza-key-0"),
        vec![exit(2).to_string(); 3]
    );
    let admin = Operator::admin(&gateway).await;
    let keys = admin.read("/api/keys").await;
    let shown: Vec<_> = keys["items"].as_array().unwrap().iter().collect();
    assert!(shown.iter().any(|key| key["egress"] == name(&own)));
    assert!(!keys.to_string().contains("word"), "{keys}");
}

#[tokio::test]
async fn a_key_whose_own_proxy_is_dead_is_passed_over_and_sent_on_no_other_way() {
    let pool = http(1);
    let own = proxy(ProxyKind::Http, 2)
        .fault(ProxyFault::ClosedPort)
        .start();
    let gateway = with_keys(&pool, &[Some(own.url()), None]).start().await;
    for _ in 0..4 {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(through(&gateway, "AIza-key-0"), Vec::<String>::new());
    assert_eq!(
        through(&gateway, "AIza-key-1"),
        vec![exit(1).to_string(); 4]
    );
    assert_eq!(gateway.health(0), "active");
}

#[tokio::test]
async fn where_every_key_names_a_dead_proxy_the_caller_is_told() {
    let pool = http(1);
    let own = proxy(ProxyKind::Http, 2)
        .fault(ProxyFault::ClosedPort)
        .start();
    let gateway = with_keys(&pool, &[Some(own.url())]).start().await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(gateway.record_of(&answer).await.attempts.len(), 1);
    let text = "the proxy that the key names is not usable now";
    eventually("it is known to be dead, and not tried", async || {
        let answer = gateway.generate().await;
        assert_eq!(answer.status, 502, "{}", answer.text());
        (answer.error()["message"] == text).then_some(())
    })
    .await;
    assert_eq!(gateway.upstream.count(), 0);
    assert_eq!(pool.connections(), 0);
}

#[tokio::test]
async fn a_key_with_a_proxy_of_its_own_is_not_sent_to_a_plain_http_provider() {
    let pool = http(1);
    let own = http(2);
    let gateway = with_keys(&pool, &[Some(own.url())])
        .upstream(gemini())
        .start()
        .await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("never sent through the proxy"));
    assert_eq!((own.connections(), gateway.upstream.count()), (0, 0));
}

#[tokio::test]
async fn administrators_give_keys_their_proxies() {
    let (pool, own) = (
        http(1),
        proxy(ProxyKind::Http, 2).login(USER, PASSWORD).start(),
    );
    let gateway = with_keys(&pool, &[None]).start().await;
    let admin = Operator::admin(&gateway).await;
    let key =
        json!({"provider": "google", "key": "AIza-admin-1", "priority": -5, "egress": own.url()});
    let made = admin.post("/api/keys", key).await.expect(201).json();
    assert_eq!(made["egress"], name(&own));
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(through(&gateway, "AIza-admin-1"), [exit(2).to_string()]);

    let path = format!("/api/keys/{}", made["id"]);
    let changed = admin
        .patch(&path, json!({"egress": null}))
        .await
        .expect(200);
    assert_eq!(changed.json()["egress"], json!(null));
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(through(&gateway, "AIza-admin-1")[1], exit(1).to_string());

    let many = json!({"ids": [made["id"]], "set": {"egress": own.url()}});
    admin.post("/api/keys/bulk_update", many).await.expect(200);
    assert_eq!(gateway.generate().await.status, 200);
    assert_eq!(through(&gateway, "AIza-admin-1")[2], exit(2).to_string());
    assert_eq!(came_directly(&gateway), 0);

    let log = admin.read("/api/activity_logs").await.to_string();
    assert!(log.contains(&format!("egress {}", name(&own))), "{log}");
    assert!(!log.contains("word"), "{log}");
}

#[tokio::test]
async fn what_is_no_proxy_is_refused_and_members_name_none() {
    let gateway = with_keys(&http(1), &[None]).start().await;
    let admin = Operator::admin(&gateway).await;
    let member = admin.make_member("mei").await;
    let key = |egress: &str| json!({"provider": "google", "key": "AIza-other-1", "egress": egress});
    for (egress, text) in [
        ("10.0.0.9:1080", "is not a proxy URL"),
        ("http://me:secret-word%@h:1", "%25"),
        ("http://169.254.169.254:80", "link-local"),
    ] {
        let answer = admin.post("/api/keys", key(egress)).await.expect(422);
        assert!(answer.text().contains(text), "{}", answer.text());
        assert!(answer.text().contains("egress"), "{}", answer.text());
        assert!(!answer.text().contains("secret-word"), "{}", answer.text());
    }
    member
        .post("/api/keys", key("http://h:1"))
        .await
        .expect(403);
    let own = json!({"provider": "google", "key": "AIza-other-2"});
    let own = member.post("/api/keys", own).await.expect(201).json();
    let path = format!("/api/keys/{}", own["id"]);
    member
        .patch(&path, json!({"egress": "http://h:1"}))
        .await
        .expect(403);
}
