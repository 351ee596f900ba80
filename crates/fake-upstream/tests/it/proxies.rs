//! Proxies between a client and the stand-ins: both languages, logins, what is remembered, faults,
//! and the limits of what is relayed.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_upstream::{
    FakeProxy, FakeUpstream, Login, ProxyFault, ProxyKind, ProxyScript, Rule, gemini, http_proxy,
    https_proxy, openai, perplexity, socks5_proxy, xai,
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    Answer, Ask, ask_model, eventually, generate, get, post, read, secured, within,
};

const KINDS: [ProxyKind; 3] = [ProxyKind::Http, ProxyKind::Https, ProxyKind::Socks5];

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Connection = Box<dyn Stream>;

/// A connection to the proxy itself, TLS in front of it done.
async fn reach(proxy: &FakeProxy) -> io::Result<Connection> {
    let stream = TcpStream::connect(proxy.addr()).await?;
    Ok(match proxy.ca_pem() {
        None => Box::new(stream),
        Some(root) => Box::new(secured(stream, "127.0.0.1", &root, b"http/1.1").await?),
    })
}

/// The code that a request to connect is answered with, and the connection: 200 or 0 is a tunnel.
async fn ask_for(
    proxy: &FakeProxy,
    target: &str,
    login: Option<(&str, &str)>,
) -> io::Result<(u16, Connection)> {
    let mut stream = reach(proxy).await?;
    let code = match proxy.kind() {
        ProxyKind::Http | ProxyKind::Https => connect(&mut stream, target, login).await?,
        ProxyKind::Socks5 => socks(&mut stream, target, login).await?,
    };
    Ok((code, stream))
}

async fn connect(
    stream: &mut Connection,
    target: &str,
    login: Option<(&str, &str)>,
) -> io::Result<u16> {
    let login = login.map(|(user, password)| {
        let text = STANDARD.encode(format!("{user}:{password}"));
        format!("proxy-authorization: Basic {text}\r\n")
    });
    let login = login.unwrap_or_default();
    let head = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{login}\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    let answer = String::from_utf8(answer).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .map(|rest| rest[..3].parse());
    Ok(status.expect("a status line").unwrap())
}

/// 255 is no method in common, 256 a refused login.
async fn socks(
    stream: &mut Connection,
    target: &str,
    login: Option<(&str, &str)>,
) -> io::Result<u16> {
    let offered: &[u8] = if login.is_some() {
        &[5, 2, 0, 2]
    } else {
        &[5, 1, 0]
    };
    stream.write_all(offered).await?;
    let mut method = [0; 2];
    stream.read_exact(&mut method).await?;
    if method[1] == 255 {
        return Ok(255);
    }
    if let Some((user, password)) = login.filter(|_| method[1] == 2) {
        let mut words = vec![1, user.len() as u8];
        words.extend(user.bytes());
        words.push(password.len() as u8);
        words.extend(password.bytes());
        stream.write_all(&words).await?;
        let mut verdict = [0; 2];
        stream.read_exact(&mut verdict).await?;
        if verdict[1] != 0 {
            return Ok(256);
        }
    }
    let (host, port) = target.rsplit_once(':').unwrap();
    let mut words = vec![5, 1, 0];
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => words.extend([&[1][..], &ip.octets()].concat()),
        Ok(IpAddr::V6(ip)) => words.extend([&[4][..], &ip.octets()].concat()),
        Err(_) => words.extend([&[3, host.len() as u8][..], host.as_bytes()].concat()),
    }
    words.extend(port.parse::<u16>().unwrap().to_be_bytes());
    stream.write_all(&words).await?;
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).await?;
    Ok(reply[1].into())
}

async fn tunnel(proxy: &FakeProxy, upstream: &FakeUpstream) -> Connection {
    let (code, stream) = within(ask_for(proxy, &upstream.addr().to_string(), None))
        .await
        .unwrap();
    assert_eq!(code, connected(proxy));
    stream
}

fn connected(proxy: &FakeProxy) -> u16 {
    if proxy.kind() == ProxyKind::Socks5 {
        0
    } else {
        200
    }
}

