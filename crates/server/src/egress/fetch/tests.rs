//! Images from a scripted host: what is fetched, what is refused, and what the host gets to see.

use std::net::SocketAddr;
use std::sync::Mutex;

use http::StatusCode;
use http_body_util::Full;

use super::*;
use crate::test_server::{Asked, serve};

/// Lets tests name the machine they run on.
const LIMITS: Limits = Limits {
    most_bytes: 100,
    time: USUAL_TIME,
    reach: Reach::Private,
    ports: Ports::Web,
    accept: "image/*, */*;q=0.5",
};

const PUBLIC: Limits = Limits {
    reach: Reach::Public,
    ..LIMITS
};

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        answer.headers_mut().insert(*name, value.parse().unwrap());
    }
    answer
}

/// A host that answers every request alike.
async fn host(status: u16, headers: &[(&'static str, &str)], body: &str) -> SocketAddr {
    let answer = answer(status, headers, body);
    serve(move |_| std::future::ready(answer.clone())).await
}

/// What is wrong with a URL, and whose fault that is.
async fn check(url: &str, limits: Limits, text: &str, is_callers_fault: bool) {
    let error = fetch(url, limits).await.unwrap_err();
    assert_eq!(error.to_string(), text, "{url}: {:?}", error.private());
    assert_eq!(error.is_callers_fault(), is_callers_fault, "{url}");
}

#[tokio::test]
async fn an_image_is_fetched_with_its_type() {
    for (said, expected) in [
        ("image/png", Some("image/png")),
        ("Image/JPEG; charset=binary", Some("image/jpeg")),
        (" ;", None),
    ] {
        let host = host(200, &[("content-type", said)], "pixels").await;
        let fetched = fetch(&format!("http://{host}/cat"), LIMITS).await.unwrap();
        assert_eq!(fetched.mime.as_deref(), expected);
        assert_eq!(fetched.body, "pixels");
    }
}

#[tokio::test]
async fn a_host_sees_nothing_of_keymux_or_of_its_caller() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let host = serve(move |asked: Asked| {
        let mut names: Vec<_> = asked.headers.keys().map(ToString::to_string).collect();
        names.sort();
        notes.lock().unwrap().push((asked.path, names.join(" ")));
        std::future::ready(answer(200, &[], ""))
    })
    .await;
    let url = format!("http://{host}/a b/ä?q=1#part");
    fetch(&url, LIMITS).await.unwrap();
    let expected = ("/a%20b/%C3%A4?q=1", "accept connection host user-agent");
    let seen = seen.lock().unwrap();
    assert_eq!((&*seen[0].0, &*seen[0].1), expected);
}

#[tokio::test]
async fn urls_that_are_none_of_the_web_are_refused() {
    let no_url = "the image's url is not an absolute http or https url";
    for url in [
        "",
        "/cat.png",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
    ] {
        check(url, LIMITS, no_url, true).await;
    }
    let credentials = "the image's url has a user name or a password; expected one without";
    check("https://me@example.com/", LIMITS, credentials, true).await;
    check("https://:pw@example.com/", LIMITS, credentials, true).await;
    let port = "the image's url names port 8080; expected 80 or 443";
    check("http://example.com:8080/", PUBLIC, port, true).await;
    let long = format!("http://example.com/{}", "x".repeat(8192));
    let text = "the image's url is longer than 8192 bytes";
    check(&long, LIMITS, text, true).await;
}

#[tokio::test]
async fn private_addresses_are_refused_however_they_are_written() {
    for (url, host) in [
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://localhost/", "localhost"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://0177.0.0.1/", "127.0.0.1"),
        ("http://１２７.0.0.1/", "127.0.0.1"),
        ("https://10.0.0.1/", "10.0.0.1"),
        ("http://[::1]/", "[::1]"),
        ("http://[::ffff:127.0.0.1]/", "[::ffff:7f00:1]"),
        ("http://[64:ff9b::7f00:1]/", "[64:ff9b::7f00:1]"),
        ("http://169.254.169.254/latest", "169.254.169.254"),
    ] {
        let text =
            format!("{host} is not at a public address; send the image itself as a data url");
        check(url, PUBLIC, &text, true).await;
    }
}

#[tokio::test]
async fn metadata_services_are_refused_even_where_private_addresses_are_allowed() {
    let text = "169.254.169.254 is not at a public address; send the image itself as a data url";
    check("http://169.254.169.254/", LIMITS, text, true).await;
}

/// A host of `/1`, `/2`, … that redirect to the next one, and of an image at `/end`.
async fn redirecting(hops: usize) -> SocketAddr {
    serve(move |asked| {
        let hop: usize = asked.path[1..].parse().unwrap_or(usize::MAX);
        let next = if hop < hops {
            (hop + 1).to_string()
        } else {
            "end".to_owned()
        };
        std::future::ready(match hop {
            usize::MAX => answer(200, &[], "pixels"),
            _ => answer(302, &[("location", &next)], "moved"),
        })
    })
    .await
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let host = redirecting(3).await;
    let fetched = fetch(&format!("http://{host}/1"), LIMITS).await.unwrap();
    assert_eq!(fetched.body, "pixels");
    let host = redirecting(4).await;
    let text = "the image's url redirects more than 3 times; expected that of the image itself";
    check(&format!("http://{host}/1"), LIMITS, text, true).await;
}

#[tokio::test]
async fn every_hop_is_checked_anew() {
    for (location, text) in [
        (
            "http://169.254.169.254/latest",
            "169.254.169.254 is not at a public address; send the image itself as a data url",
        ),
        (
            "//[fe80::1]/x",
            "[fe80::1] is not at a public address; send the image itself as a data url",
        ),
        (
            "file:///etc/passwd",
            "the image's url is not an absolute http or https url",
        ),
        (
            "http://me:pw@example.com/",
            "the image's url has a user name or a password; expected one without",
        ),
    ] {
        let host = host(307, &[("location", location)], "").await;
        check(&format!("http://{host}/"), LIMITS, text, true).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_image_is_told() {
    for (status, is_callers_fault) in [(404, true), (304, true), (429, false), (503, false)] {
        let host = host(status, &[], "").await;
        let text = format!("127.0.0.1 answered with status {status} when asked for the image");
        check(&format!("http://{host}/"), LIMITS, &text, is_callers_fault).await;
    }
}

#[tokio::test]
async fn an_image_may_be_as_large_as_the_limit_and_no_larger() {
    let whole = host(200, &[], &"x".repeat(100)).await;
    let fetched = fetch(&format!("http://{whole}/"), LIMITS).await.unwrap();
    assert_eq!(fetched.body.len(), 100);
    let text = "the image is larger than 100 bytes";
    let large = host(200, &[], &"x".repeat(101)).await;
    check(&format!("http://{large}/"), LIMITS, text, true).await;
}

/// A host that answers with these bytes as they are, and then hangs up or holds the line.
async fn raw(answer: &'static str, then: Then) -> SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    crate::app::Tasks::default().spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        if then == Then::HoldTheLine {
            std::future::pending::<()>().await;
        }
    });
    address
}

