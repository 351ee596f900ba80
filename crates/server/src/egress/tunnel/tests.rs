//! What proxies may say, and what comes of it: answers that a test has written, byte by byte.

use config::Credentials;
use domain::Secret;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const TARGET: Target<'_> = Target {
    host: "provider.example",
    port: 443,
};

fn credentials() -> Credentials {
    Credentials {
        user: Secret::new("me"),
        password: Secret::new("hun:ter2"),
    }
}

/// Asks a proxy that says all of `answer` at once and then closes. Gives how that ended, and what it was asked.
async fn ask(
    answer: &[u8],
    connect: impl AsyncFnOnce(&mut DuplexStream) -> Result<(), ProxyFault>,
) -> (Result<(), ProxyFault>, Vec<u8>) {
    let (mut here, there) = duplex(1 << 16);
    let script = tell(there, answer);
    let asked = async {
        let ended = connect(&mut here).await;
        drop(here);
        ended
    };
    tokio::join!(asked, script)
}

async fn tell(mut there: DuplexStream, answer: &[u8]) -> Vec<u8> {
    there.write_all(answer).await.unwrap();
    there.shutdown().await.unwrap();
    let mut asked = Vec::new();
    there.read_to_end(&mut asked).await.unwrap();
    asked
}

async fn ask_http(
    target: Target<'_>,
    credentials: Option<&Credentials>,
    answer: &[u8],
) -> (Result<(), ProxyFault>, Vec<u8>) {
    let connect = async |io: &mut _| http::connect(io, target, credentials).await;
    ask(answer, connect).await
}

async fn ask_socks(
    target: Target<'_>,
    credentials: Option<&Credentials>,
    answer: &[u8],
) -> (Result<(), ProxyFault>, Vec<u8>) {
    let connect = async |io: &mut _| socks5::connect(io, target, credentials).await;
    ask(answer, connect).await
}