/// One request through the proxy, by TLS when the stand-in speaks it.
async fn send(ask: Ask, proxy: &FakeProxy, upstream: &FakeUpstream) -> Answer {
    let stream = tunnel(proxy, upstream).await;
    let response = match upstream.ca_pem() {
        None => within(ask.open_on(stream)).await,
        Some(root) => {
            let inner = secured(stream, "127.0.0.1", &root, b"http/1.1");
            within(ask.open_on(within(inner).await.unwrap())).await
        }
    };
    within(read(response.unwrap())).await
}

fn exit(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, last)
}

#[tokio::test]
async fn every_kind_relays_tls_without_seeing_into_it() {
    let upstream = gemini().says("hi").tls().start().await;
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).start();
        let answer = send(generate("x").key("AIza-secret"), &proxy, &upstream).await;
        assert_eq!(answer.said(), "hi", "{kind}");
        assert!(!proxy.saw(b"AIza-secret"), "{kind}");
        let seen = &proxy.seen()[0];
        assert_eq!(seen.target, Some(upstream.addr().to_string()));
        assert!(seen.connected && seen.from_target_len > 0 && seen.from_client_len > 0);
    }
    assert_eq!(upstream.count_for_key("AIza-secret"), 3);
}

#[tokio::test]
async fn a_key_that_passes_in_the_clear_is_noticed() {
    let upstream = gemini().start().await;
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).start();
        send(generate("x").key("AIza-open"), &proxy, &upstream).await;
        assert!(proxy.saw(b"AIza-open"), "{kind}");
        assert!(!proxy.saw(b"AIza-other"), "{kind}");
    }
}

#[tokio::test]
async fn every_stand_in_speaks_tls_with_an_authority_of_its_own() {
    let proxy = socks5_proxy().start();
    for script in [xai(), perplexity(), openai()] {
        let upstream = script.tls().start().await;
        assert!(upstream.base_url().starts_with("https://"));
        let answer = send(get("/v1/models").bearer("k"), &proxy, &upstream).await;
        assert_eq!(answer.status, 200, "{}", upstream.provider());
    }
}

#[tokio::test]
async fn a_login_is_asked_for_and_remembered() {
    let upstream = gemini().start().await;
    let target = upstream.addr().to_string();
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).login("me", "p:w d").start();
        let code = async |login| {
            let answered = within(ask_for(&proxy, &target, login)).await;
            answered.unwrap().0
        };
        let (none, wrong) = if kind == ProxyKind::Socks5 {
            (255, 256)
        } else {
            (407, 407)
        };
        assert_eq!(code(None).await, none, "{kind}");
        assert_eq!(code(Some(("me", "guess"))).await, wrong, "{kind}");
        assert_eq!(
            code(Some(("me", "p:w d"))).await,
            connected(&proxy),
            "{kind}"
        );
        let shown: Vec<_> = proxy.seen().into_iter().map(|seen| seen.login).collect();
        let login = |password: &str| {
            let (user, password) = ("me".to_owned(), password.to_owned());
            Some(Login { user, password })
        };
        assert_eq!(shown, [None, login("guess"), login("p:w d")], "{kind}");
        let address = proxy.addr();
        assert_eq!(proxy.url(), format!("{kind}://me:p%3Aw%20d@{address}"));
        assert_eq!(proxy.bare_url(), format!("{kind}://{address}"));
    }
}

#[tokio::test]
async fn names_of_loopback_are_resolved_and_nothing_else_is_reached() {
    let upstream = gemini().start().await;
    let port = upstream.addr().port();
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).start();
        let code = async |target: String| {
            let answered = within(ask_for(&proxy, &target, None)).await;
            answered.unwrap().0
        };
        for name in ["localhost", "provider.localhost"] {
            let code = code(format!("{name}:{port}")).await;
            assert_eq!(code, connected(&proxy), "{kind} {name}");
        }
        let forbidden = if kind == ProxyKind::Socks5 { 2 } else { 403 };
        for elsewhere in ["192.0.2.1:443", "[2001:db8::1]:443", "example.com:443"] {
            let code = code(elsewhere.to_owned()).await;
            assert_eq!(code, forbidden, "{kind} {elsewhere}");
        }
        let asked = proxy.seen().pop().unwrap();
        assert_eq!(asked.target.as_deref(), Some("example.com:443"));
        assert!(!asked.connected);
    }
}

