//! HTTPS: the stand-in's own authority, HTTP/1.1 and HTTP/2.

use std::sync::Arc;

use fake_upstream::{FakeUpstream, Rule, gemini};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Answer, Ask, ask_model, generate, read, within};

async fn connect(upstream: &FakeUpstream, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let pem = upstream.ca_pem().unwrap();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(upstream.addr()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn http1_is_served_over_tls() {
    let upstream = gemini().says("hi").tls().start().await;
    assert!(upstream.base_url().starts_with("https://127.0.0.1:"));
    let io = TokioIo::new(connect(&upstream, b"http/1.1").await);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's runtime outlives its connections"
    )]
    tokio::spawn(connection);
    let response = within(sender.send_request(generate("x").key("k").request()))
        .await
        .unwrap();
    assert_eq!(within(read(response)).await.said(), "hi");
}

/// Sends one request over a fresh HTTP/2 connection.
async fn over_http2(upstream: &FakeUpstream, ask: Ask) -> Answer {
    let io = TokioIo::new(connect(upstream, b"h2").await);
    let executor = TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's runtime outlives its connections"
    )]
    tokio::spawn(connection);
    let mut request = ask.key("k").request();
    let uri = format!("{}{}", upstream.base_url(), request.uri());
    *request.uri_mut() = uri.parse().unwrap();
    request.headers_mut().remove("host");
    within(read(within(sender.send_request(request)).await.unwrap())).await
}

#[tokio::test]
async fn http2_is_served_over_tls() {
    let upstream = gemini().says("hi").tls().start().await;
    assert_eq!(over_http2(&upstream, generate("x")).await.said(), "hi");
}

#[tokio::test]
async fn faults_in_the_middle_keep_their_chunks_over_http2() {
    for rule in [
        Rule::new().cut_after_chunks(2),
        Rule::new().reset_after_chunks(2),
    ] {
        let upstream = gemini().tls().rule(rule).start().await;
        let ask = ask_model("streamGenerateContent?alt=sse", "x");
        let answer = over_http2(&upstream, ask).await;
        assert!(answer.broken);
        assert_eq!(answer.events().len(), 2);
    }
}
