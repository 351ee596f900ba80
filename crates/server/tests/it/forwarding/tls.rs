//! The way to the provider over TLS, HTTP/1.1 and HTTP/2.

use fake_upstream::gemini;

use super::{check_echo, open};
use crate::support::{Answer, MODEL, generate_path};

/// Everything that a caller does, over TLS to the provider. HTTP/2 has no `host` header.
async fn check_tls(http2: &str, has_host: bool) {
    let gateway = open()
        .upstream(gemini().says("hello").tls())
        .provider("http2", http2)
        .start()
        .await;
    let unary = gateway.generate().await;
    let streamed = gateway.stream().await;
    for answer in [unary, streamed] {
        assert_eq!((answer.status, answer.said()), (200, "hello".to_owned()));
    }
    check_echo(
        &gateway,
        "PATCH",
        "/v1beta/corpora/x?a=%20",
        &vec![7; 300_000],
    )
    .await;
    let bad = gateway.post(&generate_path(MODEL), "{").await;
    assert_eq!(bad.status, 400);
    let seen = gateway.upstream.seen();
    assert_eq!(seen.len(), 4);
    for seen in seen {
        assert_eq!(seen.header("host").is_some(), has_host);
        assert_eq!(seen.key.as_deref(), Some("AIza-key-1"));
    }
}

#[tokio::test]
async fn a_provider_is_reached_over_tls_with_http_2() {
    check_tls("true", false).await;
}

#[tokio::test]
async fn a_provider_is_reached_over_tls_with_http_1_1() {
    check_tls("false", true).await;
}

#[tokio::test]
async fn many_requests_at_once_share_http_2_connections() {
    let gateway = open().upstream(gemini().says("hello").tls()).start().await;
    let answers: Vec<Answer> =
        futures_util::future::join_all((0..150).map(|_| gateway.generate())).await;
    assert!(answers.iter().all(|answer| answer.said() == "hello"));
    assert_eq!(gateway.upstream.count(), 150);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let gateway = open().upstream(gemini().tls()).distrusting().start().await;
    let answer = gateway.generate().await;
    assert_eq!(answer.status, 503);
    let message = answer.error()["message"].to_string();
    assert!(message.contains("could not be reached"), "{message}");
    let record = gateway.only_record().await;
    let outcome = &record.attempts[0].outcome;
    assert_eq!(
        (outcome.class, &*outcome.reason),
        (domain::Class::Network, "tls_failed")
    );
    assert_eq!(gateway.health(0), "active");
    assert_eq!(gateway.upstream.count(), 0);
}
