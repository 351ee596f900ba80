//! What passes through a proxy: requests and streams, by every kind of proxy, and nothing that it could read.

use std::net::IpAddr;

use fake_upstream::{FakeProxy, Login, ProxyKind, gemini};
use tempfile::TempDir;

use super::{
    KEYS, PASSWORD, USER, attempts, behind, came_directly, exit, leaving_by, list, name, proxy,
    urls,
};
use crate::support::{Builder, MODEL, Operator, TestGateway, eventually};

const KINDS: [ProxyKind; 3] = [ProxyKind::Http, ProxyKind::Https, ProxyKind::Socks5];

/// A gateway behind one proxy, and the folder with the authority of an https:// one.
async fn behind_one(proxy: &FakeProxy, builder: Builder) -> (TestGateway, TempDir) {
    let folder = TempDir::new().unwrap();
    let mut builder = builder;
    if let Some(pem) = proxy.ca_pem() {
        let file = folder.path().join("proxies.pem");
        std::fs::write(&file, pem).unwrap();
        builder = builder.setting("egress.ca_file", &file.display().to_string());
    }
    (builder.start().await, folder)
}

#[tokio::test]
async fn requests_and_streams_pass_through_proxies_of_every_kind() {
    for kind in KINDS {
        for login in [None, Some((USER, PASSWORD))] {
            let script = proxy(kind, 1);
            let proxy = match login {
                Some((user, password)) => script.login(user, password).start(),
                None => script.start(),
            };
            let (gateway, _folder) = behind_one(&proxy, behind(&[&proxy])).await;
            let answer = gateway.generate().await;
            assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
            let streamed = gateway.stream().await;
            assert_eq!(streamed.said(), answer.said(), "{kind}");
            assert_eq!(super::came_through(&gateway, 1), 2, "{kind}");
            assert_eq!(came_directly(&gateway), 0, "{kind}");
            let shown = proxy.seen()[0].login.clone();
            let expected = login.map(|(user, password)| Login {
                user: user.to_owned(),
                password: password.to_owned(),
            });
            assert_eq!(shown, expected, "{kind}");
            let record = gateway.record_of(&answer).await;
            assert_eq!(attempts(&record), [(name(&proxy), "ok".to_owned())]);
            for key in 1..=KEYS {
                assert!(!proxy.saw(format!("AIza-key-{key}").as_bytes()), "{kind}");
            }
            assert!(!proxy.saw(MODEL.as_bytes()), "{kind}");
            assert!(!proxy.saw(b"Say hello"), "{kind}");
        }
    }
}

#[tokio::test]
async fn connections_through_a_proxy_are_kept_in_both_versions_of_http() {
    for http2 in ["true", "false"] {
        let proxy = super::http(1);
        let gateway = behind(&[&proxy]).provider("http2", http2).start().await;
        for _ in 0..10 {
            assert_eq!(gateway.generate().await.status, 200);
        }
        assert_eq!(proxy.connections(), 1, "http2: {http2}");
        let exit = IpAddr::V4(exit(1));
        assert_eq!(gateway.upstream.connections_from(exit), 1);
    }
}

#[tokio::test]
async fn the_proxy_resolves_the_provider_s_name() {
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let proxy = proxy(kind, 1).start();
        let upstream = gemini().tls().start().await;
        let port = upstream.addr().port();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, upstream.ca_pem().unwrap()).unwrap();
        let gateway = TestGateway::new()
            .base_url(format!("https://provider.localhost:{port}"))
            .provider("ca_file", &file.display().to_string())
            .setting("egress.proxies", &list(&[&proxy]))
            .setting("egress.fallback_to_direct", "false")
            .start()
            .await;
        assert_eq!(gateway.generate().await.status, 200, "{kind}");
        let target = proxy.seen()[0].target.clone();
        assert_eq!(target, Some(format!("provider.localhost:{port}")), "{kind}");
    }
}

#[tokio::test]
async fn an_https_proxy_whose_authority_nobody_trusts_gets_no_password() {
    let proxy = proxy(ProxyKind::Https, 1).login(USER, PASSWORD).start();
    let gateway = behind(&[&proxy]).start().await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let record = gateway.record_of(&answer).await;
    let expected = (name(&proxy), "proxy_tls_failed".to_owned());
    assert_eq!(attempts(&record), [expected]);
    assert!(proxy.seen().iter().all(|seen| seen.login.is_none()));
}

#[tokio::test]
async fn plain_http_never_passes_through_a_proxy() {
    for (fallback, status) in [("true", 200), ("false", 502)] {
        let proxy = super::http(1);
        let gateway = leaving_by(&urls(&[&proxy]), fallback)
            .upstream(gemini())
            .start()
            .await;
        let answer = gateway.generate().await;
        assert_eq!(answer.status, status, "{}", answer.text());
        if status == 502 {
            let text = "plain http, which is never sent through a proxy";
            assert!(answer.text().contains(text), "{}", answer.text());
            assert_eq!(gateway.upstream.count(), 0);
        }
        assert_eq!(proxy.connections(), 0);
        super::no_key_is_hurt(&gateway);
    }
}

#[tokio::test]
async fn connections_through_a_proxy_that_leaves_are_closed() {
    let proxies = [super::http(1), super::http(2)];
    let gateway = TestGateway::new()
        .upstream(gemini().tls())
        .keys((1..=KEYS).map(|key| format!("AIza-key-{key}")))
        .setting("pool.strategy", "round_robin")
        .start()
        .await;
    let admin = Operator::admin(&gateway).await;
    let all = urls(&[&proxies[0], &proxies[1]]);
    admin.set("egress.proxies", all).await;
    super::ask_with_every_key(&gateway).await;
    assert!(proxies.iter().all(|proxy| proxy.open() == 1));
    admin.set("egress.proxies", urls(&[&proxies[0]])).await;
    eventually(
        "the connections through the other one are closed",
        async || (proxies[1].open() == 0).then_some(()),
    )
    .await;
    assert_eq!(proxies[0].open(), 1);
}