#[tokio::test]
async fn a_proxy_listens_and_comes_from_loopback_alone() {
    let outside = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(http_proxy().start_on(outside).is_err());
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let other = http_proxy().exit(Ipv4Addr::new(192, 0, 2, 1));
    assert!(other.start_on(loopback).is_err());
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_unreachable_through_any_proxy() {
    let dead = http_proxy().fault(ProxyFault::ClosedPort).start();
    let target = dead.addr().to_string();
    for (proxy, expected) in [(http_proxy().start(), 502), (socks5_proxy().start(), 4)] {
        let answered = within(ask_for(&proxy, &target, None)).await;
        assert_eq!(answered.unwrap().0, expected);
    }
}

#[tokio::test]
async fn an_http_proxy_forwards_no_requests() {
    let proxy = http_proxy().start();
    let response = within(get("http://127.0.0.1:1/").open_on(reach(&proxy).await.unwrap())).await;
    assert_eq!(response.unwrap().status(), 405);
}

#[tokio::test]
async fn a_throttled_exit_refuses_every_key_and_no_other_exit() {
    let throttled = Rule::new()
        .peer(exit(9).into())
        .fixture("gemini/errors/429_bare.json");
    let upstream = gemini().says("hi").rule(throttled).start().await;
    let bad = socks5_proxy().exit(exit(9)).start();
    let good = http_proxy().exit(exit(8)).start();
    for key in ["a", "b"] {
        let refused = send(generate("x").key(key), &bad, &upstream).await;
        assert_eq!(refused.status, 429);
        let served = send(generate("x").key(key), &good, &upstream).await;
        assert_eq!(served.said(), "hi");
    }
    let from = |last| upstream.count_from(exit(last).into());
    assert_eq!((from(9), from(8), from(1)), (2, 2, 0));
    let connections = |last| upstream.connections_from(exit(last).into());
    assert_eq!((connections(9), connections(8)), (2, 2));
    eventually(|| upstream.open_from(exit(9).into()) == 0).await;
    assert_eq!(upstream.seen()[0].peer.ip(), IpAddr::V4(exit(9)));
}

#[tokio::test]
async fn a_closed_port_refuses_at_once_and_opens_again() {
    let upstream = gemini().start().await;
    let proxy = http_proxy().start();
    for _ in 0..3 {
        proxy.set_fault(Some(ProxyFault::ClosedPort));
        let refused = TcpStream::connect(proxy.addr()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        proxy.set_fault(None);
        send(generate("x").key("k"), &proxy, &upstream).await;
    }
    assert_eq!(proxy.connections(), 3);
}

#[tokio::test]
async fn a_proxy_that_hangs_up_answers_nothing() {
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).fault(ProxyFault::HangUp).start();
        let answered = within(ask_for(&proxy, "127.0.0.1:1", None)).await;
        assert!(answered.is_err(), "{kind}");
    }
}

#[tokio::test]
async fn a_proxy_hangs_before_during_and_after_the_request_to_connect() {
    let upstream = gemini().start().await;
    let target = upstream.addr().to_string();
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).start();
        for fault in [ProxyFault::Hang, ProxyFault::HangAtConnect] {
            proxy.set_fault(Some(fault));
            let asked = ask_for(&proxy, &target, None);
            let waited = tokio::time::timeout(Duration::from_millis(50), asked).await;
            assert!(waited.is_err(), "{kind} {fault:?}");
        }
        proxy.set_fault(Some(ProxyFault::HangInTunnel));
        let ask = generate("x").key("k");
        let asked = ask.open_on(tunnel(&proxy, &upstream).await);
        let waited = tokio::time::timeout(Duration::from_millis(50), asked).await;
        assert!(waited.is_err(), "{kind}");
        assert_eq!(upstream.count(), 0);
    }
}

#[tokio::test]
async fn logins_can_all_be_refused() {
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).login("me", "pw").start();
        proxy.set_fault(Some(ProxyFault::WrongLogin));
        let answered = within(ask_for(&proxy, "127.0.0.1:1", Some(("me", "pw")))).await;
        let expected = if kind == ProxyKind::Socks5 { 256 } else { 407 };
        assert_eq!(answered.unwrap().0, expected, "{kind}");
    }
}