fn word(ended: &Result<(), ProxyFault>) -> &'static str {
    match ended {
        Ok(()) => "ok",
        Err(fault) => fault.reason(),
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_in_http() {
    let (ended, asked) =
        ask_http(TARGET, None, b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    assert_eq!(word(&ended), "ok");
    let expected = "CONNECT provider.example:443 HTTP/1.1\r\nHost: provider.example:443\r\n\r\n";
    assert_eq!(String::from_utf8(asked).unwrap(), expected);
    let ipv6 = Target {
        host: "::1",
        port: 8443,
    };
    let (ended, asked) = ask_http(ipv6, Some(&credentials()), b"HTTP/1.0 200\r\n\r\n").await;
    assert_eq!(word(&ended), "ok");
    let expected = "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\
                    Proxy-Authorization: Basic bWU6aHVuOnRlcjI=\r\n\r\n";
    assert_eq!(String::from_utf8(asked).unwrap(), expected);
}

#[tokio::test]
async fn what_an_http_proxy_answers_is_told_apart() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(100));
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "ok"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "ok"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>", "proxy_garbage"),
        ("HTTP/1.1 101 Switching\r\n\r\n", "proxy_refused"),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://portal\r\n\r\n",
            "proxy_refused",
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\n<html>", "proxy_refused"),
        ("HTTP/1.1 407 Who\r\n\r\n", "proxy_credentials"),
        ("HTTP/1.1 429 Slow\r\n\r\n", "proxy_refused"),
        (
            "HTTP/1.1 502 Bad gateway\r\n\r\n",
            "proxy_target_unreachable",
        ),
        ("HTTP/1.1 504 Timeout\r\n\r\n", "proxy_target_unreachable"),
        ("HTTP/1.1 511 Log in\r\n\r\n", "proxy_refused"),
        ("HTTP/1.1 2", "proxy_hung_up"),
        ("", "proxy_hung_up"),
        ("SSH-2.0-OpenSSH\r\n", "proxy_garbage"),
        (&endless, "proxy_garbage"),
        (&many, "proxy_garbage"),
        (&"HTTP/1.1 100 On\r\n\r\n".repeat(1_000), "proxy_garbage"),
    ] {
        let (ended, _) = ask_http(TARGET, Some(&credentials()), answer.as_bytes()).await;
        assert_eq!(word(&ended), expected, "{answer:.60}");
        let text = ended.err().map(|fault| fault.to_string());
        assert!(!text.unwrap_or_default().contains("ter2"), "{answer}");
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_in_socks5() {
    let opened = [5, 0, 5, 0, 0, 1, 10, 0, 0, 1, 4, 56];
    let (ended, asked) = ask_socks(TARGET, None, &opened).await;
    assert_eq!(word(&ended), "ok");
    let expected = [
        &[5, 1, 0, 5, 1, 0, 3, 16][..],
        b"provider.example",
        &[1, 187],
    ]
    .concat();
    assert_eq!(asked, expected);

    let named = [&[5, 2, 1, 0, 5, 0, 0, 3, 2][..], b"ab", &[0, 80]].concat();
    let ipv4 = Target {
        host: "10.1.2.3",
        port: 80,
    };
    let (ended, asked) = ask_socks(ipv4, Some(&credentials()), &named).await;
    assert_eq!(word(&ended), "ok");
    let log_in = [&[1, 2][..], b"me", &[8], b"hun:ter2"].concat();
    let request = [5, 1, 0, 1, 10, 1, 2, 3, 0, 80];
    assert_eq!(asked, [&[5, 2, 0, 2][..], &log_in, &request].concat());

    let ipv6 = Target {
        host: "fd00::9",
        port: 443,
    };
    let opened = [&[5, 0, 5, 0, 0, 4][..], &[0; 16], &[0, 80]].concat();
    let (ended, asked) = ask_socks(ipv6, None, &opened).await;
    assert_eq!(word(&ended), "ok");
    let address = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    assert_eq!(
        asked[3..],
        [&[5, 1, 0, 4][..], &address, &[1, 187]].concat()
    );
}

#[tokio::test]
async fn what_a_socks_proxy_answers_is_told_apart() {
    let some = credentials();
    for (shown, answer, expected) in [
        (None, &[5, 0xff][..], "proxy_credentials"),
        (Some(&some), &[5, 0xff], "proxy_credentials"),
        (Some(&some), &[5, 2, 1, 1], "proxy_credentials"),
        // This one chose to ask for nothing.
        (Some(&some), &[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0], "ok"),
        (None, &[5, 2], "proxy_garbage"),
        (None, &[5, 1], "proxy_garbage"),
        (None, &[4, 0], "proxy_garbage"),
        (None, b"HTTP/1.1 400 Bad\r\n\r\n", "proxy_garbage"),
        (None, &[5, 0, 5, 1, 0, 1], "proxy_target_unreachable"),
        (None, &[5, 0, 5, 2, 0, 1], "proxy_refused"),
        (None, &[5, 0, 5, 3, 0, 1], "proxy_target_unreachable"),
        (None, &[5, 0, 5, 6, 0, 1], "proxy_target_unreachable"),
        (None, &[5, 0, 5, 7, 0, 1], "proxy_refused"),
        (None, &[5, 0, 5, 0, 0, 9], "proxy_garbage"),
        (None, &[5, 0, 5, 0, 0, 3, 200, 1], "proxy_hung_up"),
        (None, &[5, 0, 9, 0, 0, 1], "proxy_garbage"),
        (None, &[5], "proxy_hung_up"),
    ] {
        let (ended, _) = ask_socks(TARGET, shown, answer).await;
        assert_eq!(word(&ended), expected, "{answer:?}");
    }
}

#[tokio::test]
async fn what_follows_a_socks_answer_is_left_to_the_tunnel() {
    let (mut here, mut there) = duplex(1 << 16);
    there
        .write_all(&[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    there.write_all(b"the tunnel's").await.unwrap();
    drop(there.shutdown().await);
    socks5::connect(&mut here, TARGET, None).await.unwrap();
    let mut rest = String::new();
    here.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "the tunnel's");
}

proptest! {
    #[test]
    fn whatever_a_proxy_says_it_is_read_without_harm(answer: Vec<u8>, begin in 0_usize..3) {
        let begin: &[u8] = [&b""[..], b"HTTP/1.1 200 ", &[5, 0, 5, 0, 0, 3]][begin];
        let answer = [begin, &answer].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_, asked) = ask_http(TARGET, None, &answer).await;
            assert!(asked.starts_with(b"CONNECT "));
            let (_, asked) = ask_socks(TARGET, None, &answer).await;
            assert!(asked.starts_with(&[5, 1, 0]));
        });
    }
}
