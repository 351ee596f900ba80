//! HTTPS: the stand-in's own authority, HTTP/1.1 and HTTP/2.

use fake_upstream::{FakeUpstream, Rule, gemini};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::{Answer, Ask, ask_model, generate, read, secured, within};

async fn connect(upstream: &FakeUpstream, protocol: &[u8]) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(upstream.addr()).await.unwrap();
    let authority = upstream.ca_pem().unwrap();
    secured(stream, "127.0.0.1", &authority, protocol)
        .await
        .unwrap()
}

#[tokio::test]
async fn http1_is_served_over_tls() {
    let upstream = gemini().says("hi").tls().start().await;
    assert!(upstream.base_url().starts_with("https://127.0.0.1:"));
    let stream = connect(&upstream, b"http/1.1").await;
    let response = within(generate("x").key("k").open_on(stream))
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