#[tokio::test]
async fn a_request_to_connect_is_refused_in_the_proxys_own_words() {
    let cases = [
        (ProxyKind::Http, ProxyFault::Unreachable, 502),
        (ProxyKind::Https, ProxyFault::Refuses(503), 503),
        (ProxyKind::Socks5, ProxyFault::Unreachable, 4),
        (ProxyKind::Socks5, ProxyFault::Refuses(6), 6),
    ];
    for (kind, fault, expected) in cases {
        let proxy = ProxyScript::of(kind).fault(fault).start();
        let answered = within(ask_for(&proxy, "127.0.0.1:1", None)).await;
        assert_eq!(answered.unwrap().0, expected, "{kind} {fault:?}");
        let seen = &proxy.seen()[0];
        assert_eq!(seen.target.as_deref(), Some("127.0.0.1:1"));
        assert!(!seen.connected);
    }
}

#[tokio::test]
async fn garbage_is_neither_language_and_a_header_can_be_without_end() {
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).fault(ProxyFault::Garbage).start();
        let mut stream = reach(&proxy).await.unwrap();
        stream.write_all(b"\x05\x01\x00").await.unwrap();
        let mut answer = Vec::new();
        within(stream.read_to_end(&mut answer)).await.unwrap();
        assert!(!answer.is_empty() && answer[0] != 5 && !answer.starts_with(b"HTTP"));

        proxy.set_fault(Some(ProxyFault::EndlessHeader));
        let mut stream = reach(&proxy).await.unwrap();
        stream.write_all(b"\x05\x01\x00").await.unwrap();
        let mut answer = vec![0; 1_000_000];
        within(stream.read_exact(&mut answer)).await.unwrap();
        assert!(!answer.ends_with(b"\n") && !answer.windows(4).any(|w| w == b"\r\n\r\n"));
    }
}

#[tokio::test]
async fn a_tunnel_is_cut_or_stalls_after_the_bytes_it_may_carry() {
    let upstream = gemini().answer_bytes(100_000).start().await;
    let request = "POST /v1beta/models/gemini-3.8-flash:generateContent?key=k HTTP/1.1\r\n\
        host: x\r\ncontent-length: 54\r\n\r\n\
        {\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}";
    for kind in KINDS {
        let proxy = ProxyScript::of(kind).start();
        proxy.set_fault(Some(ProxyFault::CutAfter(5_000)));
        let mut stream = tunnel(&proxy, &upstream).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        let end = within(stream.read_to_end(&mut got)).await;
        assert!(end.is_err() && got.len() <= 5_000, "{kind}: {end:?}");

        proxy.set_fault(Some(ProxyFault::StallAfter(5_000)));
        let mut stream = tunnel(&proxy, &upstream).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut got = vec![0; 5_000];
        within(stream.read_exact(&mut got)).await.unwrap();
        let more = tokio::time::timeout(Duration::from_millis(50), stream.read_u8());
        assert!(more.await.is_err(), "{kind}");
        drop(stream);
        eventually(|| proxy.open() == 0).await;
    }
}

#[tokio::test]
async fn a_fault_holds_for_new_connections_and_open_ones_are_cut_on_demand() {
    let pause = Duration::from_millis(20);
    let upstream = gemini().chunks(1_000, pause).start().await;
    let proxy = http_proxy().start();
    let ask = ask_model("streamGenerateContent?alt=sse", "x").key("k");
    let response = within(ask.open_on(tunnel(&proxy, &upstream).await)).await;
    proxy.set_fault(Some(ProxyFault::ClosedPort));
    assert_eq!(proxy.open(), 1);
    proxy.cut_connections();
    assert!(within(read(response.unwrap())).await.broken);
    eventually(|| proxy.open() == 0 && !proxy.seen()[0].open).await;
    eventually(|| upstream.seen()[0].disconnected).await;
    proxy.clear_seen();
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn a_man_in_the_middle_is_found_out_by_whoever_verifies() {
    let upstream = gemini().tls().start().await;
    let root = upstream.ca_pem().unwrap();
    for kind in KINDS {
        let proxy = ProxyScript::of(kind)
            .fault(ProxyFault::ManInTheMiddle)
            .start();
        let stream = tunnel(&proxy, &upstream).await;
        let refused = within(secured(stream, "127.0.0.1", &root, b"http/1.1")).await;
        assert_eq!(
            refused.err().map(|e| e.kind()),
            Some(ErrorKind::InvalidData),
            "{kind}"
        );
        assert!(proxy.seen()[0].opened.is_empty(), "{kind}");
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_man_in_the_middle_reads_whoever_does_not_verify() {
    let upstream = gemini().tls().start().await;
    let proxy = http_proxy().fault(ProxyFault::ManInTheMiddle).start();
    let stream = tunnel(&proxy, &upstream).await;
    let mut inner = within(unverified::secured(stream)).await.unwrap();
    inner.write_all(b"x-goog-api-key: AIza-1").await.unwrap();
    inner.flush().await.unwrap();
    eventually(|| proxy.saw(b"AIza-1")).await;
}

/// A client that takes any certificate.
mod unverified {
    use std::io;
    use std::sync::Arc;

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::ring::default_provider;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use super::Connection;

    #[derive(Debug)]
    struct Credulous;

    impl ServerCertVerifier for Credulous {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            let algorithms = default_provider().signature_verification_algorithms;
            algorithms.supported_schemes()
        }
    }

    pub(super) async fn secured(stream: Connection) -> io::Result<TlsStream<Connection>> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous))
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }
}

