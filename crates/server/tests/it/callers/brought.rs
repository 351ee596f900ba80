//! Provider keys that callers bring: used before the pool, and never mistaken for anybody's but theirs.

use fake_upstream::{FakeKey, KeyFault, gemini};

use super::{ask, check, generate_path};
use crate::support::{Answer, CLIENT_KEY, TestGateway, request};

const BROUGHT: &str = "AIza-brought-by-caller";

async fn with_brought_key(gateway: &TestGateway) -> Answer {
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("X-Google-API-Key", BROUGHT),
    ];
    ask(gateway, &generate_path(), &headers).await
}

#[tokio::test]
async fn a_brought_key_is_used_before_the_pool() {
    let gateway = TestGateway::new().start().await;
    let answer = with_brought_key(&gateway).await;
    assert_eq!(answer.status, 200);
    assert_eq!(gateway.upstream.seen()[0].key.as_deref(), Some(BROUGHT));
    assert_eq!(gateway.upstream.count(), 1);
    assert_eq!(answer.header("x-keymux-attempts"), "1");
    assert_eq!(answer.header("x-keymux-key"), "");
    let record = gateway.only_record().await;
    assert!(record.key.is_none() && record.client.is_some());
    assert_eq!(record.attempts[0].chosen, *"brought by the caller");
}

#[tokio::test]
async fn a_brought_key_is_no_client_key() {
    let gateway = TestGateway::new().start().await;
    check(&gateway, &[("X-Google-API-Key", BROUGHT)], "", 401).await;
    check(&gateway, &[("X-Google-API-Key", CLIENT_KEY)], "", 401).await;
}

#[tokio::test]
async fn a_brought_key_that_fails_hurts_no_key_of_the_pool_and_falls_back_to_it() {
    for fault in [
        KeyFault::InvalidDebugInfo,
        KeyFault::Leaked,
        KeyFault::Suspended,
        KeyFault::PrepayDepleted,
        KeyFault::BareQuota,
        KeyFault::ModelNewUsers,
        KeyFault::Internal,
    ] {
        let script = gemini()
            .key(FakeKey::new(BROUGHT).fault(fault))
            .key(FakeKey::new("AIza-key-1"));
        let gateway = TestGateway::new().upstream(script).start().await;
        let answer = with_brought_key(&gateway).await;
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
        let seen = gateway.upstream.seen();
        let keys: Vec<_> = seen.iter().map(|seen| seen.key.as_deref()).collect();
        assert_eq!(keys, [Some(BROUGHT), Some("AIza-key-1")], "{fault:?}");
        assert_eq!(gateway.health(0), "active", "{fault:?}");
        assert_eq!(gateway.pair_cooling(0), 0, "{fault:?}");
        assert!(!answer.text().contains(BROUGHT), "{fault:?}");
        assert_eq!(answer.header("x-keymux-attempts"), "2");
        assert_ne!(answer.header("x-keymux-key"), "");
    }
}

#[tokio::test]
async fn a_callers_mistake_with_a_brought_key_is_not_tried_with_the_pool() {
    let gateway = TestGateway::new().start().await;
    let headers = [
        ("x-goog-api-key", CLIENT_KEY),
        ("X-Google-API-Key", BROUGHT),
    ];
    let answer = gateway
        .send(request("POST", &generate_path(), &headers, "{\"no\": 1}"))
        .await;
    assert_eq!((answer.status, gateway.upstream.count()), (400, 1));
}