#[derive(PartialEq)]
enum Then {
    HangUp,
    HoldTheLine,
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_before_anything_comes() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n";
    let host = raw(head, Then::HoldTheLine).await;
    let text = "the image is larger than 100 bytes";
    check(&format!("http://{host}/"), LIMITS, text, true).await;
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_too() {
    let body = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n\
                40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n";
    let host = raw(body, Then::HoldTheLine).await;
    let text = "the image is larger than 100 bytes";
    check(&format!("http://{host}/"), LIMITS, text, true).await;
}

#[tokio::test]
async fn hosts_that_fail_are_no_fault_of_the_caller() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf";
    let host = raw(cut, Then::HangUp).await;
    let text = "the image from 127.0.0.1 broke off; try again";
    check(&format!("http://{host}/"), LIMITS, text, false).await;
    let host = raw("no http at all\r\n\r\n", Then::HangUp).await;
    let text = "127.0.0.1 could not be asked for the image";
    check(&format!("http://{host}/"), LIMITS, text, false).await;
    let host = raw("no tls at all\r\n\r\n", Then::HangUp).await;
    check(&format!("https://{host}/"), LIMITS, text, false).await;
}

#[tokio::test]
async fn a_host_that_stalls_is_given_up() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf";
    let host = raw(half, Then::HoldTheLine).await;
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::new(100, Reach::Private)
    };
    let text = "the image did not come within 0 s; try again, or send it as a data url";
    check(&format!("http://{host}/"), limits, text, false).await;
}