#[tokio::test]
async fn an_unrecorded_proxy_counts_and_remembers_nothing() {
    let upstream = gemini().start().await;
    let proxy = http_proxy().unrecorded().start();
    send(generate("x").key("k"), &proxy, &upstream).await;
    assert_eq!((proxy.connections(), proxy.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_stopped_proxy_ends_its_connections() {
    let proxy = https_proxy().start();
    let mut open = TcpStream::connect(proxy.addr()).await.unwrap();
    within(proxy.stop()).await;
    let end = within(open.read(&mut [0; 1])).await;
    assert!(matches!(end, Ok(0) | Err(_)));
}

#[tokio::test]
async fn proxies_are_steered_over_http() {
    let (first, second) = (http_proxy().start(), socks5_proxy().exit(exit(7)).start());
    let upstream = gemini().steers(&first).steers(&second).start().await;
    let list = async || get("/_fake/proxies").send(&upstream).await.json();
    let listed = list().await;
    assert_eq!(listed[0]["url"], first.url());
    assert_eq!(
        (&listed[1]["kind"], &listed[1]["exit"]),
        (&json!("socks5"), &json!("127.0.0.7"))
    );
    assert_eq!(listed[1]["fault"], Value::Null);

    let put = async |path: &str, body: &str| {
        let answer = post(path, body.to_owned())
            .method("PUT")
            .send(&upstream)
            .await;
        (answer.status.as_u16(), answer.text())
    };
    let set = put("/_fake/proxies/1", r#"{"fault": {"refuses": 3}}"#).await;
    assert_eq!(set.0, 200, "{}", set.1);
    assert_eq!(list().await[1]["fault"], json!({"refuses": 3}));
    let target = upstream.addr().to_string();
    assert_eq!(within(ask_for(&second, &target, None)).await.unwrap().0, 3);
    put("/_fake/proxies/1", r#"{"fault": null}"#).await;
    let (code, stream) = within(ask_for(&second, &target, None)).await.unwrap();
    assert_eq!(code, 0);
    assert_eq!(list().await[1]["seen"][1]["target"], json!(target));
    get("/_fake/proxies/1")
        .method("DELETE")
        .send(&upstream)
        .await;
    eventually(|| second.open() == 0).await;
    drop(stream);

    for (path, body, named) in [
        ("/_fake/proxies/2", r#"{"fault": null}"#, "no proxy \"2\""),
        ("/_fake/proxies/0", "{}", "`fault`"),
        ("/_fake/proxies/0", r#"{"fault": "sulks"}"#, "sulks"),
    ] {
        let (status, text) = put(path, body).await;
        assert_eq!(status, 400);
        assert!(text.contains(&named.replace('"', "\\\"")), "{text}");
    }
}

#[tokio::test]
async fn rules_of_an_exit_are_steered_over_http() {
    let upstream = gemini().start().await;
    let rule = r#"{"peer": "127.0.0.9", "then": {"respond": {"status": 403}}}"#;
    post("/_fake/rules", rule).send(&upstream).await;
    let proxy = http_proxy().exit(exit(9)).start();
    let refused = send(generate("x").key("k"), &proxy, &upstream).await;
    assert_eq!(refused.status, 403);
    assert_eq!(generate("x").send(&upstream).await.status, 200);
}
