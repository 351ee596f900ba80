//! Sessions leave as every attempt does: encrypted, and through outbound proxies.

use fake_upstream::{ProxyFault, ProxyKind, ProxyScript, gemini};
use serde_json::json;

use super::Session;
use crate::support::{Operator, TestGateway};

#[tokio::test]
async fn a_session_is_encrypted_on_its_way_to_the_provider() {
    let gateway = TestGateway::new().upstream(gemini().tls()).start().await;
    // HTTP/2, which other requests are sent by, opens no WebSocket.
    assert_eq!(gateway.generate().await.status, 200);
    let mut session = Session::begin(&gateway).await;
    assert_eq!(session.ask("hello").await, "You said: hello");
}

#[tokio::test]
async fn a_session_goes_through_every_kind_of_proxy() {
    for kind in [ProxyKind::Http, ProxyKind::Https, ProxyKind::Socks5] {
        let proxy = ProxyScript::of(kind).start();
        let folder = tempfile::TempDir::new().unwrap();
        let mut builder = TestGateway::new();
        if let Some(pem) = proxy.ca_pem() {
            let file = folder.path().join("proxy.pem");
            std::fs::write(&file, pem).unwrap();
            builder = builder.setting("egress.ca_file", &file.display().to_string());
        }
        let gateway = builder
            .upstream(gemini().tls())
            .setting("egress.proxies", &json!([proxy.url()]).to_string())
            .setting("egress.fallback_to_direct", "false")
            .start()
            .await;
        let admin = Operator::admin(&gateway).await;
        let mut session = Session::begin(&gateway).await;
        assert_eq!(session.ask("hello").await, "You said: hello", "{kind:?}");
        let rows = admin.rows("/api/live_sessions").await;
        assert_eq!(rows[0]["egress"], proxy.bare_url());
        session.close().await;
        let record = gateway.only_record().await;
        assert_eq!(*record.attempts[0].egress, *proxy.bare_url());
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_lead_there_costs_no_key() {
    let bad = ProxyScript::of(ProxyKind::Http)
        .fault(ProxyFault::HangUp)
        .start();
    let gateway = TestGateway::new()
        .upstream(gemini().tls())
        .setting("egress.proxies", &json!([bad.url()]).to_string())
        .start()
        .await;
    let mut session = Session::begin(&gateway).await;
    assert_eq!(session.ask("hello").await, "You said: hello");
    assert_eq!(gateway.health(0), "active");
}
